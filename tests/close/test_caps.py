"""What one question gives is capped, silently or with an error; whatever lies behind the cap arrives all the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox.close.moments import SECOND, micros_of
from tests.close.truth import ALL, differences
from tests.singer import merged, selecting

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

FEW = {"contacts": 50, "opportunities": 20, "tasks": 20, "activities": 200, "events": 20}
CROWDED = {**FEW, "leads": 25_000, "tie_block": 12_000}
#: A smaller account behind smaller caps.
LESS_CROWDED = {**FEW, "leads": 3_000, "tie_block": 1_500}


@pytest.mark.timeout(200)
def test_more_leads_in_one_moment_than_a_walk_gives(start: Start) -> None:
    """12,000 of 25,000 leads share a change time; a walk by cursor ends after 10,000 objects, and nothing is counted.

    The other looks of the cap are played below, on a smaller account.
    """
    app, tap = start(CROWDED, cap_looks="null", search_counts="missing")
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"))
    assert differences(app.world, "leads", merged("leads", run)) == {}
    row = run.audit()["leads"]
    assert row["complete"]
    assert row["unexplained"] == 0
    assert row["requests"] <= 220


@pytest.mark.parametrize("looks", ["null", "error"])
@pytest.mark.parametrize("counts", ["exact", "missing"])
@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param({}, id="plain"),
        pytest.param({"cursor_kind": "offset"}, id="cursor remembers a position only"),
        pytest.param({"search_precision": "second"}, id="bounds are cut to seconds"),
        pytest.param({"unstable_ties": True}, id="ties in another order each time"),
        pytest.param({"unstable_ties": True, "cursor_kind": "offset"}, id="unstable ties behind a position"),
    ],
)
def test_a_lower_cap_that_no_documentation_tells(start: Start, looks: str, counts: str, knobs: dict[str, Any]) -> None:
    """1,500 of 3,000 leads share a change time, behind a cap of 1,000."""
    app, tap = start(LESS_CROWDED, search_cap=1_000, cap_looks=looks, search_counts=counts, **knobs)
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"))
    assert differences(app.world, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]


@pytest.mark.parametrize("knobs", [{}, {"unstable_ties": True}, {"cap_looks": "error"}])
def test_leads_made_and_changed_in_one_moment_are_read_from_both_ends(start: Start, knobs: dict[str, Any]) -> None:
    """Nothing splits them; in the other direction, and by name, the rest shows, until their count is met."""
    app, tap = start({**LESS_CROWDED, "tie_block_created": True}, search_cap=1_000, **knobs)
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"))
    assert differences(app.world, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]


def test_without_counts_nothing_proves_that_both_ends_meet(start: Start) -> None:
    """So it is an error by name, though here all have come."""
    _, tap = start({**LESS_CROWDED, "tie_block_created": True}, search_cap=1_000, search_counts="missing")
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"), expect=1)
    assert "`leads` is not complete: leads: more records share one second" in run.log
    assert not run.audit()["leads"]["complete"]


@pytest.mark.parametrize("counts", ["exact", "missing"])
@pytest.mark.parametrize("same", [False, True])
def test_ties_that_a_position_skips_and_repeats_arrive_whole(start: Start, counts: str, *, same: bool) -> None:
    """500 leads of one moment come in another order with each page; what comes twice stands for what is left out."""
    shape = {**FEW, "leads": 900, "tie_block": 500, "tie_block_created": same}
    app, tap = start(shape, unstable_ties=True, cursor_kind="offset", search_counts=counts)
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"))
    assert differences(app.world, "leads", merged("leads", run)) == {}


@pytest.mark.parametrize("counts", ["exact", "missing"])
def test_a_cap_in_the_middle_of_a_page_is_noticed(start: Start, counts: str) -> None:
    """Pages of 150: a walk's last page before a cap of 1,000 is short, as the last one of all is."""
    app, tap = start(LESS_CROWDED, search_cap=1_000, limit_caps={"data/search": 150}, search_counts=counts)
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"))
    assert differences(app.world, "leads", merged("leads", run)) == {}


@pytest.mark.timeout(200)
def test_12_000_leads_made_and_changed_in_one_moment(start: Start) -> None:
    """As many as an import makes; the cap of 10,000 is passed by reading them from the other end too."""
    app, tap = start({**CROWDED, "tie_block_created": True})
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"))
    assert differences(app.world, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]


@pytest.mark.parametrize("kind", ["snapshot", "offset"])
@pytest.mark.parametrize("times", [1, 2, 10_000])
def test_a_cursor_that_expires_in_the_middle_is_no_loss(start: Start, kind: str, times: int) -> None:
    """The walk is begun anew; where that happens again and again, the second is split."""
    app, tap = start(LESS_CROWDED, cursor_kind=kind)
    catalog, _ = tap.discover()
    app.stats.reset()
    left = iter(range(times))

    def forget(moment: Moment) -> None:
        token = msgspec.json.decode(moment.request.body or b"{}").get("cursor")
        if moment.when == "before" and token and next(left, None) is not None:
            app.searcher.cursors[token].due = 0.0

    app.on_answer(forget)
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"))
    assert differences(app.world, "leads", merged("leads", run)) == {}
    assert run.audit()["leads"]["complete"]
    assert 0 < sum(one.status == 400 for one in app.stats.log) <= times


def test_a_cursor_that_always_expires_is_an_error_where_nothing_splits_the_second(start: Start) -> None:
    """By name: each walk ends at its second page."""
    _, tap = start({**LESS_CROWDED, "tie_block_created": True}, cursor_ttl=0.0)
    catalog, _ = tap.discover()
    run = tap.sync(catalog=selecting(catalog, "leads", "sync_audit"), expect=1)
    assert "`leads` is not complete" in run.log
    assert "Traceback" not in run.log
    assert not run.audit()["leads"]["complete"]


@pytest.mark.parametrize("error", ["old", "new"])
def test_lists_behind_a_skip_cap_arrive_whole(start: Start, error: str) -> None:
    """`_skip` ends at 1,000 for every resource; nothing that is bounded by time is skipped through."""
    resources = ("lead", "contact", "opportunity", "task", "activity")
    shape = {"opportunities": 2_600, "tasks": 2_600, "activities": {"emails": 2_400, "notes": 1_300}}
    app, tap = start(shape, skip_caps=dict.fromkeys(resources, 1_000), skip_error=error)
    run = tap.sync()
    for stream in ALL:
        assert differences(app.world, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] for row in run.audit().values())


def test_a_second_with_many_activities_is_skipped_through(start: Start) -> None:
    """700 notes of one second, below the skip cap."""
    app, tap = start({"activities": {"notes": 1_000, "calls": 150}}, skip_caps={"activity": 1_000})
    _crowd(app, "notes", 700)
    run = tap.sync()
    assert differences(app.world, "notes", merged("notes", run)) == {}
    assert run.audit()["notes"]["complete"]


@pytest.mark.parametrize("knobs", [{}, {"skip_error": "new"}, {"unstable_ties": True}])
def test_more_activities_in_one_second_than_the_skip_cap_are_an_error_by_name(
    start: Start, knobs: dict[str, Any]
) -> None:
    """The stream fails and says why, the bookmark stays behind; the others are complete."""
    app, tap = start({"activities": {"notes": 2_300, "calls": 150}}, skip_caps={"activity": 1_000}, **knobs)
    crowded = _crowd(app, "notes", 2_000)
    run = tap.sync(expect=1)
    assert "`notes` is not complete" in run.log
    assert "more records share one second" in run.log
    assert "1 of" in run.log.splitlines()[-1]
    assert "Traceback" not in run.log
    audit = run.audit()
    assert not audit["notes"]["complete"]
    assert all(row["complete"] for stream, row in audit.items() if stream != "notes")
    for stream in ("leads", "calls", "tasks", "users"):
        assert differences(app.world, stream, merged(stream, run)) == {}, stream
    bookmark = run.state["bookmarks"].get("notes", {}).get("replication_key_value", "")
    assert bookmark < crowded


def _crowd(app: CloseSandbox, stream: str, count: int) -> str:
    """Give so many records of a table creation times within one second; returns that second."""
    world = app.world
    with world.lock:
        table = world.tables[stream]
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
