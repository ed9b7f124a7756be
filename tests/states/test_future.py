"""No bookmark is later than the present, wherever it comes from: what changes until then would never arrive.

Copera has no bookmarks.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.shaping.moments import to_epoch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Run
    from tests.states.conftest import Account

    Open = Callable[..., Account]

FUTURE = ("2099-01-01T00:00:00Z", int(time.time() * 1000), int(time.time() + 7_200))
DAY = 86_400.0


def bookmark(account: Account, run: Run) -> int:
    """Return the bookmark that a run leaves."""
    at = to_epoch(account.kept(run)["replication_key_value"])
    assert at is not None
    return at


def edited(account: Account, count: int = 2) -> set[Any]:
    """Change some records now; returns their ids."""
    ids = account.app.account.change("edit", {"object": account.stream, "count": count})
    return set(ids)


def ids(account: Account, run: Run) -> set[Any]:
    """Return the ids of the records that a run wrote."""
    return {record["id"] for record in run.records(account.stream)}


@pytest.mark.parametrize(
    ("name", "value"),
    [*(("copper", value) for value in FUTURE), ("close", FUTURE[0])],
    ids=["copper-text", "copper-milliseconds", "copper-seconds", "close-text"],
)
def test_a_stream_with_a_bookmark_in_the_future_is_read_from_its_last_complete_read(
    open_account: Open, name: str, value: str | int
) -> None:
    """One line says so; what changed since arrives; the bookmark is sane afterwards."""
    account = open_account(name)
    state = account.sync().state
    changed = edited(account)
    kept = state["bookmarks"][account.stream]
    kept["replication_key_value"] = value
    run = account.sync(state=state)
    assert ids(account, run) >= changed
    assert run.audit()[account.stream]["mode"] == "incremental"
    assert bookmark(account, run) <= time.time()
    (line,) = [line for line in run.log.splitlines() if "| WARNING" in line]
    assert f"{account.stream}: the state's bookmark, {value}, is later than the CRM's clock" in line
    assert kept["reconciled_at"] in line
    assert "the state's bookmark" in run.audit()[account.stream]["notes"][0]


@pytest.mark.parametrize(
    ("name", "reconciled_at"),
    [("copper", None), ("copper", "2098-01-01T00:00:00Z"), ("close", None)],
    ids=["copper-no complete read", "copper-one in the future", "close-no complete read"],
)
def test_without_a_complete_read_to_go_back_to_all_is_read_again(
    open_account: Open, name: str, reconciled_at: str | None
) -> None:
    """As on a first run."""
    account = open_account(name)
    first = account.sync()
    kept = {"replication_key": account.kept(first)["replication_key"], "replication_key_value": FUTURE[0]}
    state = {"bookmarks": {account.stream: kept | ({"reconciled_at": reconciled_at} if reconciled_at else {})}}
    run = account.sync(state=state)
    assert ids(account, run) == ids(account, first)
    assert run.audit()[account.stream]["mode"] == "full"
    assert bookmark(account, run) <= time.time()
    assert "all of it is read again" in run.log
    assert to_epoch(account.kept(run)["reconciled_at"]) <= time.time()  # type: ignore[operator]


@pytest.mark.parametrize("name", ["copper", "close", "copera"])
def test_a_start_date_in_the_future_is_refused(open_account: Open, name: str) -> None:
    """Before any request."""
    account = open_account(name)
    start = datetime.fromtimestamp(time.time() + 3_600, UTC).isoformat()
    run = account.sync(start_date=start, expect=1)
    assert "the setting `start_date` is in the future" in run.log
    assert "Traceback" not in run.log
    assert account.app.stats.log == []


@pytest.mark.parametrize(("name", "ahead"), [("copper", 600.0), ("close", DAY)])
def test_a_server_whose_clock_is_ahead_in_one_run_hides_nothing_from_the_next(
    open_account: Open, name: str, ahead: float
) -> None:
    """Its dates are the only word on the present that a run has, beside this machine's."""
    account = open_account(name)
    account.app.behaviour.clock_skew = ahead
    first = account.sync()
    assert bookmark(account, first) <= time.time()
    account.app.behaviour.clock_skew = 0.0
    changed = edited(account)
    assert ids(account, account.sync(state=first.state)) >= changed


@pytest.mark.parametrize(("name", "ahead"), [("copper", DAY), ("close", 600.0)])
def test_a_clock_of_ones_own_that_is_ahead_hides_nothing_either_where_answers_have_no_date(
    open_account: Open, name: str, ahead: float
) -> None:
    """The bookmark stays at the newest record: the CRM has dated that itself."""
    account = open_account(name, dates=False)
    account.tap.clock_ahead = ahead
    first = account.sync()
    assert bookmark(account, first) <= time.time()
    changed = edited(account)
    account.tap.clock_ahead = 0.0
    assert ids(account, account.sync(state=first.state)) >= changed
