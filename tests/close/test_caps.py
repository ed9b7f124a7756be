"""What one question gives is capped, silently or with an error; whatever lies behind the cap arrives all the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox.close.moments import SECOND, micros_of
from tests.close.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from sandbox.stats import Answered
    from tests.close.conftest import Start

#: Leads are what is read; values of custom fields are what other tests are about.
FEW = {"contacts": 2, "opportunities": 2, "tasks": 2, "activities": 10, "events": 3, "custom_fields": 1}
#: A little more of one moment than the 10,000 that a walk gives.
CROWDED = {**FEW, "leads": 10_100, "tie_block": 10_050}
#: A small account behind a small cap, and how many records a walk gives there.
LESS_CROWDED = {**FEW, "leads": 150, "tie_block": 120}
CAP = 100
PAGES = {"data/search": 20}
#: A crowd of several pages, where it is not about a cap.
IN_PAGES = {**FEW, "leads": 120, "tie_block": 90}
#: How far a list can be skipped through, with pages of 5.
SKIP_CAP, PAGE = 50, 5


def asked_with_cursor(app: CloseSandbox) -> list[Answered]:
    """Return the searches that went on with an earlier one."""
    return [one for one in app.stats.log if one.path == "data/search" and _cursor_of(one.body)]


def walks_cut_off(app: CloseSandbox) -> int:
    """Return how many walks got a page that ends at the cap, with more behind it."""
    cap, page = app.behaviour.search_cap, app.behaviour.limit_cap("data/search")
    followed = [app.searcher.cursors.get(_cursor_of(one.body)) for one in asked_with_cursor(app)]
    return sum(one is not None and one.place < cap <= one.place + page and one.total > cap for one in followed)


def _cursor_of(body: bytes) -> str:
    return msgspec.json.decode(body or b"{}").get("cursor") or ""


def test_more_leads_in_one_moment_than_a_walk_gives(start_some: Start) -> None:
    """10,050 of 10,100 leads share a change time; a walk by cursor ends after 10,000, and nothing is counted.

    The other looks of the cap are played below, on a smaller account.
    """
    app, tap = start_some(("leads",), CROWDED, cap_looks="null", search_counts="missing")
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    row = run.audit()["leads"]
    assert row["complete"]
    assert row["unexplained"] == 0
    assert row["requests"] <= 180


#: Each way of a cursor and of ties, with either look of the cap, and with or without counts.
LOWER_CAPS: dict[str, dict[str, Any]] = {
    "plain": {"cap_looks": "null", "search_counts": "exact"},
    "plain, refused": {"cap_looks": "error", "search_counts": "missing"},
    "cursor remembers a position only": {"cursor_kind": "offset", "cap_looks": "null", "search_counts": "missing"},
    "bounds are cut to seconds": {"search_precision": "second", "cap_looks": "error", "search_counts": "exact"},
    "ties in another order each time": {"unstable_ties": True, "cap_looks": "null", "search_counts": "missing"},
    "unstable ties behind a position": {
        "unstable_ties": True,
        "cursor_kind": "offset",
        "cap_looks": "error",
        "search_counts": "exact",
    },
}


@pytest.mark.parametrize("name", LOWER_CAPS)
def test_a_lower_cap_that_no_documentation_tells(start_some: Start, name: str) -> None:
    """120 of 150 leads share a change time, behind a cap of 100."""
    app, tap = start_some(("leads",), LESS_CROWDED, search_cap=CAP, limit_caps=PAGES, **LOWER_CAPS[name])
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]
    assert walks_cut_off(app) > 0


@pytest.mark.parametrize("knobs", [{}, {"unstable_ties": True}, {"cap_looks": "error"}])
def test_leads_made_and_changed_in_one_moment_are_read_from_both_ends(start_some: Start, knobs: dict[str, Any]) -> None:
    """Nothing splits them; in the other direction, and by name, the rest shows, until their count is met."""
    shape = {**LESS_CROWDED, "tie_block_created": True}
    app, tap = start_some(("leads",), shape, search_cap=CAP, limit_caps=PAGES, **knobs)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]
    assert walks_cut_off(app) > 0


def test_without_counts_nothing_proves_that_both_ends_meet(start_some: Start) -> None:
    """So it is an error by name, though here all have come."""
    shape = {**LESS_CROWDED, "tie_block_created": True}
    app, tap = start_some(("leads",), shape, search_cap=CAP, search_counts="missing", limit_caps=PAGES)
    run = tap.sync(expect=1)
    assert walks_cut_off(app) > 0
    assert "`leads` is not complete: leads: more records share one second" in run.log
    assert not run.audit()["leads"]["complete"]


@pytest.mark.parametrize(("counts", "same"), [("exact", True), ("missing", False), ("missing", True)])
def test_ties_that_a_position_skips_and_repeats_arrive_whole(start_some: Start, counts: str, *, same: bool) -> None:
    """90 leads of one moment come in another order with each page; what comes twice stands for what is left out."""
    shape = {**IN_PAGES, "tie_block_created": same}
    knobs = {"unstable_ties": True, "cursor_kind": "offset", "limit_caps": PAGES, "search_counts": counts}
    app, tap = start_some(("leads",), shape, **knobs)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert asked_with_cursor(app)


def test_a_cap_in_the_middle_of_a_page_is_noticed(start_some: Start) -> None:
    """Pages of 30: a walk's last page before a cap of 100 is short, as the last one of all is."""
    app, tap = start_some(("leads",), LESS_CROWDED, search_cap=CAP, limit_caps={"data/search": 30})
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert walks_cut_off(app) > 0


@pytest.mark.parametrize(("kind", "times"), [("snapshot", 1), ("offset", 2), ("snapshot", 10_000), ("offset", 10_000)])
def test_a_cursor_that_expires_in_the_middle_is_no_loss(start_some: Start, kind: str, times: int) -> None:
    """The walk is begun anew; where that happens again and again, the second is split."""
    app, tap = start_some(("leads",), IN_PAGES, cursor_kind=kind, limit_caps=PAGES)
    left = iter(range(times))

    def forget(moment: Moment) -> None:
        token = _cursor_of(moment.request.body)
        if moment.when == "before" and token and next(left, None) is not None:
            app.searcher.cursors[token].due = 0.0

    app.on_answer(forget)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]
    assert 0 < sum(one.status == 400 for one in asked_with_cursor(app)) <= times


def test_a_cursor_that_always_expires_is_an_error_where_nothing_splits_the_second(start_some: Start) -> None:
    """By name: each walk ends at its second page."""
    _, tap = start_some(("leads",), {**IN_PAGES, "tie_block_created": True}, cursor_ttl=0.0, limit_caps=PAGES)
    run = tap.sync(expect=1)
    assert "`leads` is not complete" in run.log
    assert "Traceback" not in run.log
    assert not run.audit()["leads"]["complete"]


@pytest.mark.parametrize("error", ["old", "new"])
def test_lists_behind_a_skip_cap_arrive_whole(start_some: Start, error: str) -> None:
    """`_skip` ends at 50 for every resource; nothing that is bounded by time is skipped through."""
    resources = ("lead", "contact", "opportunity", "task", "activity")
    streams = ("leads", "contacts", "opportunities", "tasks", "emails", "notes")
    shape = {**FEW, "leads": 10, "opportunities": 130, "tasks": 130, "activities": {"emails": 120, "notes": 65}}
    caps = dict.fromkeys(resources, SKIP_CAP)
    app, tap = start_some(streams, shape, skip_caps=caps, skip_error=error, limit_caps=dict.fromkeys(resources, PAGE))
    run = tap.sync()
    for stream in streams:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] for row in run.audit().values())


def test_a_second_with_many_activities_is_skipped_through(start_some: Start) -> None:
    """35 notes of one second, below the skip cap."""
    shape = {**FEW, "activities": {"notes": 50}}
    app, tap = start_some(("notes",), shape, skip_caps={"activity": SKIP_CAP}, limit_caps={"activity": PAGE})
    _crowd(app, "notes", 35)
    run = tap.sync()
    assert differences(app.account, "notes", merged("notes", run)) == {}
    assert run.audit()["notes"]["complete"]
    assert max(int(one.query.get("_skip", 0)) for one in app.stats.log) > 25


@pytest.mark.parametrize("knobs", [{}, {"skip_error": "new"}, {"unstable_ties": True}])
def test_more_activities_in_one_second_than_the_skip_cap_are_an_error_by_name(
    start_some: Start, knobs: dict[str, Any]
) -> None:
    """The stream fails and says why, the bookmark stays behind; the others are complete."""
    shape = {**FEW, "leads": 20, "activities": {"notes": 115, "calls": 15}}
    caps = {"skip_caps": {"activity": SKIP_CAP}, "limit_caps": {"activity": PAGE}}
    app, tap = start_some(("notes", "leads", "calls", "tasks", "users"), shape, **caps, **knobs)
    crowded = _crowd(app, "notes", 100)
    run = tap.sync(expect=1)
    assert "`notes` is not complete" in run.log
    assert "more records share one second" in run.log
    assert "1 of" in run.log.splitlines()[-1]
    assert "Traceback" not in run.log
    audit = run.audit()
    assert not audit["notes"]["complete"]
    assert all(row["complete"] for stream, row in audit.items() if stream != "notes")
    for stream in ("leads", "calls", "tasks", "users"):
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    bookmark = run.state["bookmarks"].get("notes", {}).get("replication_key_value", "")
    assert bookmark < crowded


def _crowd(app: CloseSandbox, stream: str, count: int) -> str:
    """Give so many records of a table creation times within one second; returns that second."""
    account = app.account
    with account.lock:
        table = account.tables[stream]
        rows = sorted(table, key=lambda row: row.created)
        second = rows[len(rows) // 2].created // SECOND
        chosen = rows[:count]
        for place, row in enumerate(chosen):
            micros = second * SECOND + place % 1_000 * 1_000
            record = msgspec.json.decode(row.raw)
            text = datetime.fromtimestamp(micros / SECOND, UTC).isoformat()
            record["date_created"] = text
            row.created = micros_of(text)
            row.raw = msgspec.json.encode(record)
        table.created = sorted((row.created, row.id) for row in table)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
