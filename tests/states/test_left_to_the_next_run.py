"""A run with `max_run_minutes` or `max_run_requests` ends by itself, and the next one goes on where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Run
    from tests.states.conftest import Account

    Open = Callable[..., Account]

#: A stream with many pages, what the sandbox calls its records, and lists that are read whole.
LONG = {"copper": ("people", "people", ("users", "loss_reasons")), "close": ("leads", "leads", ("users", "roles"))}
RECORDS, MOST = 900, 24
SMALL_PAGES: dict[str, dict[str, Any]] = {"copper": {"page_cap": 20}, "close": {"limit_caps": {"data/search": 20}}}


@pytest.mark.parametrize("name", LONG)
def test_nights_that_all_end_early_end_in_a_complete_load(open_account: Open, name: str) -> None:
    """Each run goes on from the state of the one before; a loader confirms all of a run that ends by itself."""
    stream, size, lists = LONG[name]
    account = open_account(name, {size: RECORDS}, **SMALL_PAGES[name])
    account.tap.inside = True
    target, state, nights = Target(), None, []
    for _ in range(20):
        run = account.sync(stream, *lists, state=state, max_run_requests=MOST)
        target.take(run)
        nights.append(run)
        if all(row["complete"] for row in run.audit().values()):
            break
        state = run.state
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
def test_a_run_that_ends_early_says_what_it_leaves(open_account: Open, name: str) -> None:
    """By the audit, which is written all the same, and by the last line of the log."""
    stream, size, lists = LONG[name]
    account = open_account(name, {size: RECORDS}, **SMALL_PAGES[name])
    account.tap.inside = True
    run = account.sync(stream, *lists, max_run_requests=MOST)
    left = {row["stream"] for row in run.audit().values() if not row["complete"]}
    assert stream in left
    for row in run.audit().values():
        assert row["error"] is None
        told = "not finished: `max_run_requests` (24) is used up; the next run goes on"
        assert (told in row["notes"]) == (row["stream"] in left)
    last = [line for line in run.log.splitlines() if "not finished" in line][-1]
    assert all(one in last for one in left)
    assert "the next run goes on from it" in last


@pytest.mark.parametrize("name", LONG)
def test_what_waits_longest_is_read_first(open_account: Open, name: str) -> None:
    """Else a stream at the end would never be read, where those before it use up each run."""
    stream, size, lists = LONG[name]
    account = open_account(name, {size: RECORDS}, **SMALL_PAGES[name])
    account.tap.inside = True
    first = account.sync(stream, *lists, max_run_requests=MOST)
    left = [row["stream"] for row in first.audit().values() if not row["complete"]]
    state: dict[str, Any] = first.state
    state["bookmarks"][left[-1]]["left_at"] = "2026-01-01T00:00:00Z"
    second = account.sync(stream, *lists, state=state, max_run_requests=MOST)
    assert order(second)[0] == left[-1]


def test_a_limit_that_is_too_small_for_anything_is_an_error(open_account: Open) -> None:
    """The next run would not come further, and each of them would end well."""
    account = open_account("copper", {"people": RECORDS})
    account.tap.inside = True
    run = account.sync("people", max_run_requests=1, expect=1)
    assert (
        "`max_run_requests` (1) is used up before the bookmark of `people`, which was read first, could move" in run.log
    )


def test_minutes_end_a_run_as_well(open_account: Open) -> None:
    """Here in no time at all: nothing can be read."""
    account = open_account("copper", {"people": 3})
    account.tap.inside = True
    run = account.sync("people", "users", max_run_minutes=0.000001, expect=1)
    assert [row["records"] for row in run.audit().values()] == [0, 0]
    assert "`max_run_minutes` (1e-06) is used up before the bookmark of `people`" in run.log


def order(run: Run) -> list[str]:
    """Return the streams in the order in which they were begun."""
    return [message["stream"] for message in run.messages if message["type"] == "SCHEMA"]
