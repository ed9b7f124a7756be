"""What is deselected is not emitted; what a schema or a catalog does not know is never lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.close.truth import differences
from tests.singer import merged, selecting

if TYPE_CHECKING:
    from tests.close.conftest import Start


SHAPE: dict[str, Any] = {
    "leads": 20,
    "contacts": 20,
    "opportunities": 15,
    "tasks": 15,
    "activities": {"notes": 20, "emails": 20},
    "events": 20,
}


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
    truth = {one["id"]: {name for name in one if name.startswith("custom.")} for one in app.account.records("contacts")}
    assert arrived == truth
    assert any(truth.values())


def test_stream_maps_are_applied(start_some: Start) -> None:
    """A field computed, a field dropped, a stream filtered."""
    untouched = ("opportunities", "webhooks", "emails")
    app, tap = start_some(("leads", "notes", "contacts", *untouched), SHAPE)
    maps = {
        "leads": {"shout": "display_name.upper()", "description": None},
        "notes": {"kind": "_type.lower()"},
        "contacts": {"__filter__": "id == 'nobody'"},
    }
    run = tap.sync(stream_maps=maps)
    assert run.count("leads") == len(app.account.ids("leads"))
    assert all(record["shout"] == record["display_name"].upper() for record in run.records("leads"))
    assert not any("description" in record for record in run.records("leads"))
    assert {record["kind"] for record in run.records("notes")} == {"note"}
    assert run.count("contacts") == 0
    for stream in untouched:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream


def test_a_full_table_run_of_activities_asks_for_no_log(start: Start, catalog: dict[str, Any]) -> None:
    """It reads everything anyway, and moves no bookmark."""
    app, tap = start(SHAPE)
    forced = selecting(catalog, "notes")
    for entry in forced["streams"]:
        if entry["tap_stream_id"] == "notes":
            entry["replication_method"] = "FULL_TABLE"
    first = tap.sync(catalog=forced)
    app.stats.reset()
    second = tap.sync(catalog=forced, state=first.state)
    assert differences(app.account, "notes", merged("notes", second)) == {}
    assert "replication_key_value" not in second.state["bookmarks"]["notes"]
    assert "event" not in app.stats.by_path
