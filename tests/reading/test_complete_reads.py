"""Property: where the missing counts as gone, all that lives through the read is found, or the ledger has a gap."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tap_crm import errors
from tap_crm.reading.changes import RESTLESS, UNBOUNDED
from tests.reading.listing import Account, PagedSearch, read
from tests.reading.test_changes_are_read_completely import accounts, churning

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.ledger import Ledger

EXAMPLES = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def conclude(search: PagedSearch, since: int | None = None, lanes: int = 1, **more: Any) -> tuple[set[int], Ledger]:  # noqa: ANN401
    """Read a search until it concludes; gives the keys that were found, and what it cost."""
    collector, ledger = read(search, since, lanes, concludes=True, **more)
    return set(collector.table), ledger


def editing(account: Account, keys: list[int], times: int = 1) -> Callable[[], None]:
    """Return a function that edits some records, in turn, at every call, and moves the clock."""
    left = list(keys)

    def edit() -> None:
        account.now += 1
        for _ in range(times):
            if left:
                account.edit(left.pop())

    return edit


@EXAMPLES
@given(
    account=accounts(),
    total=st.sampled_from(["exact", "missing", "over"]),
    unstable=st.booleans(),
    ignores=st.sampled_from([(), (), ("date_modified",), ("date_modified", "date_created")]),
    rate=st.integers(0, 4),
    seed=st.integers(0, 1_000),
    lanes=st.sampled_from([1, 3]),
    goes_on=st.booleans(),
)
def test_what_lives_through_the_read_is_found(  # noqa: PLR0913, PLR0917 - what is drawn
    account: Account,
    total: str,
    unstable: bool,
    ignores: tuple[str, ...],
    rate: int,
    seed: int,
    lanes: int,
    goes_on: bool,
) -> None:
    """Edits, deletions and creations before every answer; filters that have no effect; a read that goes on.

    Where no count can be met, a second that nothing else proves is an error by its name.
    """
    times = list(account.records.values())
    assume(not (total == "over" and unstable and any(times.count(at) >= 80 for at in set(times))))
    since = sorted(at[0] for at in times)[len(times) // 2] if goes_on and times else None
    before = {key for key, at in account.records.items() if since is None or at[0] >= since}
    listing = PagedSearch(account, total=total, unstable=unstable, ignores=frozenset(ignores), seed=seed)
    if rate:
        listing.before = churning(account, seed, rate)  # type: ignore[assignment]
    try:
        found, ledger = conclude(listing, since, lanes)
    except errors.Incomplete as error:
        assert re.search("share one second|the same page again", str(error))  # noqa: PT017 - it may be raised or not
        assert total != "exact"
    else:
        assert before & account.records.keys() <= found or ledger.gaps


@EXAMPLES
@given(account=accounts(), short=st.sampled_from([0.05, 0.3]), rate=st.integers(0, 2), seed=st.integers(0, 1_000))
def test_rows_that_an_answer_lacks_are_not_taken_for_gone(account: Account, short: float, rate: int, seed: int) -> None:
    """Whether something changes or not; from a read that leaves something unexplained, nothing is concluded."""
    before = set(account.records)
    listing = PagedSearch(account, short=short, seed=seed, total="exact")
    if rate:
        listing.before = editing(account, sorted(account.records), rate)
    found, ledger = conclude(listing)
    assert before <= found or ledger.gaps or ledger.unexplained


@EXAMPLES
@given(account=accounts(), cap=st.sampled_from([40, 100]), total=st.sampled_from(["exact", "missing", "capped"]))
def test_behind_an_unknown_cap_nothing_is_taken_for_gone(account: Account, cap: int, total: str) -> None:
    """The CRM stops giving records long before the documented number."""
    tie_counts = [list(account.records.values()).count(at) for at in set(account.records.values())]
    assume(not tie_counts or max(tie_counts) < cap)
    found, ledger = conclude(PagedSearch(account, cap=cap, total=total))
    assert found == account.records.keys()
    assert ledger.gaps == []


@pytest.mark.parametrize("total", ["exact", "missing", "over"])
def test_a_quiet_account_is_read_completely(total: str) -> None:
    """Also right after more changes than one answer holds, whether the CRM counts or not."""
    for recent in (0, 5, 9, 10, 45):
        account = Account({key: (999_999 if key < recent else 600_000 + key, 500_000 + key) for key in range(200)})
        account.now += 2
        found, ledger = conclude(PagedSearch(account, total=total))
        assert len(found) == 200
        assert ledger.gaps == []


@pytest.mark.parametrize("lanes", [1, 3])
def test_an_account_with_some_changes_is_read_completely(lanes: int) -> None:
    """One with every answer."""
    account = Account({key: (600_000 + key * 7, 500_000 + key) for key in range(400)})
    listing = PagedSearch(account)
    listing.before = editing(account, [key * 37 % 400 for key in range(400)])
    found, ledger = conclude(listing, lanes=lanes)
    assert len(found) == 400
    assert ledger.gaps == []


def test_an_account_that_never_rests_has_a_gap() -> None:
    """More than a page changes with every answer: nothing may be concluded, and the reading ends all the same."""
    account = Account({key: (600_000 + key * 7, 500_000 + key) for key in range(100)})
    listing = PagedSearch(account)
    listing.before = editing(account, random.Random(1).choices(range(100), k=20_000), times=15)
    _, ledger = conclude(listing)
    assert ledger.gaps == [RESTLESS]


def test_without_any_filter_there_is_a_gap() -> None:
    """What moved while it was read may be there all the same."""
    account = Account({key: (600_000 + key * 7, 500_000 + key) for key in range(100)})
    _, ledger = conclude(PagedSearch(account, ignores=frozenset({"date_modified", "date_created"})))
    assert ledger.gaps == [UNBOUNDED]
    _, ledger = conclude(PagedSearch(account, ignores=frozenset({"date_modified"})), splits=())
    assert ledger.gaps == [UNBOUNDED]


@EXAMPLES
@given(
    account=accounts(),
    total=st.sampled_from(["exact", "missing"]),
    deletions=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_a_listing_that_comes_newest_first_is_read_whole(
    account: Account, total: str, deletions: int, seed: int
) -> None:
    """Records are made and deleted before every answer. It cannot be sorted, and nothing but its time bounds it."""
    times = [at[0] for at in account.records.values()]
    assume(not (deletions and any(times.count(at) >= 10 for at in set(times))))
    before = set(account.records)
    listing = PagedSearch(account, total=total, ascending=False, seed=seed)
    churn = churning(account, seed, deletions)

    def come_and_go() -> None:
        edited = dict(account.records)
        churn()  # type: ignore[operator]
        for key in account.records.keys() & edited.keys():
            account.records[key] = edited[key]

    listing.before = come_and_go
    found, ledger = conclude(listing, splits=())
    assert before & account.records.keys() <= found or ledger.gaps
