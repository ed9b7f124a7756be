"""Which streams a Meltano project leaves out, by the lists that it hands to an extractor."""

from __future__ import annotations

import json

import pytest

from tap_crm.config.meltano_select import FILTER, SELECT, is_deselected


@pytest.mark.parametrize(
    ("patterns", "deselected"),
    [
        ([], False),
        (["*.*"], False),
        (["people.*"], False),
        (["people.name"], False),
        (["peo*.*"], False),
        (["leads.*"], True),
        (["*.*", "!people.*"], True),
        (["*.*", "!people"], True),
        (["*.*", "!p*.*"], True),
        (["*.*", "!people.name"], False),
        (["*.*", "!leads.*"], False),
        ([3], False),
    ],
    ids=str,
)
def test_a_rule_that_leaves_out_goes_before_those_that_take_in(patterns: list[str], deselected: bool) -> None:
    """As in Meltano; a rule on a field says nothing of the stream."""
    assert is_deselected("people", {SELECT: json.dumps(patterns)}) is deselected


@pytest.mark.parametrize(("patterns", "deselected"), [(["people"], False), (["leads"], True), (["!people"], True)])
def test_the_choice_of_one_run_counts_too(patterns: list[str], deselected: bool) -> None:
    """`meltano run --select`, which names streams."""
    assert is_deselected("people", {SELECT: '["*.*"]', FILTER: json.dumps(patterns)}) is deselected


@pytest.mark.parametrize("text", [None, "", "no JSON", '{"a": 1}', "3"])
def test_without_a_list_nothing_is_left_out(text: str | None) -> None:
    """The tap runs without Meltano, or under another version of it."""
    assert not is_deselected("people", {} if text is None else {SELECT: text})
