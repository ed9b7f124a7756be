"""What is deselected is not emitted; what a schema or a catalog does not know is never lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.close.truth import differences
from tests.singer import merged, selecting

if TYPE_CHECKING:
    from tests.close.conftest import Start


SHAPE: dict[str, Any] = {
    "leads": 60,
    "contacts": 50,
    "opportunities": 40,
    "tasks": 40,
    "activities": 200,
    "events": 60,
}


def test_only_selected_streams_cost_requests(start: Start, catalog: dict[str, Any]) -> None:
    """Two streams selected: their SCHEMAs, records and requests; definitions of columns, and whose account it is."""
    app, tap = start(SHAPE)
    run = tap.sync(catalog=selecting(catalog, "contacts", "notes"))
    assert set(run.schemas) == {"contacts", "notes"}
    definitions = {"custom_field/contact", "custom_field/shared"}
    assert set(app.stats.by_path) == {"data/search", "activity/note", "me", *definitions}
    assert all(app.stats.by_path[path] == 1 for path in definitions)


def test_selected_alone_each_stream_is_the_same_as_with_the_others(start: Start, catalog: dict[str, Any]) -> None:
    """None depends on what another one has read."""
    app, tap = start(SHAPE)
    for stream in ("memberships", "sequence_subscriptions", "meetings", "tasks", "events"):
        run = tap.sync(catalog=selecting(catalog, stream))
        assert differences(app.world, stream, merged(stream, run)) == {}, stream


def test_a_deselected_field_is_not_emitted(start: Start) -> None:
    """Neither in its own column nor in `_extra`; by the careful path and by the fast one."""
    _, tap = start(SHAPE)
    catalog, _ = tap.discover()
    without = ("leads.addresses", "leads.custom_fields", "notes.note_html", "webhooks.signature_key", "tasks._extra")
    streams = {name.partition(".")[0] for name in without}
    run = tap.sync(catalog=selecting(catalog, *streams, without=without))
    for name in without:
        stream, field = name.split(".")
        assert run.count(stream) > 0
        assert field not in run.schemas[stream]["schema"]["properties"]
        for record in run.records(stream):
            assert field not in record
            assert field not in record.get("_extra", {})
            assert not any(key.startswith("custom.") for key in record.get("_extra", {}))


def test_a_field_that_no_schema_knows_is_kept_in_extra(start_some: Start) -> None:
    """Close adds fields at any time."""
    app, tap = start_some(("notes", "opportunities", "tasks", "outcomes"), SHAPE)
    for stream in ("notes", "opportunities", "tasks"):
        for row in app.world.tables[stream]:
            row.raw = row.raw[:-1] + b',"brand_new_field":{"a":1.50}}'
    for record in app.world.lists["outcomes"]:
        record["brand_new_field"] = [1]
    run = tap.sync()
    for stream in ("notes", "opportunities", "tasks", "outcomes"):
        assert run.count(stream) > 0
        assert all("brand_new_field" in record["_extra"] for record in run.records(stream))
        assert differences(app.world, stream, merged(stream, run)) == {}, stream


def test_a_stale_catalog_loses_nothing(start: Start, catalog: dict[str, Any]) -> None:
    """A field that the catalog's schema does not know yet goes to `_extra`."""
    app, tap = start(SHAPE)
    stale = json.loads(json.dumps(selecting(catalog, "contacts", "notes")))
    gone = {"contacts": "title", "notes": "note"}
    for entry in stale["streams"]:
        if name := gone.get(entry["tap_stream_id"]):
            del entry["schema"]["properties"][name]
            entry["metadata"] = [item for item in entry["metadata"] if item["breadcrumb"] != ["properties", name]]
    run = tap.sync(catalog=stale)
    for stream, name in gone.items():
        truth = {record["id"]: record[name] for record in app.world.records(stream)}
        assert {record["id"]: record["_extra"][name] for record in run.records(stream)} == truth


def test_custom_fields_are_kept_where_the_catalog_knows_no_column_for_them(start: Start) -> None:
    """Neither their own nor the one of all together: then they are in `_extra`."""
    app, tap = start(SHAPE)
    catalog, _ = tap.discover()
    stale = json.loads(json.dumps(selecting(catalog, "contacts")))
    for entry in stale["streams"]:
        if entry["tap_stream_id"] == "contacts":
            columns = [name for name in entry["schema"]["properties"] if name.startswith("custom_")]
            for name in columns:
                del entry["schema"]["properties"][name]
            entry["metadata"] = [item for item in entry["metadata"] if not {*item["breadcrumb"][-1:]} & {*columns}]
    run = tap.sync(catalog=stale)
    arrived = {record["id"]: record.get("_extra", {}).keys() for record in run.records("contacts")}
    truth = {one["id"]: {name for name in one if name.startswith("custom.")} for one in app.world.records("contacts")}
    assert arrived == truth
    assert any(truth.values())


def test_stream_maps_are_applied(start: Start) -> None:
    """A field computed, a field dropped, a stream filtered."""
    app, tap = start(SHAPE)
    maps = {
        "leads": {"shout": "display_name.upper()", "description": None},
        "notes": {"kind": "_type.lower()"},
        "contacts": {"__filter__": "id == 'nobody'"},
    }
    run = tap.sync(stream_maps=maps)
    assert run.count("leads") == len(app.world.ids("leads"))
    assert all(record["shout"] == record["display_name"].upper() for record in run.records("leads"))
    assert not any("description" in record for record in run.records("leads"))
    assert {record["kind"] for record in run.records("notes")} == {"note"}
    assert run.count("contacts") == 0
    for stream in ("opportunities", "tasks", "webhooks", "emails"):
        assert differences(app.world, stream, merged(stream, run)) == {}, stream


def test_a_full_table_run_reads_everything_and_moves_no_bookmark(start: Start, catalog: dict[str, Any]) -> None:
    """As the catalog's metadata asks; of activities, too, without the event log."""
    app, tap = start(SHAPE)
    forced = selecting(catalog, "contacts", "notes")
    for entry in forced["streams"]:
        if entry["tap_stream_id"] in ("contacts", "notes"):
            entry["replication_method"] = "FULL_TABLE"
    first = tap.sync(catalog=forced)
    app.stats.reset()
    second = tap.sync(catalog=forced, state=first.state)
    for stream in ("contacts", "notes"):
        assert differences(app.world, stream, merged(stream, second)) == {}, stream
        assert "replication_key_value" not in second.state["bookmarks"][stream]
    assert "event" not in app.stats.by_path
