"""A complete read that was cut off goes on only if it would look for the same rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.shaping.moments import from_epoch, to_epoch
from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.states.conftest import Settled

    Settle = Callable[..., Settled]

TIMES = {"copper": "date_modified", "close": "date_updated"}


@pytest.mark.parametrize(
    ("name", "remembered"),
    [("copper", True), ("close", True), ("copper", False)],
    ids=["copper-another start", "close-another start", "copper-an earlier version's state"],
)
def test_another_start_date_begins_a_reconcile_anew(settled: Settle, name: str, remembered: bool) -> None:
    """Else what is older than the first one would count as gone."""
    found = settled(name, shape={account_size(name): 40})
    account, first, state = found.account, found.first, found.state
    times = sorted(to_epoch(record[TIMES[name]]) or 0 for record in first.records(account.stream))
    unfinished: dict[str, Any] = {
        "version": int(time.time() * 1000),
        "started": from_epoch(int(time.time()) - 60),
        "read_to": from_epoch(times[30]),
        "rows": 20,
        "new": 0,
        "again": 0,
    }
    if remembered:
        unfinished["since"] = from_epoch(times[10])
    state["bookmarks"][account.stream]["reconcile"] = unfinished
    second = account.sync(state=state)
    target = Target(first, second)
    assert target.activated(account.stream)
    assert target.marked(account.stream) == set()
    assert any("begins anew" in note for note in second.audit()[account.stream]["notes"])
    assert second.count(account.stream) >= 40


@pytest.mark.parametrize("name", TIMES)
def test_the_same_start_date_lets_it_go_on(settled: Settle, name: str) -> None:
    """What was read is not read again."""
    found = settled(name, shape={account_size(name): 40})
    account = found.account
    times = sorted(to_epoch(record[TIMES[name]]) or 0 for record in found.first.records(account.stream))
    start = from_epoch(times[10])
    first = account.sync(start_date=start)
    first.state["bookmarks"][account.stream]["reconcile"] = {
        "version": int(time.time() * 1000),
        "started": from_epoch(int(time.time()) - 60),
        "read_to": from_epoch(times[30]),
        "rows": 20,
        "since": start,
    }
    second = account.sync(state=first.state, start_date=start)
    assert any("goes on" in note for note in second.audit()[account.stream]["notes"])
    assert second.count(account.stream) < 20


def account_size(name: str) -> str:
    """Return what the sandbox calls the number of the stream's records."""
    return {"copper": "people", "close": "leads"}[name]
