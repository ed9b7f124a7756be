"""The comparison that the demo and these tests rely on finds every kind of difference."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from scripts.demo_compare import Comparison, Versions, compared

THERE: Versions = {(1,): 10, (2,): 20}


def test_the_same_records_in_the_same_versions_are_equal() -> None:
    assert compared("people", THERE, [((2,), 20), ((1,), 10)]).equal


def test_a_record_that_was_not_loaded_is_missing() -> None:
    assert compared("people", THERE, [((1,), 10)]) == Comparison("people", 2, 1, missing=1, surplus=0, outdated=0)


def test_a_row_of_an_earlier_version_is_outdated() -> None:
    rows = [((1,), 10), ((2,), 19)]
    assert compared("people", THERE, rows) == Comparison("people", 2, 2, missing=0, surplus=0, outdated=1)


def test_a_row_that_the_crm_lacks_is_surplus() -> None:
    rows = [((1,), 10), ((2,), 20), ((3,), 30)]
    assert compared("people", THERE, rows) == Comparison("people", 2, 3, missing=0, surplus=1, outdated=0)


def test_a_record_that_was_loaded_twice_is_surplus() -> None:
    rows = [((1,), 10), ((2,), 20), ((2,), 20)]
    assert compared("people", THERE, rows) == Comparison("people", 2, 3, missing=0, surplus=1, outdated=0)
