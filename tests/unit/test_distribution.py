"""Slow tests begin first, and each goes with those that share what is slow to make."""

from __future__ import annotations

from tests.distribution import FIRST, LAST, ordered, place

TESTS = [
    "tests/unit/test_pacer.py::test_b",
    "tests/unit/test_pacer.py::test_a",
    "tests/copper/test_faults.py::test_c",
    "tests/brand_new/test_d.py::test_d",
    "tests/copper/test_rate_limit.py::test_e",
    "tests/meltano/test_duckdb.py::test_f",
]


def test_what_takes_longest_begins_first_and_a_file_keeps_its_order() -> None:
    """What waits comes before all, what is short after all, and a folder that is not named in between."""
    assert ordered(TESTS, str) == [TESTS[4], TESTS[5], TESTS[2], TESTS[3], TESTS[0], TESTS[1]]


def test_each_folder_has_a_place_of_its_own() -> None:
    """Two at one place would take turns, file by file."""
    places = [place(f"{folder}test_x.py::test_x") for folder in (*FIRST, "tests/brand_new/", *LAST)]
    assert places == sorted(set(places))
