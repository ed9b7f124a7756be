"""What the state keeps of versions: begun, cut off, taken up again, ended; and what others have made of the state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.contract.memory import Memory
from tap_crm.contract.stream import Deletions
from tap_crm.messages import NewVersion, Progress, Whole
from tap_crm.shaping.moments import from_epoch
from tap_crm.sync.state import StreamState, Unfinished
from tap_crm.sync.versions import Versions

NOW = 1_790_000_000.0
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["version", "read_to", "rows"]), inner),
    max_leaves=4,
)


def reconciled(state: StreamState) -> Versions:
    """Return the versions of a stream with a bookmark."""
    return Versions(state, Deletions.RECONCILED)


def test_a_version_is_activated_once_the_read_is_whole() -> None:
    """And kept for the records of later runs."""
    state = StreamState()
    versions = reconciled(state)
    assert versions.present is None
    versions.begin(NewVersion(), NOW, first=True)
    begun = versions.present
    assert begun is not None
    versions.note_whole(Whole(10, 0, 12))
    assert versions.end(Memory(), NOW, NOW + 5) == begun
    assert (state.version, state.rows, state.total) == (begun, 10, 12)
    assert state.unfinished is None
    later = reconciled(state)
    assert later.present == begun
    assert later.end(Memory(), NOW, NOW) is None


def test_without_proof_nothing_is_activated() -> None:
    """The last version stays that of the next run, unless what was begun goes on."""
    state = StreamState(version=5)
    versions = reconciled(state)
    versions.begin(NewVersion(), NOW, first=False)
    assert versions.end(Memory(), NOW, NOW) is None
    assert state.version == 5
    assert reconciled(state).present == versions.present
    versions.abandon(NOW, in_vain=False)
    assert reconciled(state).present == 5


def test_a_read_that_was_cut_off_goes_on_under_its_version() -> None:
    """With what it had counted; its end says when it began, not when it ended."""
    state = StreamState(version=5)
    versions = reconciled(state)
    versions.begin(NewVersion(), NOW, first=False)
    versions.note_progress(Progress(int(NOW) - 100, 7, 2, 1))
    number = versions.present
    kept = state.going_on
    assert kept is not None
    assert (kept.rows, kept.new, kept.again, kept.version) == (7, 2, 1, number)
    later = reconciled(state)
    later.begin(NewVersion(number), NOW + 999, first=False)
    assert later.present == number
    assert state.going_on == kept
    later.note_whole(Whole(9, 0))
    assert later.end(Memory(), NOW + 999, NOW + 1_000) == number
    assert state.reconciled_at == kept.started


@pytest.mark.parametrize("last", [0, 5, 4_000_000_000_000, 9_000_000_000_000])
def test_a_new_version_is_greater_than_any_before(last: int) -> None:
    """Also if the clock was ahead when that was made."""
    versions = reconciled(StreamState(version=last))
    versions.begin(NewVersion(), NOW, first=False)
    assert (versions.present or 0) > last


@given(number=st.integers(1, 10), last=st.integers(1, 10))
def test_a_read_whose_version_was_activated_is_over(number: int, last: int) -> None:
    """Whatever a merge of states has brought back."""
    state = StreamState(version=last, unfinished=Unfinished(number, read_to=100))
    assert (state.going_on is not None) is (number > last)
    assert reconciled(state).present == max(number, last)


@given(state=st.dictionaries(st.sampled_from(["version", "reconcile", "rows", "memory", "reconciled_at"]), JUNK))
def test_junk_in_the_state_is_harmless(state: dict[str, Any]) -> None:
    """It is as if nothing was there, and gone after a complete read."""
    for deletions in Deletions:
        kept = StreamState.parse(state)
        versions = Versions(kept, deletions)
        versions.count_days_from(NOW)
        versions.note_told([1, None, 3])
        versions.forget_memory()
        versions.begin(NewVersion(), NOW, first=False)
        versions.note_progress(Progress(1, 1, 1))
        versions.note_whole(Whole(1, 0))
        activated = versions.end(Memory(), NOW, NOW)
        assert (activated is None) is (deletions is Deletions.UNTOLD)
        assert activated is None or kept.version == activated


def test_a_stream_whose_deletions_nobody_tells_has_no_versions() -> None:
    """Its rows never leave the target."""
    state = StreamState(version=5)
    versions = Versions(state, Deletions.UNTOLD)
    assert versions.present is None
    versions.begin(NewVersion(), NOW, first=True)
    assert (versions.present, versions.end(Memory(), NOW, NOW), state) == (None, None, StreamState(version=5))


@pytest.mark.parametrize(
    "known",
    [StreamState(reconciled_at=100), StreamState(untold_since=100), StreamState(unfinished=Unfinished(3))],
    ids=["reconciled", "waited for", "under way"],
)
def test_days_are_counted_from_the_first_run_that_knows_of_reconciles(known: StreamState) -> None:
    """Only where nothing is known, and only for a bookmark."""
    state = StreamState(bookmark="2026-01-01T00:00:00Z")
    before = replace(known, bookmark=state.bookmark)
    reconciled(before).count_days_from(NOW)
    assert before == replace(known, bookmark=state.bookmark)
    reconciled(state).count_days_from(NOW)
    assert state.untold_since == NOW
    empty = StreamState()
    reconciled(empty).count_days_from(NOW)
    assert empty == StreamState()


def test_rows_that_the_crm_told_to_be_gone_need_not_be_found() -> None:
    """Those that the last complete read had counted; one that is under way did not have them."""
    state = StreamState(rows=10, rows_until=100, unfinished=Unfinished(3, rows=2))
    reconciled(state).note_told([99, 100, 101, None])
    assert (state.rows, state.unfinished) == (7, Unfinished(3, rows=2))


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ({}, 1_000),
        ({"told_to": from_epoch(400)}, 400),
        ({"told_to": from_epoch(400), "reconciled_at": from_epoch(300)}, 400),
        ({"told_to": from_epoch(400), "reconciled_at": from_epoch(600)}, 595),
        ({"told_to": from_epoch(4_000)}, 1_000),
        ({"told_to": "never"}, 1_000),
    ],
    ids=str,
)
def test_a_log_is_read_from_its_own_place_unless_a_complete_read_came_after_it(
    kept: dict[str, Any], expected: int
) -> None:
    """And never from behind the bookmark."""
    assert StreamState.parse(kept).log_heeded_to(1_000) == expected
    assert StreamState.parse(kept).log_heeded_to(None) is None


def test_of_several_parts_of_a_log_the_least_counts_in_one_run() -> None:
    """One of them may have been refused."""
    state = StreamState(told_to=5)
    versions = reconciled(state)
    versions.note_log(900)
    assert state.told_to == 900
    versions.note_log(400)
    versions.note_log(800)
    assert state.told_to == 400
