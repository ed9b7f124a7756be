"""What is deselected is not emitted; what a schema or a catalog does not know is never lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.singer import selecting

if TYPE_CHECKING:
    from tests.copper.conftest import Start


def test_only_selected_streams_cost_requests(start: Start) -> None:
    """One stream selected: its SCHEMA, records and requests; one for its custom fields, one for the account."""
    app, tap = start()
    catalog, _ = tap.discover()
    app.stats.reset()
    run = tap.sync(catalog=selecting(catalog, "companies"))
    assert set(run.schemas) == {"companies"}
    assert set(app.stats.by_path) == {"companies/search", "custom_field_definitions", "account"}


def test_a_deselected_field_is_not_emitted(start: Start) -> None:
    """Neither in its own column nor in `_extra`."""
    _, tap = start()
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "people", without=("people.emails", "people.details")))
    assert run.count("people") > 0
    for record in run.records("people"):
        assert not {"emails", "details", "_extra"} & record.keys()
    assert not {"emails", "details"} & run.schemas["people"]["schema"]["properties"].keys()


def test_a_field_that_no_schema_knows_is_kept_in_extra(start_some: Start) -> None:
    """A CRM may add fields at any time."""
    _, tap = start_some(("people",), extra_fields=True)
    run = tap.sync()
    assert run.count("people") > 0
    assert all(record["_extra"] == {"brand_new_field": {"a": 1}} for record in run.records("people"))


def test_a_stale_catalog_loses_nothing(start: Start) -> None:
    """A field that the catalog's schema does not know yet goes to `_extra`."""
    _, tap = start()
    catalog, _ = tap.discover()
    stale = json.loads(json.dumps(selecting(catalog, "people")))
    for entry in stale["streams"]:
        if entry["tap_stream_id"] == "people":
            del entry["schema"]["properties"]["title"]
            entry["metadata"] = [item for item in entry["metadata"] if item["breadcrumb"] != ["properties", "title"]]
    run = tap.sync(catalog=stale)
    titles = {record["id"]: record["_extra"]["title"] for record in run.records("people")}
    assert len(titles) == run.count("people") > 0


def test_dates_in_the_other_order_are_read_as_the_setting_says(start_some: Start) -> None:
    """`date_order: dmy` for accounts that write 31/1/2026."""
    app, tap = start_some(("opportunities",), {"dmy": True, "odd_close_dates": 0})
    run = tap.sync(date_order="dmy")
    truth = {record["id"]: record["close_date"] for record in app.world.records("opportunities")}
    assert any(truth.values())
    for record in run.records("opportunities"):
        text = truth[record["id"]]
        if text is None:
            assert record["close_date"] is None
            continue
        day, month, year = text.split("/")
        assert record["close_date"] == f"{year}-{int(month):02}-{int(day):02}"


def test_a_text_that_is_no_date_becomes_null_and_is_kept_and_counted(start_some: Start) -> None:
    """The stream goes on; a warning says how many there were."""
    app, tap = start_some(("opportunities",), {"odd_close_dates": 6})
    run = tap.sync()
    odd = [record for record in run.records("opportunities") if "_extra" in record]
    assert odd
    truth = {record["id"]: record["close_date"] for record in app.world.records("opportunities")}
    for record in odd:
        assert record["close_date"] is None
        assert record["_extra"] == {"close_date": truth[record["id"]]}
    assert f"opportunities: {len(odd)} values of `close_date` did not fit" in run.log
    assert run.audit()["opportunities"]["misfits"] == len(odd)


def test_a_full_table_run_reads_everything_and_moves_no_bookmark(start: Start) -> None:
    """As the catalog's metadata asks."""
    _, tap = start()
    catalog, _ = tap.discover()
    forced = selecting(catalog, "companies")
    for entry in forced["streams"]:
        if entry["tap_stream_id"] == "companies":
            entry["replication_method"] = "FULL_TABLE"
    first = tap.sync(catalog=forced)
    second = tap.sync(catalog=forced, state=first.state)
    assert first.count("companies") == second.count("companies") > 0
    assert "replication_key_value" not in second.state["bookmarks"]["companies"]
