"""Whether an answer has something new."""

from __future__ import annotations

from tap_crm.contract.newest import Newest
from tap_crm.watch.known import REMEMBERED, Known


def _newest(*versions: tuple[int, int], count: int | None = None) -> Newest:
    return Newest(frozenset(versions), max((at for _, at in versions), default=None), count)


def test_the_first_answer_is_new_and_the_same_again_is_not() -> None:
    """Also an empty one."""
    known = Known(300)
    assert [known.take(_newest()), known.take(_newest())] == [True, False]
    assert [known.take(_newest((1, 50))), known.take(_newest((1, 50)))] == [True, False]


def test_what_shows_late_is_new_although_its_time_was_passed() -> None:
    """A record of an earlier second, and another one of the same second."""
    known = Known(300)
    known.take(_newest((1, 1_000)))
    assert known.take(_newest((1, 1_000), (2, 990)))
    assert known.take(_newest((1, 1_000), (3, 1_000)))
    assert known.since == 700


def test_records_that_leave_an_answer_and_come_back_are_known() -> None:
    """An empty answer in between, and ties that come in another order, are no change."""
    known = Known(300)
    known.take(_newest((1, 10), (2, 10)))
    assert not known.take(_newest())
    assert not known.take(_newest((2, 10)))
    assert not known.take(_newest((1, 10)))


def test_a_count_that_rises_is_new_and_one_that_falls_is_not() -> None:
    """The count may be an estimate: one that comes back to where it was is none either."""
    known = Known(300)
    known.take(_newest((1, 10), count=5))
    assert [known.take(_newest((1, 10), count=count)) for count in (4, 5, 6, 6)] == [False, False, True, False]


def test_memory_is_bounded() -> None:
    """Years of changes leave no more than some thousands of versions."""
    known = Known(300)
    for at in range(2 * REMEMBERED):
        known.take(_newest((at, at)))
    assert len(known._versions) == REMEMBERED  # noqa: SLF001 - what nobody sees otherwise
