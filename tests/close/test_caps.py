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
FEW = {"contacts": 20, "opportunities": 10, "tasks": 10, "activities": 30, "events": 10, "custom_fields": 1}
#: A little more of one moment than the 10,000 that a walk gives.
CROWDED = {**FEW, "leads": 10_500, "tie_block": 10_250}
#: A smaller account behind smaller caps.
LESS_CROWDED = {**FEW, "leads": 1_500, "tie_block": 1_200}
#: How many records a walk gives there. What is not documented is taken for a cap if it is a multiple of 1,000.
CAP = 1_000
#: A crowd of several pages, where it is not about a cap.
PAGES = {"data/search": 50}
IN_PAGES = {**FEW, "leads": 400, "tie_block": 250}
#: How far a list can be skipped through, with pages of 20.
SKIP_CAP = 200


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
    """10,250 of 10,500 leads share a change time; a walk by cursor ends after 10,000, and nothing is counted.

    The other looks of the cap are played below, on a smaller account.
    """
    app, tap = start_some(("leads",), CROWDED, cap_looks="null", search_counts="missing")
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    row = run.audit()["leads"]
    assert row["complete"]
    assert row["unexplained"] == 0
    assert row["requests"] <= 180


#: Each way of a cursor and of ties with both looks of the cap, and with and without counts.
LOWER_CAPS = {
    "plain": ({}, (("null", "exact"), ("error", "missing"))),
    "cursor remembers a position only": ({"cursor_kind": "offset"}, (("null", "missing"), ("error", "exact"))),
    "bounds are cut to seconds": ({"search_precision": "second"}, (("null", "exact"), ("error", "missing"))),
    "ties in another order each time": ({"unstable_ties": True}, (("null", "missing"), ("error", "exact"))),
    "unstable ties behind a position": (
        {"unstable_ties": True, "cursor_kind": "offset"},
        (("null", "missing"), ("error", "exact"), ("null", "exact")),
    ),
}


@pytest.mark.parametrize(
    ("knobs", "looks", "counts"),
    [
        pytest.param(knobs, looks, counts, id=f"{name}-{looks}-{counts}")
        for name, (knobs, cases) in LOWER_CAPS.items()
        for looks, counts in cases
    ],
)
def test_a_lower_cap_that_no_documentation_tells(
    start_some: Start, knobs: dict[str, Any], looks: str, counts: str
) -> None:
    """1,200 of 1,500 leads share a change time, behind a cap of 1,000."""
    app, tap = start_some(("leads",), LESS_CROWDED, search_cap=CAP, cap_looks=looks, search_counts=counts, **knobs)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]
    assert walks_cut_off(app) > 0


@pytest.mark.parametrize("knobs", [{}, {"unstable_ties": True}, {"cap_looks": "error"}])
def test_leads_made_and_changed_in_one_moment_are_read_from_both_ends(start_some: Start, knobs: dict[str, Any]) -> None:
    """Nothing splits them; in the other direction, and by name, the rest shows, until their count is met."""
    app, tap = start_some(("leads",), {**LESS_CROWDED, "tie_block_created": True}, search_cap=CAP, **knobs)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]
    assert walks_cut_off(app) > 0


def test_without_counts_nothing_proves_that_both_ends_meet(start_some: Start) -> None:
    """So it is an error by name, though here all have come."""
    shape = {**LESS_CROWDED, "tie_block_created": True}
    app, tap = start_some(("leads",), shape, search_cap=CAP, search_counts="missing")
    run = tap.sync(expect=1)
    assert walks_cut_off(app) > 0
    assert "`leads` is not complete: leads: more records share one second" in run.log
    assert not run.audit()["leads"]["complete"]


@pytest.mark.parametrize("counts", ["exact", "missing"])
@pytest.mark.parametrize("same", [False, True])
def test_ties_that_a_position_skips_and_repeats_arrive_whole(start_some: Start, counts: str, *, same: bool) -> None:
    """250 leads of one moment come in another order with each page; what comes twice stands for what is left out."""
    shape = {**IN_PAGES, "tie_block_created": same}
    knobs = {"unstable_ties": True, "cursor_kind": "offset", "limit_caps": PAGES, "search_counts": counts}
    app, tap = start_some(("leads",), shape, **knobs)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert asked_with_cursor(app)


@pytest.mark.parametrize("counts", ["exact", "missing"])
def test_a_cap_in_the_middle_of_a_page_is_noticed(start_some: Start, counts: str) -> None:
    """Pages of 150: a walk's last page before a cap of 1,000 is short, as the last one of all is."""
    knobs = {"search_cap": CAP, "limit_caps": {"data/search": 150}, "search_counts": counts}
    app, tap = start_some(("leads",), LESS_CROWDED, **knobs)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert walks_cut_off(app) > 0


def test_more_leads_made_and_changed_in_one_moment_than_a_walk_gives(start_some: Start) -> None:
    """As many as an import makes; the cap of 10,000 is passed by reading them from the other end too."""
    app, tap = start_some(("leads",), {**CROWDED, "tie_block_created": True})
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]


@pytest.mark.parametrize("kind", ["snapshot", "offset"])
@pytest.mark.parametrize("times", [1, 2, 10_000])
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
    """`_skip` ends at 200 for every resource; nothing that is bounded by time is skipped through."""
    resources = ("lead", "contact", "opportunity", "task", "activity")
    streams = ("leads", "contacts", "opportunities", "tasks", "emails", "notes")
    shape = {**FEW, "leads": 20, "opportunities": 520, "tasks": 520, "activities": {"emails": 480, "notes": 260}}
    caps = dict.fromkeys(resources, SKIP_CAP)
    app, tap = start_some(streams, shape, skip_caps=caps, skip_error=error, limit_caps=dict.fromkeys(resources, 20))
    run = tap.sync()
    for stream in streams:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] for row in run.audit().values())


def test_a_second_with_many_activities_is_skipped_through(start_some: Start) -> None:
    """140 notes of one second, below the skip cap."""
    shape = {**FEW, "activities": {"notes": 200}}
    app, tap = start_some(("notes",), shape, skip_caps={"activity": SKIP_CAP}, limit_caps={"activity": 20})
    _crowd(app, "notes", 140)
    run = tap.sync()
    assert differences(app.account, "notes", merged("notes", run)) == {}
    assert run.audit()["notes"]["complete"]
    assert max(int(one.query.get("_skip", 0)) for one in app.stats.log) > 100


@pytest.mark.parametrize("knobs", [{}, {"skip_error": "new"}, {"unstable_ties": True}])
def test_more_activities_in_one_second_than_the_skip_cap_are_an_error_by_name(
    start_some: Start, knobs: dict[str, Any]
) -> None:
    """The stream fails and says why, the bookmark stays behind; the others are complete."""
    shape = {**FEW, "leads": 20, "activities": {"notes": 460, "calls": 50}}
    caps = {"skip_caps": {"activity": SKIP_CAP}, "limit_caps": {"activity": 20}}
    app, tap = start_some(("notes", "leads", "calls", "tasks", "users"), shape, **caps, **knobs)
    crowded = _crowd(app, "notes", 400)
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
