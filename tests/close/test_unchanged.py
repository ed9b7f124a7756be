"""The next run costs what changed: one request a stream where nothing did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import ACTIVITIES, ALL, CHANGING, differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

FEW: dict[str, Any] = {
    "leads": 50,
    "contacts": 40,
    "opportunities": 40,
    "tasks": 40,
    "activities": 200,
    "events": 30,
    "custom_fields": 3,
}
BY_TIME = (*CHANGING, *ACTIVITIES, "events", "custom_fields", "organization")
#: Lists that have several parts by nature, and how many requests they cost.
IN_PARTS = {
    "organization": 2,
    "groups": 1 + 3,
    "custom_fields": 6,
    "bulk_actions": 4,
    "sequence_subscriptions": 1 + 4,
}
#: An empty answer is asked for twice where neither a count nor the event log speaks for it: no event tells of an
#: import's traces, and a lead's own events do not tell of all that raises its change time.
ASKED_TWICE = {"import_updates"}
WITHOUT_A_COUNT = ASKED_TWICE | {"leads", "contacts"}


@pytest.mark.parametrize(
    ("knobs", "asked_twice", "streams"),
    [({}, ASKED_TWICE, ALL), ({"totals": "missing", "search_counts": "missing"}, WITHOUT_A_COUNT, BY_TIME)],
    ids=["totals", "no totals"],
)
def test_an_unchanged_organization_costs_one_request_a_stream(
    start_some: Start, knobs: dict[str, Any], asked_twice: set[str], streams: tuple[str, ...]
) -> None:
    """And none of the records comes again, but for meetings ahead and the look-back on activities."""
    app, tap = start_some(streams, {**FEW, "leads": 210, "opportunities": 260}, **knobs)
    first = tap.sync()
    app.stats.reset()
    second = tap.sync(state=first.state)
    log = app.stats.by_path["event"]  # it is counted where it is needed first
    assert log <= 2
    rows = second.audit()
    more = {name: row["requests"] - IN_PARTS.get(name, 1 + (name in asked_twice)) for name, row in rows.items()}
    assert sum(row["requests"] for row in rows.values()) == app.stats.requests
    assert sum(more.values()) <= log - 1, more
    assert max(more.values()) <= log, more
    for path in ("task", "opportunity", "activity/email", "activity/note"):
        assert app.stats.by_path[path] == 1, path
    for stream in CHANGING:
        assert second.count(stream) == 0, stream
    for stream in ACTIVITIES:
        assert second.count(stream) < 30, stream


def test_leads_alone_cost_one_more_request_for_the_log_of_their_deletions(start_some: Start) -> None:
    """It is asked for deletions of leads only; merges are looked up where there are such."""
    app, tap = start_some(("leads",), {**FEW, "leads": 210})
    first = tap.sync()
    app.stats.reset()
    second = tap.sync(state=first.state)
    definitions = {"custom_field/lead": 1, "custom_field/shared": 1}
    assert app.stats.by_path == {"data/search": 1, "event": 1, "me": 1, **definitions}
    asked = next(one.query for one in app.stats.log if one.path == "event")
    assert (asked["object_type"], asked["action"]) == ("lead", "deleted")
    assert second.count("leads") == 0


def test_a_merge_moves_what_the_source_had(start_some: Start) -> None:
    """The children come again with their new lead, by the next run; the source's end is an event."""
    streams = (*CHANGING, "emails", "notes", "custom_activities", "lead_merges")
    app, tap = start_some((*streams, "events"), FEW)
    first = tap.sync()
    (source,) = app.account.merge()
    second = tap.sync(state=first.state)
    for stream in streams:
        alive = {(identity,) for identity in app.account.ids(stream)}
        table = {key: one for key, one in merged(stream, first, second).items() if key in alive}
        assert differences(app.account, stream, table) == {}, stream
        assert not any(one.get("lead_id") == source for one in table.values()), stream
    told = [event["meta"] for event in second.records("events") if event["action"] == "merged"]
    assert any(source in str(meta) for meta in told)
    assert any(one["source_lead_id"] == source for one in second.records("lead_merges"))
