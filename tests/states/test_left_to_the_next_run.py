"""A run with `max_run_minutes` or `max_run_requests` ends by itself, and the next one goes on where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Run
    from tests.states.conftest import Account, Settled

    Open = Callable[..., Account]
    Settle = Callable[..., Settled]

#: A stream with many pages, what the sandbox calls its records, and lists that are read whole.
LONG = {"copper": ("people", "people", ("users", "loss_reasons")), "close": ("leads", "leads", ("users", "roles"))}
RECORDS, MOST = 700, 22
SMALL_PAGES: dict[str, dict[str, Any]] = {"copper": {"page_cap": 20}, "close": {"limit_caps": {"data/search": 20}}}


def early(settled: Settle, name: str) -> Settled:
    """Return an account whose first run has ended early."""
    stream, size, lists = LONG[name]
    return settled(name, stream, *lists, shape={size: RECORDS}, knobs=SMALL_PAGES[name], max_run_requests=MOST)


@pytest.mark.parametrize("name", LONG)
def test_nights_that_all_end_early_end_in_a_complete_load(settled: Settle, name: str) -> None:
    """Each run goes on from the state of the one before; a loader confirms all of a run that ends by itself."""
    stream, _, lists = LONG[name]
    account, run = early(settled, name).account, early(settled, name).first
    target, nights = Target(run), [run]
    for _ in range(20):
        run = account.sync(stream, *lists, state=run.state, max_run_requests=MOST)
        target.take(run)
        nights.append(run)
        if all(row["complete"] for row in run.audit().values()):
            break
    assert 3 <= len(nights) < 20
    assert len(target.tables[stream]) == RECORDS
    assert target.marked(stream) == set()
    assert [one.count(stream) for one in nights[:-1]] != [0] * (len(nights) - 1)
    whole = sum(one.count(stream) for one in nights)
    assert whole <= RECORDS * 2.5  # what was read before the last checkpoint is not read again
    for one in lists:
        assert target.tables[one]
    assert "left_at" not in nights[-1].state["bookmarks"][stream]


@pytest.mark.parametrize("name", LONG)
def test_a_run_that_ends_early_says_what_it_leaves(settled: Settle, name: str) -> None:
    """By the audit, which is written all the same, and by the last line of the log."""
    run = early(settled, name).first
    left = {row["stream"] for row in run.audit().values() if not row["complete"]}
    assert LONG[name][0] in left
    for row in run.audit().values():
        assert row["error"] is None
        told = f"not finished: `max_run_requests` ({MOST}) is used up; the next run goes on"
        assert (told in row["notes"]) == (row["stream"] in left)
    last = [line for line in run.log.splitlines() if "not finished" in line][-1]
    assert all(one in last for one in left)
    assert "the next run goes on from it" in last


@pytest.mark.parametrize("name", LONG)
def test_what_waits_longest_is_read_first(settled: Settle, name: str) -> None:
    """Else a stream at the end would never be read, where those before it use up each run."""
    stream, _, lists = LONG[name]
    account, state = early(settled, name).account, early(settled, name).state
    left = [row["stream"] for row in early(settled, name).first.audit().values() if not row["complete"]]
    state["bookmarks"][left[-1]]["left_at"] = "2026-01-01T00:00:00Z"
    second = account.sync(stream, *lists, state=state, max_run_requests=MOST)
    assert order(second)[0] == left[-1]


def test_a_limit_that_is_too_small_for_anything_is_an_error(open_account: Open) -> None:
    """The next run would not come further, and each of them would end well."""
    account = open_account("copper", {"people": 210})
    run = account.sync("people", max_run_requests=1, expect=1)
    assert (
        "`max_run_requests` (1) is used up before the bookmark of `people`, which was read first, could move" in run.log
    )


def test_minutes_end_a_run_as_well(open_account: Open) -> None:
    """Here in no time at all: nothing can be read."""
    account = open_account("copper", {"people": 3})
    run = account.sync("people", "users", max_run_minutes=0.000001, expect=1)
    assert [row["records"] for row in run.audit().values()] == [0, 0]
    assert "`max_run_minutes` (1e-06) is used up before the bookmark of `people`" in run.log


def order(run: Run) -> list[str]:
    """Return the streams in the order in which they were begun."""
    return [message["stream"] for message in run.messages if message["type"] == "SCHEMA"]
