"""A second with more records than one question gives is read whole, or an error: never silently cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tap_crm import errors
from tests.reading.keyset_listing import Account, UntidyListing
from tests.reading.test_keyset_changes import read

if TYPE_CHECKING:
    from tap_crm.reading.answer import Answer, Continuation
    from tap_crm.reading.listing import Bound

EXAMPLES = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ONE_SECOND = 600_000


def tied(size: int, spread: int) -> Account:
    """Return records changed in one second and created in several, with some before and behind."""
    records = {key: (ONE_SECOND, 500_000 + key % spread) for key in range(1, size + 1)}
    records |= {size + key: (ONE_SECOND - 50 + key, 400_000 + key) for key in range(1, 100)}
    return Account(records)


@EXAMPLES
@given(
    size=st.sampled_from([30, 39, 40, 41, 60, 79, 80, 81, 200]),
    spread=st.sampled_from([1, 2, 10, 1_000]),
    total=st.sampled_from(["exact", "missing"]),
    goes_on=st.sampled_from(["position", "cursor", "snapshot"]),
    refuses=st.booleans(),
    mirrored=st.booleans(),
    lanes=st.sampled_from([1, 3]),
)
def test_more_than_the_crm_gives_is_complete_or_an_error(  # noqa: PLR0913, PLR0917 - what is drawn
    size: int, spread: int, total: str, goes_on: str, refuses: bool, mirrored: bool, lanes: int
) -> None:
    """Split by creation where that helps; else the other order shows the rest, if a count proves it."""
    account = tied(size, spread)
    listing = UntidyListing(account, cap=40, total=total, goes_on=goes_on, refuses_at_cap=refuses, mirrored=mirrored)
    together = -(-size // spread)
    provable = together < 40 or (together <= 80 and total == "exact" and mirrored)
    try:
        collector, _ = read(listing, None, lanes)
    except errors.Incomplete as error:
        assert not provable
        assert "share one second" in str(error)  # noqa: PT017 - it may be raised or not
    else:
        assert collector.table.keys() == account.records.keys()


@pytest.mark.parametrize(("spread", "mirrored"), [(3_000, False), (2, False), (1, True)])
def test_twelve_thousand_leads_of_one_import(spread: int, mirrored: bool) -> None:
    """One walk gives 10,000 of them."""
    account = tied(12_000, spread)
    listing = UntidyListing(account, page_size=200, cap=10_000, mirrored=mirrored)
    collector, _ = read(listing, None)
    assert collector.table.keys() == account.records.keys()
    assert listing.asked < 250


def test_twelve_thousand_leads_that_nothing_splits() -> None:
    """They are an error that names the second."""
    listing = UntidyListing(tied(12_000, 1), page_size=200, cap=10_000, mirrored=False)
    with pytest.raises(errors.Incomplete, match=str(ONE_SECOND)):
        read(listing, None)


def test_a_round_end_that_nobody_told_of_is_an_error() -> None:
    """A walk that ends with a full page at a round number may have been cut off."""
    listing = UntidyListing(tied(1_200, 1), page_size=100, cap=1_000, told_cap=False, total="missing", mirrored=False)
    with pytest.raises(errors.Incomplete):
        read(listing, None)


@pytest.mark.parametrize("size", [100, 200, 300])
@pytest.mark.parametrize("goes_on", ["position", "cursor"])
def test_ties_of_full_pages_is_no_error(size: int, goes_on: str) -> None:
    """Newest first, without a count, nothing to split by, and no cap known: activities of Close."""
    account = tied(size, 1)
    listing = UntidyListing(account, page_size=100, goes_on=goes_on, told_cap=False, total="missing", ascending=False)
    collector, _ = read(listing, None)
    assert collector.table.keys() == account.records.keys()


@pytest.mark.parametrize("since", [None, ONE_SECOND - 100])
def test_one_full_page_of_ties_is_all_where_nothing_follows(since: int | None) -> None:
    """Notes of Close that were all made in one second: no other order, no count and no other note proves anything."""
    account = Account(dict.fromkeys(range(1, 101), (ONE_SECOND, 500_000)))
    listing = UntidyListing(account, 100, goes_on="position", total="missing", ascending=False, tells_start=True)
    collector, _ = read(listing, since)
    assert collector.table.keys() == account.records.keys()


def test_one_full_page_of_ties_is_an_error_where_more_follow() -> None:
    """The CRM says that the page is all, and gives more when it is asked for what is behind."""

    @dataclass
    class Silent(UntidyListing):
        @override
        def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
            return replace(super().ask(bounds, order, after), after=None)

    account = Account(dict.fromkeys(range(1, 151), (ONE_SECOND, 500_000)))
    listing = Silent(account, 100, goes_on="position", total="missing", ascending=False, tells_start=True)
    with pytest.raises(errors.Incomplete, match=str(ONE_SECOND)):
        read(listing, ONE_SECOND - 100)


def test_a_cursor_that_always_expires_is_an_error() -> None:
    """Ties that cannot be walked in the life of a cursor are not walked for ever."""
    listing = UntidyListing(tied(3_000, 1), page_size=10, expiries=10_000)
    with pytest.raises(errors.Incomplete, match="cursor"):
        read(listing, None)


def test_checkpoints_rise_through_ties() -> None:
    """None comes twice as another, none passes the ties before they are read."""
    account = tied(500, 500)
    listing = UntidyListing(account, cap=100)
    collector, _ = read(listing, None, 3)
    assert all(before <= after for before, after in pairwise(collector.checkpoints))
    for at, known in collector.at_checkpoint:
        assert {key for key, times in account.records.items() if times[0] <= at} <= known
