"""A run was stopped, and its state never came back: what it left in the target does not stay for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.singer import later
from tests.states.conftest import CRMS
from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.states.conftest import Account

    Open = Callable[..., Account]

DAY = 86_400.0


def objects(account: Account) -> list[str]:
    """Return what holds the stream's rows: of Copera each table, as the sandbox names tables otherwise."""
    tables: dict[str, Any] = getattr(account.app.account, "tables", {})
    return [key for key, table in tables.items() if table.rows] if "__" in account.stream else [account.stream]


@pytest.mark.parametrize("name", CRMS)
def test_a_row_that_only_a_lost_run_saw_leaves_the_target_within_reconcile_days(open_account: Open, name: str) -> None:
    """It was created before that run, and deleted after it: no later answer has it."""
    account = open_account(name)
    first = account.sync()
    alive = set(first.keys(account.stream))
    made = {one: account.app.account.change("create", {"object": one, "count": 1}) for one in objects(account)}
    lost = account.sync(state=first.state)
    assert set(lost.keys(account.stream)) - alive
    for one, ids in made.items():
        account.app.account.change("delete", {"object": one, "ids": ids})
    target = Target(first, lost)
    second = account.sync(state=first.state)
    later(account.app, account.tap, 8 * DAY)
    third = account.sync(state=second.state)
    target.take(second, third)
    assert set(target.living(account.stream)) == alive
    assert not target.ever_marked(account.stream) & alive


def test_a_table_is_written_anew_only_when_it_is_time(open_account: Open) -> None:
    """`reconcile` says when; a state of an earlier version begins to count with the first run."""
    account = open_account("copera")
    first = account.sync()
    assert account.sync(state=first.state).count(account.stream) == 0
    whole = account.sync(state=first.state, reconcile="true")
    assert whole.count(account.stream) == first.count(account.stream)
    assert whole.audit()[account.stream]["deletions"] == 0
    assert "all rows are written anew" in whole.audit()[account.stream]["notes"][0]
    assert account.kept(first).pop("reconciled_at")
    old = account.sync(state=first.state)
    assert old.count(account.stream) == 0
    later(account.app, account.tap, 8 * DAY)
    assert account.sync(state=old.state, reconcile="false").count(account.stream) == 0
    again = account.sync(state=old.state)
    assert again.count(account.stream) == first.count(account.stream)
    assert account.sync(state=again.state).count(account.stream) == 0
