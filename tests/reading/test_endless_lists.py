"""A list that says for ever that there is more is doubted, and then an error by name; soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.reading.no_news import MOST_WITHOUT_NEWS
from tap_crm.reading.offset import OffsetReader
from tests.reading.keyset_listing import Account, UntidyListing
from tests.reading.listing import Collector
from tests.reading.test_keyset_changes import read

if TYPE_CHECKING:
    from tap_crm.reading.answer import Answer, Continuation
    from tap_crm.reading.listing import Bound

GOES_ON = pytest.mark.parametrize("goes_on", ["position", "cursor", "snapshot"])
SIZES = pytest.mark.parametrize("size", [0, 7, 60])
#: Each doubtful answer is asked for three times at most, and a second's records by every order that there is.
SOON = 12 * MOST_WITHOUT_NEWS


def some(size: int, *, together: bool = False) -> Account:
    """Return records, all of one second if so wished."""
    return Account({key: (600_000 + key * (not together), 500_000 + key * (not together)) for key in range(size)})


@SIZES
@pytest.mark.parametrize("total", ["exact", "missing"])
def test_a_list_by_position_without_an_end_is_named(size: int, total: str) -> None:
    """What it gives is written; a count that is met proves that all came."""
    listing = UntidyListing(some(size), total=total, goes_on="position", endless=True)
    collector = Collector(listing)
    if total == "exact":
        OffsetReader(listing, collector, Ledger()).read()
    else:
        with pytest.raises(errors.Incomplete, match="things: the CRM says that there is more"):
            OffsetReader(listing, collector, Ledger()).read()
    assert collector.table.keys() == listing.account.records.keys()
    assert listing.asked < SOON


@pytest.mark.parametrize("total", ["exact", "missing"])
@pytest.mark.parametrize("endless", [True, False])
def test_a_list_that_heeds_no_position_is_named(total: str, endless: bool) -> None:
    """Also where it says at last that it was the end."""
    listing = UntidyListing(some(60), total=total, goes_on="position", endless=endless, stuck=True)
    with pytest.raises(errors.Incomplete, match=r"the same page again|says that there is more"):
        OffsetReader(listing, Collector(listing), Ledger()).read()
    assert listing.asked < SOON


def test_a_page_that_came_once_more_by_mistake_hides_nothing() -> None:
    """The same question brings the right one the next time."""

    class Stuttering(UntidyListing):
        def ask_from(self, skip: int) -> Answer:
            self.stuck = self.asked == 2
            return super().ask_from(skip)

    listing = Stuttering(some(60), total="missing", goes_on="position")
    collector = Collector(listing)
    OffsetReader(listing, collector, Ledger()).read()
    assert collector.table.keys() == listing.account.records.keys()


@GOES_ON
@SIZES
@pytest.mark.parametrize("total", ["exact", "missing"])
@pytest.mark.parametrize("ascending", [True, False])
def test_a_list_by_times_without_an_end_is_named(goes_on: str, size: int, total: str, ascending: bool) -> None:
    """Whichever way it goes on; a count that is met proves that all came."""
    listing = UntidyListing(some(size), total=total, goes_on=goes_on, ascending=ascending, endless=True)
    if total == "exact":
        assert read(listing, None)[0].table.keys() == listing.account.records.keys()
    else:
        with pytest.raises(errors.Incomplete, match="things: the CRM says that there is more"):
            read(listing, None)
    assert listing.asked < SOON


@GOES_ON
@pytest.mark.parametrize("endless", [True, False])
@pytest.mark.parametrize("total", ["exact", "missing"])
def test_records_of_one_second_that_cannot_be_gone_through_are_named(goes_on: str, endless: bool, total: str) -> None:
    """The same page comes again, whatever is asked for, and no other time splits them."""
    listing = UntidyListing(some(60, together=True), total=total, goes_on=goes_on, endless=endless, stuck=True)
    with pytest.raises(errors.Incomplete, match="things: "):
        read(listing, None)
    assert listing.asked < SOON


@GOES_ON
def test_an_answer_of_one_second_that_came_once_more_by_mistake_hides_nothing(goes_on: str) -> None:
    """The same question brings the right one the next time."""

    class Stuttering(UntidyListing):
        def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
            self.stuck = after is not None and not told
            told.extend([True] if after is not None else [])
            return super().ask(bounds, order, after)

    told: list[bool] = []
    listing = Stuttering(some(60, together=True), total="missing", goes_on=goes_on)
    collector, _ = read(listing, None)
    assert collector.table.keys() == listing.account.records.keys()
