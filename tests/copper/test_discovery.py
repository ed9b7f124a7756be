"""Discovery offers what the key may read, and says in one line what is wrong with a config."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.copper.truth import LISTED, SEARCHED, differences
from tests.singer import merged, selecting

if TYPE_CHECKING:
    from tests.copper.conftest import Start

#: Much of what they reach, nothing else does.
pytestmark = pytest.mark.usefixtures("measured_runs")
PER_RECORD = ("related_items", "related_links", "files")


def entries(catalog: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the catalog's entries by stream."""
    return {entry["tap_stream_id"]: entry for entry in catalog["streams"]}


def root(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of the stream itself."""
    return next(item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == [])


def test_every_stream_is_offered_with_keys_and_replication(start: Start) -> None:
    """Those that cost a request per record are not selected by default."""
    _, tap = start()
    catalog, _ = tap.discover()
    streams = entries(catalog)
    assert set(streams) == {*SEARCHED, *LISTED, *PER_RECORD, "sync_audit"}
    assert all(root(streams[name]).get("selected") is not False for name in (*SEARCHED, *LISTED, "sync_audit"))
    assert not any(root(streams[name]).get("selected") for name in PER_RECORD)
    assert streams["people"]["replication_key"] == "date_modified"
    assert streams["activities"]["replication_key"] == "activity_date"
    assert streams["activity_types"]["key_properties"] == ["id", "category"]
    assert streams["tags"]["key_properties"] == ["name"]


def test_streams_that_the_key_may_not_read_are_left_out_by_name(start: Start) -> None:
    """Leads switched off in the account is a normal case."""
    _, tap = start(leads_enabled=False, forbidden=["pipeline_stages"])
    catalog, log = tap.discover()
    assert not {"leads", "lead_statuses", "pipeline_stages"} & set(entries(catalog))
    for stream in ("leads", "lead_statuses", "pipeline_stages"):
        assert f"stream `{stream}` is left out of the catalog" in log
    run = tap.sync(catalog=catalog)
    assert "leads" not in run.schemas


def test_a_run_whose_catalog_selects_a_forbidden_stream_fails_that_stream_only(start: Start) -> None:
    """The others go on; exit code 1 names it."""
    app, tap = start()
    catalog, _ = tap.discover()
    app.behaviour.leads_enabled = False
    run = tap.sync(catalog=catalog, expect=1)
    assert "2 of 21 streams are not complete: leads, lead_statuses" in run.log
    assert differences(app.world, "people", merged("people", run)) == {}
    assert differences(app.world, "tags", merged("tags", run), ("name",)) == {}


def test_a_run_without_a_catalog_leaves_forbidden_streams_out(start: Start) -> None:
    """Nobody asked for them: a warning, and exit code 0."""
    _, tap = start(leads_enabled=False)
    run = tap.sync()
    assert "stream `leads` is left out" in run.log
    assert "leads" not in run.audit()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"api_key": "wrong0key"}, ("401", "api_key")),
        ({"user_email": "nobody@example.com"}, ("401", "user")),
        ({"api_key": ""}, ("`api_key` is missing",)),
        ({"user_email": None}, ("user_email",)),
        ({"provider": "salesforce"}, ("`provider`", "copper")),
        ({"api_url": "http://127.0.0.1:9"}, ("no connection", "api_url")),
        ({"api_url": "ftp://example.com"}, ("`api_url`",)),
        ({"start_date": "yesterday"}, ("`start_date`", "ISO 8601")),
        ({"date_order": "ymd"}, ("date_order",)),
        ({"overlap_seconds": -1}, ("`overlap_seconds`",)),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_what_to_do(
    start: Start, config: dict[str, Any], words: tuple[str, ...]
) -> None:
    """Exit code 1, no traceback, no secret."""
    _, tap = start()
    _, log = tap.discover(expect=1, retry_seconds=1, **config)
    errors = [line for line in log.splitlines() if "ERROR" in line]
    assert 1 <= len(errors) <= 2, log
    assert all(word in errors[0] for word in words), errors
    assert "Traceback" not in log
    assert "wrong0key" not in log


def test_a_setting_of_another_crm_is_named(start: Start) -> None:
    """Nobody should believe in streams that do not come."""
    _, tap = start()
    tables = [{"board": "Sales", "table": "Deals", "stream": "deals"}]
    assert "`tables` has no effect with Copper" in tap.sync(tables=tables).log
    assert "has no effect" not in tap.sync(custom_fields="raw", custom_field_names="id").log


def test_a_missing_provider_is_said(start: Start) -> None:
    """Without it, nothing else makes sense."""
    _, tap = start()
    tap.config.pop("provider")
    _, log = tap.discover(expect=1)
    assert "provider" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    "state",
    [
        {"bookmarks": {"people": {"replication_key": "date_modified", "replication_key_value": "last week"}}},
        {"bookmarks": {"people": "2026-01-01"}},
        {"bookmarks": []},
        [],
    ],
)
def test_a_state_that_cannot_be_used_is_refused_before_any_request(start: Start, state: Any) -> None:  # noqa: ANN401
    """Reading everything again in silence would be worse."""
    app, tap = start()
    run = tap.sync(state=state, expect=1)
    assert "state" in run.log
    assert "Traceback" not in run.log
    assert app.stats.requests == 0


def test_a_catalog_that_selects_an_unknown_stream_is_refused_before_any_request(start: Start) -> None:
    """It would otherwise load nothing for it, and exit 0."""
    app, tap = start()
    catalog, _ = tap.discover()
    text = json.dumps(catalog).replace('"tap_stream_id": "people"', '"tap_stream_id": "persons"')
    app.stats.reset()
    run = tap.sync(catalog=selecting(json.loads(text), "persons"), expect=1)
    assert "`persons`" in run.log
    assert app.stats.requests == 0


def test_the_connection_test_reads_one_record_of_each_stream_and_fails_on_a_wrong_key(start: Start) -> None:
    """``--test`` says whether a config works."""
    _, tap = start()
    good = tap.call([*tap.command(), "--test"])
    assert good.code == 0, good.log[-2000:]
    bad = tap.call([*tap.command(api_key="wrong0key", retry_seconds=1), "--test"])
    assert bad.code == 1
    assert "401" in bad.log
    assert "Traceback" not in bad.log
