"""Property: read by keyset, however a CRM answers and changes meanwhile, no record that stays the same is missed."""

from __future__ import annotations

import random
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.messages import Checkpoint, Page
from tap_crm.reading import spans
from tap_crm.reading.keyset_changes import KeysetChanges
from tests.reading.keyset_listing import Account, UntidyListing, accounts, changed_by, churning, most_ties
from tests.reading.listing import CHANGED, Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.reading.answer import Answer, Continuation
    from tap_crm.reading.listing import Bound

EXAMPLES = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 10_000)
RATES = st.sampled_from([0, 0, 1, 3])
#: Lanes, and of these as many as find spans cut finely.
LANES = st.sampled_from([1, 3])
FINELY = 3
OVERLAP = 10


@st.composite
def tempers(draw: st.DrawFn) -> dict[str, Any]:
    """Return how a CRM may answer without hiding anything for good."""
    return {
        "total": draw(st.sampled_from(["exact", "missing", "over"])),
        "goes_on": draw(st.sampled_from(["position", "cursor", "snapshot"])),
        "page_size": draw(st.sampled_from([5, 10, 50])),
        "gives": draw(st.sampled_from([1_000, 1_000, 7, 4])),
        "empty": draw(st.sampled_from([0, 0, 0.2])),
        "lies": draw(st.sampled_from([0, 0, 0.2])),
        "expiries": draw(st.sampled_from([0, 5])),
        "lag": draw(st.sampled_from([0, 2])),
        "mirrored": draw(st.booleans()),
        "seed": draw(SEEDS),
    }


def read(
    listing: UntidyListing,
    since: int | None,
    lanes: int = 1,
    along: str = "changed",
    **more: Any,  # noqa: ANN401
) -> tuple[Collector, Ledger]:
    """Read a listing and return what arrived, and what it cost."""
    collector, ledger = Collector(listing), Ledger()
    splits = ("created",) if along == "changed" and listing.ascending else ()
    options = {"splits": splits, "lanes": lanes, "whole": listing, **more}
    changes = KeysetChanges(listing, by="changed", along=along, emit=collector, ledger=ledger, **options)
    with cut_finely() if lanes == FINELY else nullcontext():
        collector(Checkpoint(changes.read(since)))
    return collector, ledger


@contextmanager
def cut_finely() -> Iterator[None]:
    """Let spans be cut for idle lanes all the time: lists of tests are small."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spans, "FEWEST_LEFT", 6)
        patched.setattr(spans, "FEWEST_PAGES", 1)
        patched.setattr(spans, "MOST_PAGES", 3)
        patched.setattr(spans, "PAGES_FOR_A_LATE_CUT", 4)
        patched.setattr(spans, "FEWEST_PAGES_OF_A_LATE_CUT", 1)
        yield


def assume_provable(account: Account, listing: UntidyListing, rate: int) -> None:
    """Leave out what cannot be told from a complete answer, whoever reads.

    A second with more records than a page is gone through by position or cursor. If a cursor means a position, and
    records leave the second meanwhile, those behind them slip by unseen, and nothing in the answers shows it. And where
    the count always says more, and records do enter that second, it cannot be told from one that is cut off; then it
    is an error.
    """
    tied = max(most_ties(account, 0), most_ties(account, 1)) >= min(listing.page_size, listing.gives)
    assume(not (rate and tied and (listing.goes_on == "cursor" or listing.total == "over")))


def unprovable(account: Account, listing: UntidyListing) -> bool:
    """Tell whether a second holds more than a page, and no count tells how many: then an error by name is right."""
    tied = max(most_ties(account, 0), most_ties(account, 1)) >= min(listing.page_size, listing.gives)
    return tied and listing.total != "exact"


@EXAMPLES
@given(
    account=accounts(),
    temper=tempers(),
    along=st.sampled_from(["changed", "changed", "created"]),
    ascending=st.booleans(),
    rate=RATES,
    lanes=LANES,
)
def test_two_runs_together_equal_the_living_truth(  # noqa: PLR0913, PLR0917 - what is drawn
    account: Account, temper: dict[str, Any], along: str, ascending: bool, rate: int, lanes: int
) -> None:
    """Edits, deletions and creations before every answer, some with an old date; and what no checkpoint may pass.

    A list may be ordered by its creation though it is bounded by its change, as tasks of Close are.
    """
    listing = UntidyListing(account, ascending=ascending, **temper)
    assume_provable(account, listing, rate)
    listing.before = churning(account, temper["seed"], rate)
    times = {key: at[CHANGED] for key, at in account.records.items()}
    try:
        first, _ = read(listing, None, lanes, along)
    except errors.Incomplete:
        assert unprovable(account, listing)
        return
    for at, known in first.at_checkpoint:
        assert {key for key in account.untouched if times[key] <= at} <= known
    assert first.checkpoints == sorted(first.checkpoints)
    assert first.checkpoints[-1] <= account.now - 5
    listing.before = lambda: None
    account.now += 10
    # What ends a list is asked for twice only on the first run.
    listing.lies = 0
    try:
        second, _ = read(listing, first.checkpoints[-1] - OVERLAP, lanes, along)
    except errors.Incomplete:
        assert unprovable(account, listing)
        return
    table = {**first.table, **second.table}
    lost = {key for key, at in account.records.items() if table.get(key) != at}
    # What came with an old date is found by no change time; other streams of the CRM tell it.
    assert all(key < 0 for key in lost)


@EXAMPLES
@given(account=accounts(), temper=tempers(), ascending=st.booleans(), rate=RATES, lanes=LANES)
def test_records_that_stay_the_same_all_arrive(
    account: Account, temper: dict[str, Any], ascending: bool, rate: int, lanes: int
) -> None:
    """In one run. What changed within the last seconds before it may be left to the next one by an empty answer."""
    temper["lies"] = 0
    listing = UntidyListing(account, ascending=ascending, **temper)
    assume_provable(account, listing, rate)
    listing.before = churning(account, temper["seed"], rate)
    try:
        collector, _ = read(listing, None, lanes)
    except errors.Incomplete:
        assert unprovable(account, listing)
        return
    assert account.untouched <= collector.table.keys()


@EXAMPLES
@given(
    account=accounts(),
    share=st.floats(0, 1),
    temper=tempers(),
    along=st.sampled_from(["changed", "created"]),
    ascending=st.booleans(),
    lanes=LANES,
)
def test_an_incremental_read_brings_every_change_and_nothing_older(  # noqa: PLR0913, PLR0917 - what is drawn
    account: Account, share: float, temper: dict[str, Any], along: str, ascending: bool, lanes: int
) -> None:
    """What is older is not asked for."""
    temper["lies"] = 0
    changed = sorted(at[CHANGED] for at in account.records.values())
    since = changed[int(share * (len(changed) - 1))] if changed else 5
    listing = UntidyListing(account, ascending=ascending, **temper)
    try:
        collector, _ = read(listing, since, lanes, along)
    except errors.Incomplete:
        assert unprovable(account, listing)
        return
    assert collector.table.keys() == changed_by(account, since)


@EXAMPLES
@given(
    account=accounts(),
    short=st.sampled_from([0.05, 0.2]),
    goes_on=st.sampled_from(["position", "cursor", "snapshot"]),
    along=st.sampled_from(["changed", "created"]),
    ascending=st.booleans(),
    lanes=LANES,
    seed=SEEDS,
)
def test_rows_missing_from_an_answer_are_found(  # noqa: PLR0913, PLR0917 - what is drawn
    account: Account, short: float, goes_on: str, along: str, ascending: bool, lanes: int, seed: int
) -> None:
    """A page shorter than its count says is asked for again. Without a count, the last page cannot show it."""
    listing = UntidyListing(account, short=short, goes_on=goes_on, ascending=ascending, seed=seed)
    collector, _ = read(listing, None, lanes, along)
    assert collector.table.keys() == account.records.keys()


@EXAMPLES
@given(
    account=accounts(),
    goes_on=st.sampled_from(["position", "cursor", "snapshot"]),
    ascending=st.booleans(),
    seed=SEEDS,
)
def test_ties_may_come_in_another_order_each_time(account: Account, goes_on: str, ascending: bool, seed: int) -> None:
    """What is missed in a second that no page holds is reported at least, since the count tells."""
    listing = UntidyListing(account, unstable=True, goes_on=goes_on, ascending=ascending, seed=seed)
    collector, ledger = read(listing, None)
    assert len(account.records.keys() - collector.table.keys()) <= ledger.unexplained


# Filters and orders that do not work


@EXAMPLES
@given(
    account=accounts(),
    share=st.floats(0, 1),
    how=st.sampled_from(["ignores", "refuses"]),
    times=st.sampled_from([{"changed"}, {"created"}, {"changed", "created"}]),
    along=st.sampled_from(["changed", "created"]),
    lanes=LANES,
)
def test_a_filter_without_effect_loses_nothing(  # noqa: PLR0913, PLR0917 - what is drawn
    account: Account, share: float, how: str, times: set[str], along: str, lanes: int
) -> None:
    """The whole list is read instead, and what is older is left out."""
    changed = sorted(at[CHANGED] for at in account.records.values())
    since = changed[int(share * (len(changed) - 1))] if changed else None
    listing = UntidyListing(account, **{how: frozenset(times)})  # type: ignore[arg-type]
    collector, _ = read(listing, since, lanes, along)
    assert collector.table.keys() >= changed_by(account, since)


@EXAMPLES
@given(account=accounts(), along=st.sampled_from(["changed", "created"]), lanes=LANES)
def test_an_order_without_effect_loses_nothing(account: Account, along: str, lanes: int) -> None:
    """Rows that come in another order show it, if there are enough of them, over more than a second or two."""
    assume(len({at[CHANGED if along == "changed" else 1] for at in account.records.values()}) > 20)
    listing = UntidyListing(account, sorts=False, page_size=20)
    collector, _ = read(listing, None, lanes, along)
    assert collector.table.keys() == account.records.keys()


def test_without_another_way_a_filter_without_effect_is_an_error() -> None:
    """Search has no list to fall back on."""
    account = Account({key: (600_000 + key, 500_000 + key) for key in range(1, 100)})
    for how in ("ignores", "refuses"):
        listing = UntidyListing(account, **{how: frozenset({"changed", "created"})})  # type: ignore[arg-type]
        with pytest.raises(errors.Incomplete, match="filter on changed"):
            read(listing, 600_050, whole=None)
    with pytest.raises(errors.Incomplete, match="order by changed ignored"):
        read(UntidyListing(account, sorts=False), None, whole=None)


@dataclass
class NewestFirst(UntidyListing):
    """Lists the newest first, whatever is asked for: always, or where a question comes for the first time.

    Attributes:
        always: as said.
    """

    always: bool = True
    _known: set[Any] = field(default_factory=set)

    @override
    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        question = (bounds, order, after)
        is_new = question not in self._known
        self._known.add(question)
        return UntidyListing.ask(self, bounds, f"-{order.removeprefix('-')}" if self.always or is_new else order, after)


def newest_in_one_second() -> Account:
    """Return an account whose newest records, a page of them, share their second: their order shows nothing."""
    return Account({key: (600_000 + min(key, 36), 500_000 + key) for key in range(1, 41)})


@pytest.mark.parametrize("since", [None, 600_010])
@pytest.mark.parametrize("always", [True, False])
def test_an_order_without_effect_within_a_second_shows_by_the_count(since: int | None, always: bool) -> None:
    """The walk ends where it begins, and the CRM counts more than it found."""
    account = newest_in_one_second()
    collector, _ = read(NewestFirst(account, page_size=5, always=always), since)
    assert collector.table.keys() == changed_by(account, since)


@pytest.mark.parametrize("since", [None, 600_010])
@pytest.mark.parametrize("always", [True, False])
def test_an_order_without_effect_within_a_second_leaves_the_bookmark_where_it_is(
    since: int | None,
    always: bool,
) -> None:
    """Where there is no other way to read the list, nothing says that it was read."""
    passed: list[Checkpoint] = []
    changes = KeysetChanges(
        NewestFirst(newest_in_one_second(), page_size=5, always=always),
        by="changed",
        along="changed",
        emit=lambda item: passed.append(item) if isinstance(item, Checkpoint) else None,
        ledger=Ledger(),
    )
    with pytest.raises(errors.Incomplete, match="order by changed ignored"):
        changes.read(since)
    assert passed == []


# Cost


@EXAMPLES
@given(
    size=st.integers(0, 2_000),
    total=st.sampled_from(["exact", "missing"]),
    along=st.sampled_from(["changed", "created"]),
    ascending=st.booleans(),
    lanes=LANES,
)
def test_a_calm_listing_costs_one_question_a_page(
    size: int, total: str, along: str, ascending: bool, lanes: int
) -> None:
    """And each record is written once, but for those at the boundary of a span."""
    chance = random.Random(size)
    account = Account({key: (600_000 + chance.randrange(300_000), 500_000 + key * 7) for key in range(size)})
    listing = UntidyListing(account, page_size=50, total=total, ascending=ascending)
    collector, ledger = read(listing, None, lanes, along)
    assert collector.table.keys() == account.records.keys()
    assert listing.asked == ledger.pages <= size / 50 * 1.1 + 4 + 3 * (lanes - 1)
    assert collector.lines == ledger.distinct <= size * 1.05 + 60 * (lanes - 1)


@pytest.mark.parametrize("along", ["changed", "created"])
@pytest.mark.parametrize("ascending", [True, False])
def test_an_unchanged_listing_costs_one_question(along: str, ascending: bool) -> None:
    """Two where nothing but the empty answer says so, and an empty one is not to be believed at once."""
    account = Account({key: (600_000 + key, 500_000 + key) for key in range(1, 100)})
    for total, confirm_empty, cost in (("exact", True, 1), ("missing", False, 1), ("missing", True, 2)):
        listing = UntidyListing(account, total=total, ascending=ascending)
        collector, ledger = read(listing, 700_000, 3, along, confirm_empty=lambda sure=confirm_empty: sure)
        assert listing.asked == ledger.pages == cost
        assert not collector.table


@pytest.mark.parametrize("total", ["exact", "missing"])
def test_a_few_changes_cost_one_question(total: str) -> None:
    """All that fits one page is one page."""
    account = Account({key: (600_000 + key, 500_000 + key) for key in range(1, 100)})
    listing = UntidyListing(account, total=total)
    collector, _ = read(listing, 600_095, 3)
    assert collector.table.keys() == {95, 96, 97, 98, 99}
    assert listing.asked == 1


# What ends a run


@pytest.mark.parametrize("lanes", [2, 6])
def test_what_is_read_side_by_side_costs_no_request_more_below_fifty_pages(lanes: int) -> None:
    """Each part has a last page of its own: so 9,000 leads, 45 pages, are read in one part."""
    times = random.Random(0).sample(range(90_000), 900)
    asked = []
    for at_once in (1, lanes):
        account = Account({key: (500_000 + at, 400_000 + key) for key, at in enumerate(times)})
        listing = UntidyListing(account, page_size=20)
        _, ledger = read(listing, None, at_once)
        assert ledger.distinct == len(times)
        asked.append(listing.asked)
    assert asked[0] == asked[1]


def test_the_first_failure_ends_all_lanes() -> None:
    """The error of the lane that failed is raised, whatever the others do."""
    account = Account({key: (600_000 + key, 500_000 + key) for key in range(1, 3_000)})
    listing = UntidyListing(account, page_size=20)
    asked = 0

    def fail_later() -> None:
        nonlocal asked
        asked += 1
        if asked == 40:
            raise errors.GaveUp("the lane's own words")

    listing.before = fail_later
    with pytest.raises(errors.GaveUp, match="own words"):
        read(listing, None, 3)
    assert asked < 60


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_run_that_ends_stops_the_reading(lanes: int) -> None:
    """Who takes the pages says so by Cancelled."""
    account = Account({key: (600_000 + key, 500_000 + key) for key in range(1, 3_000)})
    listing = UntidyListing(account, page_size=20)
    pages = 0

    def emit(item: object) -> None:
        nonlocal pages
        pages += isinstance(item, Page)
        if pages > 30:
            raise errors.Cancelled

    with pytest.raises(errors.Cancelled):
        KeysetChanges(listing, "changed", "changed", emit, Ledger(), lanes=lanes).read(None)
    assert listing.asked < 45
