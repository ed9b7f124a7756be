"""The same evidence leads to the same verdict, however a CRM pages: all arrives, or an error names what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.reading.pages_backwards import BackwardReader
from tests.reading.keyset_listing import UntidyListing
from tests.reading.listing import Account, Collector, PagedSearch
from tests.reading.listing import read as read_paged
from tests.reading.test_keyset_changes import read as read_untidy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_crm.messages import Item

Listing: TypeAlias = PagedSearch | UntidyListing

FIRST, CREATED = 600_000, 500_000
SIZE = 200
#: Page numbers as Copper's searches have them, newest first as its activities; a cursor as Close's search; positions as
#: Close's lists.
PAGED = ("pages", "newest")
KINDS = (*PAGED, "cursor", "positions")
TOTALS = ("exact", "missing", "capped")
#: Close does not cut its counts off.
COUNTED = [(kind, total) for kind in KINDS for total in TOTALS if kind in PAGED or total != "capped"]


def listing(kind: str, account: Account, **knobs: Any) -> Listing:  # noqa: ANN401
    """Return a listing of a kind, with pages of 200."""
    if kind in PAGED:
        return PagedSearch(account, page_size=SIZE, ascending=kind == "pages", **knobs)
    goes_on = "snapshot" if kind == "cursor" else "position"
    return UntidyListing(account, page_size=SIZE, goes_on=goes_on, told_cap=False, **knobs)


def read(asked: Listing, since: int | None = None, **more: Any) -> tuple[Collector, Ledger]:  # noqa: ANN401
    """Read a listing as the tap does."""
    return read_paged(asked, since, **more) if isinstance(asked, PagedSearch) else read_untidy(asked, since, **more)


def account(size: int, tied: int = 0, *, twins: bool = False) -> Account:
    """Return records of so many seconds, and some that share one in the middle; as twins, they share both times."""
    records = {key: (FIRST + key, CREATED + key) for key in range(1, size - tied + 1)}
    for key in range(size - tied + 1, size + 1):
        records[key] = (FIRST + size // 2, CREATED if twins else CREATED + key)
    return Account(records)


def complete_or_an_error(asked: Listing) -> bool:
    """Read a listing; tell whether all arrived, and fail if something is missing without an error by name."""
    try:
        collector, _ = read(asked)
    except errors.Incomplete as error:
        assert "share one second" in str(error)  # noqa: PT017 - it may be raised or not
        return False
    assert collector.table.keys() == asked.account.records.keys()
    return True


@pytest.mark.parametrize("twins", [False, True])
@pytest.mark.parametrize(("kind", "total"), COUNTED)
def test_a_cap_that_nobody_tells_of_hides_nothing(kind: str, total: str, twins: bool) -> None:
    """1,500 of 3,000, in the middle of a page; 700 share one second."""
    collector, ledger = read(listing(kind, account(3_000, 700, twins=twins), cap=1_500, total=total))
    assert len(collector.table) == 3_000
    assert ledger.unexplained == 0


@pytest.mark.parametrize("tied", [0, 300])
@pytest.mark.parametrize("shrinks", [True, False])
@pytest.mark.parametrize("gives", [20, 100, 199])
@pytest.mark.parametrize("kind", PAGED)
def test_pages_may_be_shorter_than_asked_for(kind: str, gives: int, shrinks: bool, tied: int) -> None:
    """Whether the next page begins behind what was given, or behind what was asked for."""
    assert complete_or_an_error(listing(kind, account(450, tied, twins=True), gives=gives, shrinks=shrinks))


@pytest.mark.parametrize("gives", [20, 100, 199])
@pytest.mark.parametrize("kind", ["cursor", "positions"])
def test_answers_may_be_shorter_than_asked_for(kind: str, gives: int) -> None:
    """Also in a second of several of them."""
    assert complete_or_an_error(listing(kind, account(450, 300, twins=True), gives=gives))


@pytest.mark.parametrize("kind", PAGED)
def test_page_numbers_are_not_needed_outside_of_ties(kind: str) -> None:
    """Each question begins at a time: which page it asks for does not matter while that is the first."""
    assert complete_or_an_error(listing(kind, account(450), heeds_numbers=False))


@pytest.mark.parametrize("total", ["exact", "missing"])
def test_page_numbers_that_are_ignored_within_ties_are_an_error(total: str) -> None:
    """Nothing else leads through them."""
    asked = listing("newest", account(650, 400), heeds_numbers=False, total=total)
    assert not complete_or_an_error(asked)
    assert asked.asked < 60


@pytest.mark.parametrize("total", ["exact", "missing"])
def test_page_numbers_that_are_ignored_by_a_list_without_times_are_an_error(total: str) -> None:
    """As users of Copper are read."""
    asked = PagedSearch(account(450), page_size=SIZE, heeds_numbers=False, total=total)
    with pytest.raises(errors.Incomplete, match="the same page again"):
        BackwardReader(asked.listing, lambda _: None, Ledger()).read()
    assert asked.asked < 20


@pytest.mark.parametrize("cap", [600, 590])
@pytest.mark.parametrize(("kind", "total"), COUNTED)
def test_a_second_that_cannot_all_be_reached_is_complete_or_an_error(kind: str, total: str, cap: int) -> None:
    """600 of 900, at the end of a page or in its middle; other orders may show the rest."""
    complete_or_an_error(listing(kind, account(1_100, 900, twins=True), cap=cap, total=total))


@pytest.mark.parametrize("total", TOTALS)
def test_a_second_that_can_only_be_asked_for_in_one_order_is_an_error(total: str) -> None:
    """As it is with Copper's activities."""
    assert not complete_or_an_error(listing("newest", account(1_100, 900, twins=True), cap=600, total=total))


@pytest.mark.parametrize("kind", ["cursor", "positions"])
def test_a_cap_without_counts_within_a_second_is_complete_or_an_error(kind: str) -> None:
    """900 of 1,200 leads of one second."""
    for twins in (False, True):
        complete_or_an_error(listing(kind, account(1_300, 1_200, twins=twins), cap=900, total="missing"))


@pytest.mark.parametrize("seed", range(24))
def test_ties_in_another_order_each_time(seed: int) -> None:
    """More than a page of them: split by creation if they differ there, else met by their count, else an error."""
    total = "missing" if seed % 3 == 0 else "exact"
    twins, kind = seed % 2 == 0, KINDS[seed % len(KINDS)]
    asked = listing(kind, account(500, 350, twins=twins), total=total, unstable=True, seed=seed)
    assert complete_or_an_error(asked) or (total == "missing" and (twins or kind == "newest"))


@pytest.mark.parametrize("kind", ["pages", "cursor", "positions"])
def test_many_rows_made_just_before_are_read_once_or_twice(kind: str) -> None:
    """650 in the last 5 seconds; what then is not found is gone."""
    records = {key: (FIRST + key, CREATED + key) for key in range(1, 301)}
    records |= {key: (999_996 + key % 5, 999_996 + key % 5) for key in range(1_000, 1_650)}
    collector, ledger = read(listing(kind, Account(records)), concludes=True)
    assert len(collector.table) == 950
    assert collector.lines <= 300 + 2 * 650
    assert ledger.gaps == []


# What is counted, and never given


def hidden(kind: str, first: int, *, total: str) -> Listing:
    """Return 1,000 records, of which 200 are hidden from the place ``first`` on, in the order of the listing."""
    keys = range(1, 1_001) if kind != "newest" else range(1_000, 0, -1)
    return listing(kind, account(1_000), hidden=frozenset(keys[first : first + 200]), total=total)


def visible(asked: Listing, since: int = 0) -> set[int]:
    """Return the keys of what is given."""
    return {key for key, at in asked.account.records.items() if at[0] >= since} - asked.hidden


@pytest.mark.parametrize("total", ["exact", "missing"])
@pytest.mark.parametrize("first", [0, 400, 500, 750])
@pytest.mark.parametrize("kind", KINDS)
def test_hits_that_are_never_given_hide_no_others(kind: str, first: int, total: str) -> None:
    """The others arrive; and what is counted besides is told."""
    asked = hidden(kind, first, total=total)
    collector, ledger = read(asked)
    assert collector.table.keys() == visible(asked)
    assert ledger.unexplained == (200 if total == "exact" else 0)


@pytest.mark.parametrize("total", ["exact", "missing"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_bookmark_passes_no_edit_behind_hidden_hits(kind: str, total: str) -> None:
    """50 visible edits behind or before 200 hits that are not given, in a later run."""
    edits = range(751, 1_001)
    keys = edits[:200] if kind != "newest" else edits[50:]
    asked = listing(kind, account(1_000), hidden=frozenset(keys), total=total)
    collector, _ = read(asked, FIRST + 751)
    assert collector.table.keys() == visible(asked, FIRST + 751)


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_hits_that_are_never_given_end_no_run(kind: str) -> None:
    """Seen in Copper: they are counted, everywhere and within a second of several pages, and told as unexplained."""
    asked = listing(kind, account(900, 450, twins=True), hidden=frozenset({3, 77, 78, 300, 500, 501, 800}))
    collector, ledger = read(asked)
    assert collector.table.keys() == visible(asked)
    assert ledger.unexplained == 7


@pytest.mark.parametrize("kind", PAGED)
def test_what_leaves_meanwhile_does_not_hide_what_was_not_given(kind: str) -> None:
    """Ten records are deleted while it is read, ten are never given: the sums agree, and ten are unexplained."""
    asked = listing(kind, account(1_000), hidden=frozenset(range(601, 611)))
    gone = iter(range(10) if kind == "pages" else range(990, 1_000))

    def delete() -> None:
        if asked.asked > 3 and (key := next(gone, None)) is not None:
            asked.account.records.pop(key + 1, None)

    asked.before = delete
    _, ledger = read(asked)
    assert ledger.unexplained >= 10


@pytest.mark.parametrize("kind", KINDS)
def test_answers_that_are_cut_to_nothing_are_unexplained(kind: str) -> None:
    """700 are counted, by each answer, and none is given all the time: soon told, and never taken for the end."""
    asked = listing(kind, account(700), hidden=frozenset(range(1, 701)))
    collector, ledger = read(asked)
    assert not collector.table
    assert ledger.unexplained == 700
    assert asked.asked <= 80


# Caps and counts


@pytest.mark.parametrize("total", ["exact", "missing"])
def test_a_cap_behind_a_hidden_row_is_no_end(total: str) -> None:
    """The count is honest, the page that ends at the cap is short."""
    asked = listing("pages", account(2_999), cap=1_926, hidden=frozenset({1_926}), total=total)
    collector, _ = read(asked)
    assert collector.table.keys() == visible(asked)


@pytest.mark.parametrize("total", TOTALS)
def test_many_activities_behind_a_cap(total: str) -> None:
    """A third of them can be reached by page numbers."""
    collector, _ = read(listing("newest", account(3_000), cap=1_000, total=total))
    assert len(collector.table) == 3_000


def test_long_lists_that_come_newest_first_move_the_bookmark_before_their_end() -> None:
    """And cost hardly more than a question a page."""
    asked = PagedSearch(account(8_000), page_size=20, ascending=False)
    collector, _ = read(asked)
    assert len(collector.table) == 8_000
    assert len(collector.checkpoints) > 3
    for at, known in collector.at_checkpoint[:-1]:
        assert {key for key, times in asked.account.records.items() if times[0] <= at} <= known
    assert asked.asked <= 8_000 / 19 + 10  # each page begins with the last record of the one before


def test_a_listing_that_only_knows_since() -> None:
    """6,000 records, 250 of them in one second; no question has an upper bound."""
    asked = listing("cursor", account(6_000, 250), knows_until=False)
    collector, ledger = read(asked, lanes=3)
    assert len(collector.table) == 6_000
    assert ledger.unexplained == 0
    assert asked.asked <= 6_000 / SIZE + 8


# Where the filter on the change time does not work


def without_filter(how: str, records: dict[int, tuple[int, int]], seed: int) -> PagedSearch:
    """Return a search of 1,100 records and some more, whose ties change places."""
    old = {key: (FIRST + key, CREATED + key) for key in range(1, 1_101)}
    knobs: dict[str, Any] = {how: frozenset({"date_modified"})}
    return PagedSearch(Account(old | records), page_size=SIZE, unstable=True, seed=seed, **knobs)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("how", ["ignores", "refuses"])
def test_edits_of_one_second_over_two_pages_all_arrive(how: str, seed: int) -> None:
    """150 of them, wherever the page ends; few others come."""
    edited = {key: (700_000, CREATED + key) for key in range(1, 151)}
    padded = {key: (700_001 + key, CREATED + key) for key in range(2_000, 2_000 + seed * 19)}
    collector, _ = read(without_filter(how, edited | padded, seed), 650_000)
    assert collector.table.keys() == edited.keys() | padded.keys()


@pytest.mark.parametrize("how", ["ignores", "refuses"])
def test_more_than_a_page_made_in_one_second_all_arrive(how: str) -> None:
    """260: no answer holds them all."""
    made = dict.fromkeys(range(2000, 2260), (999000, 999000))
    collector, _ = read(without_filter(how, made, 1), 650_000)
    assert collector.table.keys() == made.keys()


def test_a_cap_behind_an_honest_count_hides_no_newest_changes() -> None:
    """The end of the list is out of reach, so it is read another way."""
    edited = {key: (700_000 + key, CREATED + key) for key in range(1, 31)}
    asked = without_filter("ignores", edited, 0)
    asked.cap = 700
    collector, _ = read(asked, 650_000)
    assert collector.table.keys() == edited.keys()


# Lists without times


def collected(asked: PagedSearch) -> tuple[set[int | str], Ledger]:
    """Read a search page by page, and return the keys that came."""
    keys: list[int | str] = []
    ledger = Ledger()

    def take(item: Item) -> None:
        keys.extend(_keys(asked, item))

    BackwardReader(asked.listing, take, ledger).read()
    assert len(keys) == len(set(keys))
    return set(keys), ledger


def _keys(asked: PagedSearch, item: Any) -> Iterable[int | str]:  # noqa: ANN401
    rows = list(asked.rows_of(item.body))
    return [rows[at].key for at in (range(len(rows)) if item.keep is None else item.keep)]


@pytest.mark.parametrize("total", ["exact", "missing", "over"])
@pytest.mark.parametrize("size", [0, 1, 199, 200, 201, 650])
def test_a_list_by_page_number_arrives_whole(size: int, total: str) -> None:
    """Once each."""
    keys, ledger = collected(PagedSearch(account(size), page_size=SIZE, total=total))
    assert len(keys) == size
    assert ledger.pages <= 1 if size < SIZE and total == "exact" and size else ledger.pages <= 30


@pytest.mark.parametrize("seed", range(10))
def test_a_list_by_page_number_in_another_order_each_time(seed: int) -> None:
    """Its count is met, or what is missing is told."""
    same = Account(dict.fromkeys(range(1, 451), (FIRST, CREATED)))
    keys, ledger = collected(PagedSearch(same, page_size=SIZE, unstable=True, seed=seed))
    assert len(keys) + ledger.unexplained >= 450
