"""What is deselected is not emitted; what a schema or a catalog does not know is never lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.crms import CRMS
from tests.singer import only, selecting
from tests.truth import exact

if TYPE_CHECKING:
    from tests.contract.conftest import CatalogOf, Start
    from tests.contract.crm import Crm

with_bookmarks = pytest.mark.parametrize(
    "crm", [pytest.param(crm, id=crm.name) for crm in CRMS.values() if crm.changed], indirect=True
)


def test_only_selected_streams_cost_requests(crm: Crm, start: Start, catalog_of: CatalogOf) -> None:
    """One stream selected: its SCHEMA, its records, its requests, and one to know whose account it is."""
    app, tap = start(shape=crm.few)
    stream, paths = crm.alone
    run = tap.sync(catalog=selecting(catalog_of(crm), stream))
    assert set(run.schemas) == {stream}
    assert run.count(stream) > 0
    assert {path for path in app.stats.by_path if not path.startswith("board")} == paths


def test_selected_alone_each_stream_is_the_same_as_with_the_others(
    crm: Crm, start: Start, catalog_of: CatalogOf
) -> None:
    """None depends on what another one has read."""
    app, tap = start(shape=crm.few)
    for stream in crm.streams:
        if not crm.is_of_account(stream):
            run = tap.sync(catalog=only(catalog_of(crm), stream, *crm.telling))
            crm.assert_complete(app, run, streams=[stream])


def test_a_deselected_field_is_not_emitted(crm: Crm, start: Start, catalog_of: CatalogOf) -> None:
    """Neither in its own column nor in `_extra`; by the careful path and by the fast one."""
    _, tap = start(shape=crm.few)
    streams = {name.partition(".")[0] for name in crm.deselected}
    run = tap.sync(catalog=selecting(catalog_of(crm), *streams, without=crm.deselected))
    for name in crm.deselected:
        stream, field = name.split(".")
        assert run.count(stream) > 0
        assert field not in run.schemas[stream]["schema"]["properties"]
        for record in run.records(stream):
            assert field not in record
            assert field not in record.get("_extra", {})
            assert not any(key.startswith("custom.") for key in record.get("_extra", {}))


def test_a_field_that_no_schema_knows_is_kept_in_extra(crm: Crm, start: Start) -> None:
    """A CRM may add fields at any time."""
    app, tap = start(*crm.streams)
    added = crm.add_unknown(app)
    run = tap.sync()
    for stream, value in added.items():
        assert run.count(stream) > 0
        assert all(record["_extra"]["brand_new"] == exact(value) for record in run.records(stream)), stream
        if crm.name != "copper":  # there, only the answers have it
            crm.assert_complete(app, run, streams=[stream])


def test_a_stale_catalog_loses_nothing(crm: Crm, start: Start, catalog_of: CatalogOf) -> None:
    """A field that the catalog's schema does not know yet goes to `_extra`."""
    app, tap = start(shape=crm.few)
    stale = json.loads(json.dumps(selecting(catalog_of(crm), *crm.forgotten)))
    for entry in stale["streams"]:
        if name := crm.forgotten.get(entry["tap_stream_id"]):
            del entry["schema"]["properties"][name]
            entry["metadata"] = [item for item in entry["metadata"] if item["breadcrumb"] != ["properties", name]]
    run = tap.sync(catalog=stale)
    for stream, name in crm.forgotten.items():
        truth = {record[crm.usual_key]: record[name] for record in app.account.records(stream)}
        assert truth
        assert {one[crm.usual_key]: one["_extra"][name] for one in run.records(stream)} == truth


@with_bookmarks
def test_a_full_table_run_reads_everything_and_moves_no_bookmark(crm: Crm, start: Start, catalog_of: CatalogOf) -> None:
    """As the catalog's metadata asks."""
    app, tap = start(shape=crm.few)
    forced = selecting(catalog_of(crm), *crm.changed)
    for entry in forced["streams"]:
        if entry["tap_stream_id"] in crm.changed:
            entry["replication_method"] = "FULL_TABLE"
    first = tap.sync(catalog=forced)
    second = tap.sync(catalog=forced, state=first.state, reconcile="true")  # else nothing is written: it is the same
    crm.assert_complete(app, second, streams=crm.changed)
    for stream in crm.changed:
        assert "replication_key_value" not in second.state["bookmarks"][stream]
