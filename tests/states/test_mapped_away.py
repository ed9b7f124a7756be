"""What `stream_maps` takes out is not read: it would reach nobody, and the bookmark would pass it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.states.conftest import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.states.conftest import Settled

    Settle = Callable[..., Settled]


@pytest.mark.parametrize(("name", "form"), [*((name, None) for name in CRMS), ("copper", "__NULL__")])
def test_a_stream_that_is_mapped_away_is_not_read_and_keeps_its_bookmark(
    settled: Settle, name: str, form: str | None
) -> None:
    """The run without the map loads it."""
    account = settled(name).account
    first = account.sync(account.stream, account.crm.whole, stream_maps={account.stream: form})
    assert account.stream not in first.audit()
    assert not first.state["bookmarks"].get(account.stream)
    assert first.count(account.crm.whole) > 0
    second = account.sync(account.stream, account.crm.whole, state=first.state)
    assert second.count(account.stream) > 0


def test_all_but_one_may_be_mapped_away(settled: Settle) -> None:
    """By `__else__`."""
    account = settled("copper").account
    maps: dict[str, Any] = {"users": {}, "__else__": None}
    run = account.sync("people", "users", stream_maps=maps)
    assert run.count("users") > 0
    assert not run.state["bookmarks"].get("people")


def test_nothing_left_is_an_error(settled: Settle) -> None:
    """As with a catalog that selects nothing."""
    run = settled("copper").account.sync(stream_maps={"people": None}, expect=1)
    assert "no stream is selected" in run.log


@pytest.mark.parametrize("name", CRMS)
def test_the_audit_counts_the_records_that_a_filter_lets_pass(settled: Settle, name: str) -> None:
    """`records` is what was written; `distinct_ids` is what was read."""
    account, all_of_it = settled(name).account, settled(name).first
    key = "_id" if name == "copera" else "id"
    some = str(all_of_it.records(account.stream)[0][key])
    run = account.sync(stream_maps={account.stream: {"__filter__": f"str({key}) == '{some}'"}})
    row = run.audit()[account.stream]
    assert run.count(account.stream) == row["records"] == 1
    assert row["distinct_ids"] == all_of_it.count(account.stream)
    assert row["complete"]
