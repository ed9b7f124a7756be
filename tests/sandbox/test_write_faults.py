"""What breaks writes on every server: how much is carried out, and who else is at work."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.behaviour import Meanwhile
from sandbox.exchange import Request
from sandbox.faults import FaultRule, pick

if TYPE_CHECKING:
    from sandbox.exchange import Effect


def _request(effect: Effect = "whole") -> Request:
    return Request(1, 0.0, "POST", "people", {}, {}, effect=effect)


@pytest.mark.parametrize(
    ("effect", "count", "carried"),
    [("whole", 3, [0, 1, 2]), ("half", 5, [0, 1]), ("half", 1, []), ("none", 3, [])],
)
def test_an_effect_says_which_records_are_written(effect: Effect, count: int, carried: list[int]) -> None:
    request = _request(effect)
    assert [place for place in range(count) if request.carries(place, count)] == carried


def test_a_rule_about_writes_neither_counts_nor_breaks_reads() -> None:
    rule = FaultRule(["stall"], at=[2], only="writes")
    found = [bool(pick([rule], _request(), lists=True, writes=writes)) for writes in (True, False, False, True, True)]
    assert found == [False, False, False, True, False]


def test_a_rule_about_reads_neither_counts_nor_breaks_writes() -> None:
    rule = FaultRule(["502"], at=[2], only="reads")
    found = [bool(pick([rule], _request(), lists=True, writes=writes)) for writes in (False, True, True, False)]
    assert found == [False, False, False, True]


def test_somebody_else_is_at_work_at_each_second_write_of_people_twice() -> None:
    knob = Meanwhile(every=2, objects=["people"], times=2)
    names = ["people", "leads", "people", "people", "people", "people", "people"]
    assert [knob.due(name) for name in names] == [False, False, True, False, True, False, False]
