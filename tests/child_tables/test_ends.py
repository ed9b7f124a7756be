"""Where an array ends, and what is to be told of the places behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from tempfile import TemporaryFile
from typing import IO, TypeAlias

import pytest

from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.sync import array_ends
from tap_crm.sync.array_ends import ArrayEnds

Begin: TypeAlias = Callable[..., ArrayEnds]
BEGAN = 1_000
WIDE = {"most": 5}


@pytest.fixture
def ends() -> Iterator[Begin]:
    """Return a function that gives the ends of a read that has begun."""
    with ExitStack() as stack:

        def begin(kept: object, *, complete: bool) -> ArrayEnds:
            found = stack.enter_context(closing(ArrayEnds(kept)))
            found.begin(BEGAN, complete=False)
            if complete:
                found.begin(BEGAN, complete=True)
            return found

        yield begin


def test_a_read_of_changes_tells_up_to_the_greatest_length(ends: Begin) -> None:
    """The record may have had that many; a longer array raises what is known."""
    found = ends(WIDE, complete=False)
    assert found.until((1,), 2, 900) == 5
    assert found.until((1,), 7, 900) == 7
    assert found.note((1,), 7)
    assert found.until((2,), 0, 900) == 7


def test_a_complete_read_tells_nothing_of_records_that_did_not_change_while_it_reads(ends: Begin) -> None:
    """The version takes out what they had before."""
    found = ends(WIDE, complete=True)
    assert found.until((1,), 2, 900) == 2
    assert list(found.end(is_versioned=True)) == []


@pytest.mark.parametrize("changed", [BEGAN - BEHIND_THE_CLOCK, BEGAN, 5_000])
def test_a_record_that_changed_meanwhile_may_have_been_written_by_this_read(ends: Begin, changed: int) -> None:
    """With a longer array, under the same version."""
    assert ends(WIDE, complete=True).until((1,), 2, changed) == 5


def test_what_no_version_takes_out_is_told_in_the_end(ends: Begin) -> None:
    """The last length counts, where a record came twice."""
    found = ends(WIDE, complete=True)
    found.until((1,), 2, 900)
    found.until(("b", 2), 5, 900)
    found.until((3,), 1, 900)
    found.until((3,), 4, 2_000)
    assert set(found.end(is_versioned=False)) == {((1,), 2, 5), ((3,), 4, 5)}
    assert list(found.end(is_versioned=False)) == []


def test_records_without_a_time_are_known_one_by_one(ends: Begin) -> None:
    """One that comes twice, shorter the second time, has rows of the first time."""
    found = ends(WIDE, complete=True)
    assert [found.until((1,), length, None) for length in (4, 1, 1)] == [4, 4, 1]


def test_of_too_many_without_a_time_the_greatest_length_counts(ends: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory is bounded; what could be wrong is not told in the end."""
    monkeypatch.setattr(array_ends, "MOST_MINDED", 2)
    found = ends(WIDE, complete=True)
    assert [found.until((key,), 1, None) for key in range(4)] == [1, 1, 5, 5]
    assert list(found.end(is_versioned=False)) == []


def test_the_first_read_of_a_table_tells_nothing_of_places_that_nothing_was_in(ends: Begin) -> None:
    """However long other arrays are, whether versions follow or not."""
    found = ends(None, complete=False)
    found.note((1,), 9)
    assert found.until((2,), 1, 900) == 1
    assert list(found.end(is_versioned=False)) == []


def test_a_complete_read_that_begins_anew_keeps_one_file(ends: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it has found before."""
    files = []

    def spooled() -> IO[bytes]:
        files.append(TemporaryFile())  # noqa: SIM115 - the ends close it
        return files[-1]

    monkeypatch.setattr(array_ends, "spooled", spooled)
    found = ends(WIDE, complete=True)
    found.until((1,), 2, BEGAN - BEHIND_THE_CLOCK - 1)
    found.begin(BEGAN, complete=True)
    assert list(found.end(is_versioned=False)) == [((1,), 2, 5)]
    assert [file.closed for file in files] == [True]
