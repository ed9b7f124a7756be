"""Discovery offers what the key may read, and says in one line what is wrong with a config."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close.small_lists import LISTS
from tests.close.truth import ACTIVITIES, ALL, CHANGING, KEYS, PER_PARENT, differences
from tests.singer import merged, selecting

if TYPE_CHECKING:
    from tests.close.conftest import Start

#: Much of what they reach, nothing else does.
pytestmark = pytest.mark.usefixtures("measured_runs")
SHAPE = {
    "leads": 20,
    "contacts": 20,
    "opportunities": 10,
    "tasks": 10,
    "activities": 60,
    "events": 20,
    "custom_fields": 3,
}


def entries(catalog: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the catalog's entries by stream."""
    return {entry["tap_stream_id"]: entry for entry in catalog["streams"]}


def root(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of the stream itself."""
    return next(item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == [])


def test_every_stream_is_offered_with_keys_and_replication(start: Start) -> None:
    """Those that cost a request per parent are not selected by default."""
    _, tap = start(SHAPE)
    catalog, _ = tap.discover()
    streams = entries(catalog)
    assert set(streams) == {*ALL, *PER_PARENT, "sync_audit"}
    assert all(root(streams[name]).get("selected") is not False for name in (*ALL, "sync_audit"))
    assert not any(root(streams[name]).get("selected") for name in PER_PARENT)
    for name in (*ALL, *PER_PARENT):
        assert tuple(streams[name]["key_properties"]) == KEYS.get(name, ("id",))
    by_change, by_creation = (*CHANGING, "events"), ACTIVITIES
    assert {streams[name]["replication_key"] for name in by_change} == {"date_updated"}
    assert {streams[name]["replication_key"] for name in by_creation} == {"date_created"}
    others = set(ALL) - {*by_change, *by_creation}
    assert not any(streams[name].get("replication_key") for name in others)


FORBIDDEN = {
    "webhook": ["webhooks"],
    "export": ["exports"],
    "event": ["events"],
    "data/search": ["leads", "contacts"],
    "activity/sms": ["sms"],
    "role": ["roles"],
    "bulk_action": ["bulk_actions"],
    "organization": ["organization", "memberships"],
}


@pytest.mark.parametrize("paths", [list(FORBIDDEN), ["organization"], ["me"]], ids=" ".join)
def test_streams_that_the_key_may_not_read_are_left_out_by_name(start: Start, paths: list[str]) -> None:
    """A restricted role, or a plan without a feature, is a normal case."""
    app, tap = start(SHAPE, forbidden=paths)
    streams = [stream for path in paths for stream in FORBIDDEN.get(path, ["organization", "memberships"])]
    catalog, log = tap.discover()
    assert not set(streams) & set(entries(catalog))
    for stream in streams:
        assert f"stream `{stream}` is left out of the catalog" in log
    with_their_parents = {"custom_objects"} if "leads" in streams else set()
    assert set(entries(catalog)) == {*ALL, *PER_PARENT, "sync_audit"} - set(streams) - with_their_parents
    run = tap.sync(catalog=catalog)
    for stream in set(ALL) - set(streams):
        assert differences(app.world, stream, merged(stream, run)) == {}, stream


def test_a_key_that_may_read_nothing_is_said_in_the_end(start: Start) -> None:
    """An empty catalog would look like a success."""
    _, tap = start(SHAPE, forbidden=[*LISTS, "me", "organization", "data", "opportunity", "task", "event", "activity"])
    _, log = tap.discover(expect=1)
    assert "no stream could be read" in log.splitlines()[-1]
    assert "Traceback" not in log


def test_a_run_without_a_catalog_leaves_forbidden_streams_out(start: Start) -> None:
    """Nobody asked for them: a warning, and exit code 0."""
    app, tap = start(SHAPE, forbidden=list(FORBIDDEN))
    run = tap.sync()
    left_out = {stream for streams in FORBIDDEN.values() for stream in streams}
    for stream in left_out:
        assert f"stream `{stream}` is left out" in run.log
        assert stream not in run.audit()
    for stream in set(ALL) - left_out:
        assert differences(app.world, stream, merged(stream, run)) == {}, stream


def test_a_run_whose_catalog_selects_a_forbidden_stream_fails_that_stream_only(start_some: Start) -> None:
    """The others go on; exit code 1 names it."""
    streams = ("leads", "webhooks", "organization", "memberships", "exports")
    app, tap = start_some(streams, SHAPE, forbidden=["export", "organization"])
    run = tap.sync(expect=1)
    assert "streams are not complete: organization, memberships, exports" in run.log
    assert differences(app.world, "leads", merged("leads", run)) == {}
    assert differences(app.world, "webhooks", merged("webhooks", run)) == {}


@pytest.mark.parametrize("command", ["discover", "sync"])
def test_a_wrong_key_is_one_line_and_one_question(start: Start, command: str) -> None:
    """Exit code 1, no traceback, no secret; nothing else is asked."""
    app, tap = start(SHAPE)
    if command == "discover":
        _, log = tap.discover(expect=1, api_key="api_wrong0key")
    else:
        log = tap.sync(expect=1, api_key="api_wrong0key").log
    problems = [line for line in log.splitlines() if "ERROR" in line]
    assert "401" in problems[0]
    assert "api_key" in problems[0]
    assert "Traceback" not in log
    assert "api_wrong0key" not in log
    if command == "discover":
        assert len(problems) == 1
        assert app.stats.requests == 1
    else:  # the streams that were begun at the same time may each have asked
        assert app.stats.requests <= 4


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"api_key": ""}, ("`api_key` is missing", "oauth")),
        ({"api_url": "http://127.0.0.1:9"}, ("no connection", "api_url")),
        ({"start_date": "yesterday"}, ("`start_date`", "ISO 8601")),
        ({"activity_lookback_days": -1}, ("`activity_lookback_days`",)),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_what_to_do(
    start: Start, config: dict[str, Any], words: tuple[str, ...]
) -> None:
    """Exit code 1, no traceback."""
    _, tap = start(SHAPE)
    _, log = tap.discover(expect=1, retry_seconds=1, **config)
    problems = [line for line in log.splitlines() if "ERROR" in line]
    assert 1 <= len(problems) <= 2, log
    assert all(word in problems[0] for word in words), problems
    assert "Traceback" not in log


def test_an_unusable_state_is_refused_before_any_request(start: Start) -> None:
    """Reading everything again in silence would be worse."""
    app, tap = start(SHAPE)
    bookmark = {"replication_key": "date_updated", "replication_key_value": "last week"}
    run = tap.sync(state={"bookmarks": {"leads": bookmark}}, expect=1)
    assert "`leads`" in run.log
    assert "Traceback" not in run.log
    assert app.stats.requests == 0


def test_a_catalog_that_selects_an_unknown_stream_is_refused_before_any_request(
    start: Start, catalog: dict[str, Any]
) -> None:
    """It would otherwise load nothing for it, and exit 0."""
    app, tap = start(SHAPE)
    text = json.dumps(catalog).replace('"tap_stream_id": "leads"', '"tap_stream_id": "persons"')
    run = tap.sync(catalog=selecting(json.loads(text), "persons"), expect=1)
    assert "`persons`" in run.log
    assert app.stats.requests == 0


def test_the_connection_test_reads_little_of_each_stream_and_fails_on_a_wrong_key(start: Start) -> None:
    """``--test`` says whether a config works."""
    _, tap = start(SHAPE)
    good = tap.call([*tap.command(), "--test"])
    assert good.code == 0, good.log[-2000:]
    bad = tap.call([*tap.command(api_key="api_wrong0key", retry_seconds=1), "--test"])
    assert bad.code == 1
    assert "401" in bad.log
    assert "Traceback" not in bad.log
