"""What is known of the lengths of arrays is never too little, and stays small."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_crm.sync.array_lengths import MOST_KNOWN, ArrayLengths

LENGTHS = st.lists(st.tuples(st.integers(0, 200), st.one_of(st.integers(0, 8), st.integers(0, 500))), max_size=400)


@given(notes=LENGTHS, cut=st.integers(0, 400))
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_no_array_was_longer_than_what_is_known(notes: list[tuple[int, int]], cut: int) -> None:
    """Whatever came before, and wherever a run went on from the state."""
    lengths, truth = ArrayLengths(), dict[int, int]()
    for at, (key, length) in enumerate(notes):
        if at == cut:
            lengths = ArrayLengths(json.loads(json.dumps(lengths.to_state())))
        before = lengths.to_state()
        assert lengths.note((key,), length) == (lengths.to_state() != before)
        truth[key] = max(truth.get(key, 0), length)
        assert len(lengths.to_state().get("longer", ())) <= MOST_KNOWN
    assert all(lengths.most_of((key,)) >= length for key, length in truth.items())


def test_a_few_long_arrays_do_not_count_for_all() -> None:
    """An edit of one with three elements tells of one place, not of hundreds."""
    lengths = ArrayLengths()
    for key in range(1000):
        lengths.note((key,), 1 + key % 4)
    for key in range(20):
        lengths.note((f"long {key}",), 300 + key)
    assert lengths.most_of((5,)) == 4
    assert lengths.most_of(("long 7",)) == 307


@pytest.mark.parametrize("kept", [None, 3, [], {"most": "x"}, {"most": -1, "longer": 5}, {"longer": {"a": None}}])
def test_a_state_of_another_form_is_nothing(kept: Any) -> None:  # noqa: ANN401 - any JSON
    """It costs rows that are not told, until the next complete read; no run."""
    assert ArrayLengths(kept).most_of((1,)) == 0
