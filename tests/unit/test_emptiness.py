"""What is believed of an empty list, by what the state knows of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm import errors
from tap_crm.messages import ListsKept
from tap_crm.reading.emptiness import APART, MOST_LISTS, WHOLE, Lists
from tap_crm.sync.state import StreamState

NOW = 1_790_000_000.0
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["", "a", "b"]), inner),
    max_leaves=4,
)


def settled(lists: Lists, rows: int, now: float = NOW) -> ListsKept:
    """Return what the state keeps after a read."""
    return lists.settle("webhooks", rows, lambda: now)


@pytest.mark.parametrize(("rows", "doubtful"), [(None, True), (0, False), (3, True)])
def test_an_empty_answer_is_doubted_where_there_were_records_or_nothing_is_known(
    rows: int | None, *, doubtful: bool
) -> None:
    """One question is enough for a list that was empty before."""
    assert Lists(rows).is_doubtful() is doubtful
    assert Lists(rows).is_doubtful("user") is doubtful


def test_of_several_lists_each_is_doubted_for_itself() -> None:
    """Of one that is not known in the state of the others, nothing can be lost."""
    lists = Lists(5, {"user": 5})
    assert lists.is_doubtful("user")
    assert not lists.is_doubtful("system")


def test_a_list_that_was_empty_may_stay_so() -> None:
    """Nothing is kept of it."""
    assert settled(Lists(0), 0) == ListsKept(None, {})
    assert settled(Lists(None), 0) == ListsKept(None, {})


def test_a_list_that_had_records_is_not_believed_to_be_empty_at_once() -> None:
    """The error says what is to be done, and what the state keeps."""
    with pytest.raises(errors.Emptied, match=r"webhooks: .* had 3\. .* 30 minutes") as caught:
        settled(Lists(3), 0)
    assert caught.value.empty_since == {WHOLE: int(NOW)}


def test_it_is_believed_when_that_was_said_long_enough_before() -> None:
    """Counted from the first time, however often it was said since."""
    since = {WHOLE: int(NOW)}
    with pytest.raises(errors.Emptied) as caught:
        settled(Lists(3, empty_since=since), 0, NOW + APART - 1)
    assert caught.value.empty_since == since
    assert settled(Lists(3, empty_since=since), 0, NOW + APART).empty_since == since


def test_records_end_the_doubt() -> None:
    """The next time it begins anew."""
    since = {WHOLE: int(NOW)}
    assert settled(Lists(3, empty_since=since), 1, NOW + 2 * APART).empty_since == {}


def test_one_empty_list_of_several_is_named() -> None:
    """Whatever the others have."""
    lists = Lists(9, {"user": 5, "system": 4})
    lists.note("user", 0)
    lists.note("system", 7)
    with pytest.raises(errors.Emptied, match=r"without any record of user, .* had 5\."):
        settled(lists, 7)


def test_a_list_that_is_not_there_any_more_is_not_an_empty_one() -> None:
    """A sequence that was deleted has no subscriptions; nobody asked for them."""
    lists = Lists(9, {"seq_1": 5, "seq_2": 4})
    lists.note("seq_2", 4)
    assert settled(lists, 4).rows == {"seq_2": 4}


def test_of_very_many_lists_nothing_is_kept() -> None:
    """The state stays small."""
    lists = Lists()
    for number in range(MOST_LISTS + 1):
        lists.note(f"seq_{number}", 1)
    assert settled(lists, MOST_LISTS + 1).rows is None


@given(kept=st.dictionaries(st.sampled_from(["lists", "empty_since"]), JUNK), rows=st.integers(0, 2))
def test_junk_in_the_state_is_harmless(kept: dict[str, Any], rows: int) -> None:
    """It never counts as said before."""
    state = StreamState.parse(kept)
    lists = Lists(2, state.lists, state.empty_since)
    lists.is_doubtful("a")
    lists.note("a", rows)
    try:
        settled(lists, rows)
    except errors.Emptied:
        assert not rows
    else:
        assert rows
