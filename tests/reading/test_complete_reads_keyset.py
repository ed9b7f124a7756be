"""Property: by keyset, too, all that lives through a read that concludes is found, or the ledger has a gap."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tap_crm import errors
from tap_crm.reading.changes import RESTLESS, UNBOUNDED
from tests.reading.keyset_listing import Account, UntidyListing, accounts, churning
from tests.reading.test_keyset_changes import LANES, assume_provable, read, tempers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.ledger import Ledger
    from tap_crm.reading.answer import Answer, Continuation
    from tap_crm.reading.listing import Bound

EXAMPLES = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def conclude(listing: UntidyListing, lanes: int = 1, along: str = "changed", **more: Any) -> tuple[set[int], Ledger]:  # noqa: ANN401
    """Read a listing until it concludes; gives the keys that were found, and what it cost."""
    collector, ledger = read(listing, None, lanes, along, concludes=True, **more)
    return set(collector.table), ledger


@EXAMPLES
@given(
    account=accounts(),
    temper=tempers(),
    along=st.sampled_from(["changed", "changed", "created"]),
    ascending=st.booleans(),
    rate=st.sampled_from([0, 1, 2, 4]),
    lanes=LANES,
)
def test_what_lives_through_the_read_is_found(  # noqa: PLR0913, PLR0917 - what is drawn
    account: Account, temper: dict[str, Any], along: str, ascending: bool, rate: int, lanes: int
) -> None:
    """Edits, deletions and creations before every answer, some with an old date.

    A list that comes newest first is gone through along a time that does not change.
    """
    temper["lies"] = 0
    assume(ascending or along == "created")
    before = set(account.records)
    listing = UntidyListing(account, ascending=ascending, **temper)
    assume_provable(account, listing, rate)
    listing.before = churning(account, temper["seed"], rate)
    try:
        found, ledger = conclude(listing, lanes, along)
    except errors.Incomplete:  # ties that nothing splits: said by name, and nothing is concluded
        return
    assert before & account.records.keys() <= found or ledger.gaps


@EXAMPLES
@given(
    account=accounts(),
    rate=st.sampled_from([0, 1, 3]),
    seed=st.integers(0, 1_000),
    lanes=LANES,
)
def test_without_a_filter_nothing_is_concluded_wrongly(account: Account, rate: int, seed: int, lanes: int) -> None:
    """The whole list is read instead, in which everything moves."""
    before = set(account.records)
    listing = UntidyListing(account, seed=seed, ignores=frozenset({"changed", "created"}))
    listing.before = churning(account, seed, rate)
    try:
        found, ledger = conclude(listing, lanes)
    except errors.Incomplete:  # ties that nothing splits: said by name, and nothing is concluded
        return
    assert before & account.records.keys() <= found or ledger.gaps == [UNBOUNDED]


@pytest.mark.parametrize("along", ["changed", "created"])
@pytest.mark.parametrize("total", ["exact", "missing", "over"])
def test_a_quiet_account_is_read_completely(total: str, along: str) -> None:
    """Also right after a few changes."""
    for recent in (0, 5, 9):
        account = Account({key: (999_999 if key < recent else 600_000 + key, 500_000 + key) for key in range(200)})
        found, ledger = conclude(UntidyListing(account, total=total, page_size=20), along=along)
        assert len(found) == 200
        assert ledger.gaps == []


def test_an_account_that_never_rests_has_a_gap() -> None:
    """A whole page changes with every answer: nothing may be concluded, and the reading ends all the same."""
    account = Account({key: (600_000 + key, 500_000 + key) for key in range(200)})
    listing = UntidyListing(account, page_size=10)
    count = 0

    def edit() -> None:
        nonlocal count
        account.now += 1
        for _ in range(15):
            count += 1
            account.edit(count * 37 % 200)

    listing.before = edit
    _, ledger = conclude(listing)
    assert ledger.gaps == [RESTLESS]


@pytest.mark.parametrize("concludes", [True, False])
def test_a_second_that_is_still_filling_up_is_left_to_the_next_run(concludes: bool) -> None:
    """Something changes before every answer, and each count is too high: nothing proves that all of that second came.

    No bookmark passes it, and where a complete read has not seen it whole, that concludes nothing.
    """
    gaps = []
    for seed in range(40):
        account = Account({key: (600_000 + key, 500_000 + key) for key in range(120)})
        listing = UntidyListing(account, page_size=50, total="over")
        listing.before = changing(account, seed)
        collector, ledger = read(listing, None, concludes=concludes)
        assert collector.table.keys() >= account.untouched
        assert max(collector.checkpoints) < account.now
        gaps += ledger.gaps
    assert set(gaps) == ({RESTLESS} if concludes else set())


def changing(account: Account, seed: int) -> Callable[[], None]:
    """Return a function that edits, creates or deletes a record, while the clock stands still."""
    chance = random.Random(seed)

    def change() -> None:
        what = chance.choice(("edit", "edit", "edit", "create", "delete", "delete"))
        key = chance.choice(list(account.records))
        if what == "create":
            account.create()
        else:
            getattr(account, what)(key)

    return change


class _CatchingUp(UntidyListing):
    """Finds an edited record by its old time until the newest part of the listing was read, the older part not yet."""

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        low = bounds[-1].low if bounds and bounds[-1].low is not None else 0
        if 600_040 <= low <= 600_095:
            assert self.caught_up.wait(20)
        answer = super().ask(bounds, order, after)
        if low > 600_100 and answer.after is None:
            self.lag = 0
            self.caught_up.set()
        return answer

    def __post_init__(self) -> None:
        super().__post_init__()
        self.caught_up = threading.Event()


@pytest.mark.parametrize("lags", [0, 300])
def test_what_an_index_shows_late_at_its_new_place_is_found(lags: int) -> None:
    """One lane was at the new place before the edit showed, another is at the old place after it.

    Nothing tells how far an index may lag but who asks: without that, the CRM's count and the ends of the list tell.
    """
    account = Account({key: (600_000 + key, 500_000 + key) for key in range(1_000)})
    listing = _CatchingUp(account, page_size=10, lag=10_000)
    account.records[95] = (account.now - 60, account.records[95][1])
    found, _ = conclude(listing, 2, index_lag=lags)
    assert account.records.keys() == found
