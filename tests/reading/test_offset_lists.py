"""Property: a list read by position is complete, though rows come and go anywhere in it before every answer."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.reading.offset import OffsetReader
from tests.reading.keyset_listing import Account, UntidyListing
from tests.reading.listing import Collector

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_list(size: int) -> Account:
    """Return records of a list that is ordered by creation, with room between them."""
    return Account({key: (600_000, 500_000 + 100 * key) for key in range(1, size + 1)})


def read(listing: UntidyListing, *, confirm_empty: bool = False) -> tuple[Collector, Ledger]:
    """Read a list and return what arrived, and what it cost."""
    collector, ledger = Collector(listing), Ledger()
    OffsetReader(listing, collector, ledger, confirm_empty).read()
    return collector, ledger


def moving(account: Account, seed: int, deletions: int, insertions: int) -> Callable[[], None]:
    """Return a function that takes rows out and puts others in, anywhere."""
    chance = random.Random(seed)

    def move() -> None:
        for _ in range(chance.randrange(deletions + 1)):
            if account.records:
                account.delete(chance.choice(list(account.records)))
        for _ in range(chance.randrange(insertions + 1)):
            account.records[account.next_id] = (600_000, 500_000 + chance.randrange(40_000))
            account.next_id += 1

    return move


@EXAMPLES
@given(
    size=st.sampled_from([0, 1, 9, 10, 11, 20, 60, 301]),
    total=st.sampled_from(["exact", "missing", "over"]),
    gives=st.sampled_from([1_000, 7]),
    ascending=st.booleans(),
    deletions=st.integers(0, 3),
    insertions=st.integers(0, 3),
    empty=st.sampled_from([0, 0.2]),
    lies=st.sampled_from([0, 0.2]),
    seed=st.integers(0, 10_000),
)
def test_rows_that_stay_all_arrive(  # noqa: PLR0913, PLR0917 - what is drawn
    size: int,
    total: str,
    gives: int,
    ascending: bool,
    deletions: int,
    insertions: int,
    empty: float,
    lies: float,
    seed: int,
) -> None:
    """It ends, too; an answer without rows in the middle, or at the beginning of a first run, is not believed."""
    account = a_list(size)
    listing = UntidyListing(
        account, total=total, gives=gives, ascending=ascending, goes_on="position", empty=empty, lies=lies, seed=seed
    )
    listing.before = moving(account, seed, deletions, insertions)
    collector, _ = read(listing, confirm_empty=True)
    assert account.untouched <= collector.table.keys()


@EXAMPLES
@given(size=st.sampled_from([9, 10, 11, 60, 301]), short=st.sampled_from([0.05, 0.2]), seed=st.integers(0, 10_000))
def test_rows_missing_from_an_answer_are_found(size: int, short: float, seed: int) -> None:
    """The count tells that some are missing; without one, those of the last page would not be."""
    listing = UntidyListing(a_list(size), goes_on="position", short=short, seed=seed)
    collector, ledger = read(listing)
    assert size - len(collector.table) <= ledger.unexplained
    assert len(collector.table) >= 0.98 * size - 1


@EXAMPLES
@given(
    size=st.sampled_from([19, 60, 301]), ties=st.integers(2, 5), ascending=st.booleans(), seed=st.integers(0, 10_000)
)
def test_rows_of_the_same_time_that_change_places_all_arrive(size: int, ties: int, ascending: bool, seed: int) -> None:
    """One can hide between two answers; if the count says so, answers that overlap by half show it."""
    account = Account({key: (600_000, 500_000 + 100 * (key // ties)) for key in range(1, size + 1)})
    listing = UntidyListing(account, page_size=10, unstable=True, ascending=ascending, goes_on="position", seed=seed)
    collector, ledger = read(listing)
    assert collector.table.keys() == account.records.keys()
    assert collector.lines == size
    assert ledger.unexplained == 0


@EXAMPLES
@given(size=st.integers(0, 2_000), total=st.sampled_from(["exact", "missing"]))
def test_a_calm_list_costs_one_question_a_page(size: int, total: str) -> None:
    """Pages share a row; each is written once."""
    listing = UntidyListing(a_list(size), page_size=50, total=total, goes_on="position")
    collector, ledger = read(listing)
    assert collector.table.keys() == listing.account.records.keys()
    assert collector.lines == ledger.distinct == size
    assert listing.asked == ledger.pages <= max(1, -(-size // 49))


@pytest.mark.parametrize(
    ("confirm_empty", "total", "cost"), [(False, "exact", 1), (False, "missing", 1), (True, "missing", 2)]
)
def test_an_empty_list(confirm_empty: bool, total: str, cost: int) -> None:
    """Is asked for twice where that was wished."""
    listing = UntidyListing(a_list(0), total=total, goes_on="position")
    collector, _ = read(listing, confirm_empty=confirm_empty)
    assert (collector.table, listing.asked) == ({}, cost)


def test_only_what_is_wanted_is_written() -> None:
    """The rest is read all the same."""
    listing = UntidyListing(a_list(100), goes_on="position")
    collector, ledger = Collector(listing), Ledger()
    OffsetReader(listing, collector, ledger, wanted=lambda row: row.key in {3, 50, 99}).read()
    assert collector.table.keys() == {3, 50, 99}
    assert ledger.distinct == 3


def test_who_takes_the_pages_may_end_the_reading() -> None:
    """By Cancelled, at once."""
    listing = UntidyListing(a_list(100), goes_on="position")

    def emit(_item: object) -> None:
        raise errors.Cancelled

    with pytest.raises(errors.Cancelled):
        OffsetReader(listing, emit, Ledger()).read()
    assert listing.asked == 1
