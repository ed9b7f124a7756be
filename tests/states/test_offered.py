"""A stream that was loaded and is not read any more is never left out without a word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.singer import Tap, selecting
from tests.states.conftest import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Moment
    from tests.singer import Run
    from tests.states.conftest import Account, Settled

    Open = Callable[..., Account]
    Settle = Callable[..., Settled]

BOOKMARKED = ("copper", "close")


def refusing(account: Account) -> Callable[[], None]:
    """Take the right to read the stream; returns what gives it back."""

    def refuse(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path.strip("/").endswith(account.crm.listing):
            moment.answer.status = 403

    return account.app.on_answer(refuse)


def both(settled: Settle, name: str) -> tuple[Account, Run]:
    """Return an account, and a run that has read the stream and one that each run reads completely."""
    found = settled(name, settled(name).account.stream, CRMS[name].whole)
    return found.account, found.first


@pytest.mark.parametrize("name", BOOKMARKED)
def test_a_stream_that_discovery_leaves_out_ends_the_run_with_its_name(open_account: Open, name: str) -> None:
    """As Meltano does it, before each run. The others are read; when the right returns, all arrives."""
    account = open_account(name)
    first = account.sync(account.stream, account.crm.whole)
    give_back = refusing(account)
    offered, _ = account.tap.discover()
    assert account.stream not in {entry["tap_stream_id"] for entry in offered["streams"]}
    account.everything, everything = offered, account.everything
    second = account.sync(account.crm.whole, state=first.state, expect=1)
    assert f"1 of 2 streams are not complete: {account.stream}." in second.log
    assert f"the state has the stream `{account.stream}`, and the catalog does not" in second.log
    read = [run.audit()[account.crm.whole]["distinct_ids"] for run in (first, second)]
    assert read == 2 * [first.count(account.crm.whole)]  # it is the same, so it is not written
    give_back()
    changed = account.app.account.change("edit", {"object": account.stream, "count": 2})
    account.everything = everything
    third = account.sync(account.stream, account.crm.whole, state=second.state)
    assert {record["id"] for record in third.records(account.stream)} >= set(changed)


@pytest.mark.parametrize("name", CRMS)
def test_one_that_each_run_reads_completely_is_missed_just_as_well(settled: Settle, name: str) -> None:
    """It has no bookmark, but the target has its rows."""
    account, first = both(settled, name)
    second = account.sync(account.stream, state=first.state, expect=1)
    assert f"1 of 2 streams are not complete: {account.crm.whole}." in second.log


@pytest.mark.parametrize("name", CRMS)
def test_a_deselected_stream_is_not_missed(settled: Settle, name: str) -> None:
    """The catalog has it, and says so."""
    account, first = both(settled, name)
    less = selecting(account.reading(account.stream, account.crm.whole), account.stream)
    second = account.tap.sync(catalog=less, state=first.state)
    assert account.crm.whole not in second.schemas
    assert second.state["bookmarks"][account.crm.whole] == first.state["bookmarks"][account.crm.whole]


def test_a_stream_that_meltano_deselects_is_not_missed(settled: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discovery has left it out, so no catalog can say that it is not wanted."""
    account, first = both(settled, "copper")
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(["*.*", "!users.*"]))
    account.sync("people", state=first.state)
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(["*.*", "!users.email"]))
    account.sync("people", state=first.state, expect=1)


@pytest.mark.parametrize("name", CRMS)
def test_a_stream_that_no_account_has_is_said_and_no_more(settled: Settle, name: str) -> None:
    """Such as one of an earlier version, or a table of Copera that was deleted."""
    account, state = settled(name).account, settled(name).state
    state["bookmarks"]["old_things"] = {"version": 1}
    run = account.sync(state=state)
    assert "the state has the stream `old_things`, which is not there any more" in run.log


@pytest.mark.parametrize("name", BOOKMARKED)
def test_a_right_that_is_lost_ends_a_run_without_a_catalog_too(open_account: Open, name: str) -> None:
    """Nobody asked for the stream, but it was loaded before."""
    account = open_account(name)
    state = account.sync().state
    refusing(account)
    tap = Tap(account.tap.folder, **account.tap.config)
    run = tap.sync(state=state, expect=1)
    assert f"stream `{account.stream}` is not complete" in run.log
