"""The state of one account is of no use for another one: whatever is older than its bookmarks would never arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.states.conftest import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Moment
    from tests.states.conftest import Account

    Open = Callable[..., Account]


def refusing(account: Account, status: int) -> None:
    """Let the CRM refuse to say which account it is."""

    def refuse(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path.strip("/").endswith(account.crm.path):
            moment.answer.status = status

    account.app.on_answer(refuse)


@pytest.mark.parametrize("name", CRMS)
def test_the_state_of_another_account_is_refused_before_anything_is_written(open_account: Open, name: str) -> None:
    """Exit code 1, one line that says what to do, nothing on standard output."""
    first = open_account(name)
    state = first.sync().state
    other = open_account(name, first.crm.another)
    run = other.sync(state=state, expect=1)
    assert run.messages == []
    complaints = [line for line in run.log.splitlines() if "| ERROR" in line]
    assert len(complaints) == 1
    assert "the state is of another account" in complaints[0]
    assert "inherit_from" in complaints[0]
    assert "Traceback" not in run.log


@pytest.mark.parametrize("name", CRMS)
def test_a_state_of_which_one_stream_is_another_accounts_is_refused(open_account: Open, name: str) -> None:
    """Two runs that share one file of state mix them."""
    own, other = open_account(name), open_account(name, CRMS[name].another)
    mixed = own.sync().state
    mixed["bookmarks"]["else"] = other.kept(other.sync())
    assert own.sync(state=mixed, expect=1).messages == []


def test_the_state_of_another_crm_is_refused(open_account: Open) -> None:
    """Streams of two CRMs may have the same name."""
    state = open_account("copper").sync("tasks").state
    assert open_account("close").sync("tasks", state=state, expect=1).messages == []


@pytest.mark.parametrize("name", CRMS)
def test_a_state_without_an_account_goes_on_and_gets_one(open_account: Open, name: str) -> None:
    """As earlier versions wrote it."""
    account = open_account(name)
    first = account.sync()
    old = {"bookmarks": {stream: dict(kept) for stream, kept in first.state["bookmarks"].items()}}
    mark = old["bookmarks"][account.stream].pop("account")
    second = account.sync(state=old)
    assert account.kept(second)["account"] == mark
    assert (
        second.audit()[account.stream]["mode"] == first.audit()[account.stream]["mode"]
        or second.audit()[account.stream]["mode"] == "incremental"
    )


@pytest.mark.parametrize("name", CRMS)
def test_the_state_shows_no_id_of_the_account(open_account: Open, name: str) -> None:
    """A state goes into logs and issues."""
    account = open_account(name)
    mark = account.kept(account.sync())["account"]
    assert len(mark) == 16
    assert int(mark, 16) > 0


@pytest.mark.parametrize("name", CRMS)
def test_the_account_is_asked_for_once_where_its_own_stream_is_read_too(open_account: Open, name: str) -> None:
    """And once where it is not."""
    account = open_account(name)
    run = account.sync(account.crm.account, account.stream)
    assert account.asked() == 1
    assert run.count(account.crm.account) == 1
    account.app.stats.reset()
    account.sync()
    assert account.asked() == 1


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize("name", CRMS)
def test_an_account_that_may_not_be_asked_for_stops_nothing(open_account: Open, name: str, status: int) -> None:
    """A warning says that the state was not checked; its mark stays."""
    account = open_account(name)
    first = account.sync()
    refusing(account, status)
    second = account.sync(state=first.state, retry_seconds=1)
    assert "the state's was not checked" in second.log
    assert account.kept(second)["account"] == account.kept(first)["account"]
    third = account.sync(retry_seconds=1)
    assert "account" not in account.kept(third)
