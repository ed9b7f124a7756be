"""The state of one account is of no use for another one: whatever is older than its bookmarks would never arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.states.conftest import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Moment
    from tests.states.conftest import Account, Settled

    Open = Callable[..., Account]
    Settle = Callable[..., Settled]


def refusing(account: Account, status: int) -> Callable[[], None]:
    """Let the CRM refuse to say which account it is; returns what ends that."""

    def refuse(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path.strip("/").endswith(account.crm.path):
            moment.answer.status = status

    return account.app.on_answer(refuse)


@pytest.mark.parametrize("name", CRMS)
def test_the_state_of_another_account_is_refused_before_anything_is_written(settled: Settle, name: str) -> None:
    """Exit code 1, one line that says what to do, nothing on standard output."""
    first, other = settled(name), settled(name, shape=CRMS[name].another)
    run = other.account.sync(state=first.state, expect=1)
    assert run.messages == []
    complaints = [line for line in run.log.splitlines() if "| ERROR" in line]
    assert len(complaints) == 1
    assert "the state is of another account" in complaints[0]
    assert "inherit_from" in complaints[0]
    assert "Traceback" not in run.log


@pytest.mark.parametrize("name", CRMS)
def test_a_state_of_which_one_stream_is_another_accounts_is_refused(settled: Settle, name: str) -> None:
    """Two runs that share one file of state mix them."""
    own, other = settled(name), settled(name, shape=CRMS[name].another)
    mixed = own.state
    mixed["bookmarks"]["else"] = other.account.kept(other.first)
    assert own.account.sync(state=mixed, expect=1).messages == []


def test_the_state_of_another_crm_is_refused(open_account: Open) -> None:
    """Streams of two CRMs may have the same name."""
    state = open_account("copper").sync("tasks").state
    assert open_account("close").sync("tasks", state=state, expect=1).messages == []


@pytest.mark.parametrize("name", CRMS)
def test_a_state_without_an_account_goes_on_and_gets_one(settled: Settle, name: str) -> None:
    """As earlier versions wrote it."""
    account, first = settled(name).account, settled(name).first
    old = {"bookmarks": settled(name).state["bookmarks"]}
    mark = old["bookmarks"][account.stream].pop("account")
    second = account.sync(state=old)
    assert account.kept(second)["account"] == mark
    assert (
        second.audit()[account.stream]["mode"] == first.audit()[account.stream]["mode"]
        or second.audit()[account.stream]["mode"] == "incremental"
    )


@pytest.mark.parametrize("name", CRMS)
def test_the_state_shows_no_id_of_the_account(settled: Settle, name: str) -> None:
    """A state goes into logs and issues."""
    mark = settled(name).account.kept(settled(name).first)["account"]
    assert len(mark) == 16
    assert int(mark, 16) > 0


@pytest.mark.parametrize("name", CRMS)
def test_the_account_is_asked_for_once_where_its_own_stream_is_read_too(settled: Settle, name: str) -> None:
    """And once where it is not."""
    account = settled(name).account
    run = account.sync(account.crm.account, account.stream)
    assert account.asked() == 1
    assert run.count(account.crm.account) == 1
    account.app.stats.reset()
    account.sync()
    assert account.asked() == 1


@pytest.mark.parametrize(("name", "status"), [("copper", 403), ("close", 500), ("copera", 404)])
def test_an_account_that_may_not_be_asked_for_stops_nothing(settled: Settle, name: str, status: int) -> None:
    """A warning says that the state was not checked; its mark stays."""
    account, first = settled(name).account, settled(name).first
    end = refusing(account, status)
    second = account.sync(state=first.state, retry_seconds=1)
    assert "the state's was not checked" in second.log
    assert account.kept(second)["account"] == account.kept(first)["account"]
    third = account.sync(retry_seconds=1)
    end()
    assert "account" not in account.kept(third)
