"""The row count of a complete read: each record counts once, however often it comes and wherever a read is cut off."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm import errors
from tap_crm.messages import Page, Row
from tap_crm.sync.row_count import Counted, RowCount, check_gone

Changed = list[tuple[int, int, int]]

#: Key, time of change, time of creation.
RECORDS = st.lists(
    st.tuples(st.integers(1, 400), st.integers(100, 200), st.integers(0, 100)), unique_by=lambda one: one[0]
)


def row_count(before: Counted | None = None, **more: Any) -> RowCount:  # noqa: ANN401
    """Return a row count of records with an id, a time of change and a time of creation."""
    return RowCount(("id",), "changed", "created", before, **more)


def page(records: Changed, known: str = "body") -> Page:
    """Return records as they come: as a body, decoded, or with what whoever asked has read of each."""
    found = [{"id": key, "changed": changed, "created": created, "more": [1]} for key, changed, created in records]
    if known == "rows":  # nobody looks into such a body
        rows = [Row(key, (created, changed)) for key, changed, created in records]
        return Page(body=b"broken", rows=rows, times=("created", "changed"))
    return Page(records=found) if known == "records" else Page(body=msgspec.json.encode(found))


@given(records=RECORDS, cuts=st.integers(1, 40), known=st.sampled_from(["body", "records", "rows"]))
def test_records_that_come_twice_are_counted_once(records: Changed, cuts: int, known: str) -> None:
    """On whatever pages."""
    counts = row_count()
    for start in range(0, len(records), cuts):
        counts.count(page(records[start : start + cuts + 3], known))
    assert counts.total() == (len(records), 0, 0)


@given(records=RECORDS, at=st.integers(90, 210))
def test_a_read_that_is_cut_off_and_goes_on_counts_each_record_once(records: Changed, at: int) -> None:
    """What changed up to the cut was counted, the overlap that is read again is not."""
    before = Counted(0, 50)
    first = row_count(before)
    first.count(page([one for one in records if one[1] <= at + 20]))
    counts = first.passed(at)
    second = row_count(before, after=at, began=300, earlier=counts)
    second.count(page([one for one in records if one[1] >= at - 15]))
    assert second.total() == (len(records), sum(created > 50 for _, _, created in records), 0)
    assert second.passed(1_000) == second.total()


@given(records=RECORDS, edited=st.sets(st.integers(1, 400)))
def test_what_may_have_been_counted_twice_is_told(records: Changed, edited: set[int]) -> None:
    """Those that changed between the parts of a read: without them there are no more than there are in truth."""
    first = row_count()
    first.count(page(records))
    counts = first.passed(150)
    now = [(key, 310 if key in edited else changed, created) for key, changed, created in records]
    second = row_count(after=150, began=300, earlier=counts)
    second.count(page([one for one in now if one[1] >= 140]))
    rows, _, again = second.total()
    assert again == sum(key in edited for key, _, _ in records)
    assert rows - again <= len(records) <= rows


def test_what_was_created_since_the_cut_was_not_counted_before() -> None:
    """It is no doubtful one."""
    second = row_count(after=150, began=300, earlier=(7, 0, 0))
    second.count(page([(1, 310, 305), (2, 310, 20)]))
    assert second.total() == (9, 0, 1)


def test_rows_created_since_the_last_complete_read_are_new() -> None:
    """Those of its last second are not: they may have been there."""
    counts = row_count(Counted(10, 50))
    counts.count(page([(1, 100, 49), (2, 100, 50), (3, 100, 51)]))
    assert counts.total() == (3, 1, 0)


def test_rows_that_are_told_deleted_are_not_counted() -> None:
    """They are in the list, but they do not live."""
    counts = row_count()
    gone, living = {"id": 1, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}, {"id": 2, "_sdc_deleted_at": None}
    counts.count(Page(records=[gone, living]))
    assert counts.total() == (1, 0, 0)


def test_only_the_kept_rows_of_a_page_are_counted() -> None:
    """The others belong to another window."""
    counts = row_count()
    counts.count(Page(body=page([(1, 100, 1), (2, 100, 1), (3, 100, 1)]).body, keep=[0, 2]))
    assert counts.total() == (2, 0, 0)


@pytest.mark.parametrize("size", [999, 1_000, 2_501])
def test_many_rows_are_counted_without_a_set_of_all(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each twice; of a thousand at a time, where it is a hundred thousand else."""
    monkeypatch.setattr("tap_crm.sync.row_count._AT_ONCE", 1_000)
    counts = RowCount(("a", "b"), None, None, None)
    for _ in range(2):
        for start in range(0, size, 500):
            counts.count(Page(records=[{"a": key, "b": "x"} for key in range(start, min(size, start + 500))]))
    assert counts.total() == (size, 0, 0)


@pytest.mark.parametrize(
    ("rows", "gone", "percent", "passes"),
    [
        (150, 99, 20, True),
        (150, 100, 20, False),
        (500, 100, 20, True),
        (500, 101, 20, False),
        (1_000, 200, 20, True),
        (1_000, 201, 20, False),
        (1_000, 1_000, 100, True),
        (1_000, 100, 0, False),
        (0, 0, 20, True),
    ],
)
def test_the_limit_on_deletions(rows: int, gone: int, percent: float, *, passes: bool) -> None:
    """At least a hundred rows, and more than so many percent."""
    if passes:
        check_gone("things", Counted(rows), gone, percent)
        return
    with pytest.raises(errors.TooManyGone, match=rf"things: at least {gone} of {rows} .*`max_deletions_percent`"):
        check_gone("things", Counted(rows), gone, percent)


def test_without_an_earlier_count_nothing_is_too_much() -> None:
    """On a first run there was nothing."""
    check_gone("things", None, 10_000, 0)


@given(rows=st.integers(0, 1_000), found=st.integers(0, 1_000), new=st.integers(0, 100))
def test_the_count_of_what_is_gone_is_never_negative(rows: int, found: int, new: int) -> None:
    """Nor does it count what is new."""
    assert Counted(rows).gone(found + new, new) == max(0, rows - found)


def test_what_is_dated_later_than_now_is_not_counted() -> None:
    """It would count as new the next time, though it was there."""
    counts = RowCount(("id",), "date_created", "date_created", None, now=lambda: 1_800_000_000.0)
    dates = ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z")
    counts.count(Page(records=[{"id": date, "date_created": date} for date in dates]))
    assert counts.total() == (1, 0, 0)


@pytest.mark.parametrize(
    ("created", "left"),
    [([99, 100], 98), ([101], 100), ([None], 99), ([100] * 200, 0)],
    ids=["counted", "made later", "not known", "more than there were"],
)
def test_rows_that_were_told_are_not_missed_if_they_were_counted(created: list[int | None], left: int) -> None:
    """What was made since the count was never part of it."""
    assert Counted(100, until=100).without(created) == Counted(left, until=100)
