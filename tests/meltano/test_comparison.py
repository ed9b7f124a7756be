"""The comparison that the demo and these tests rely on finds every kind of difference."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scripts.demo_compare import Comparison, Versions, compared, keyed, moment
from scripts.demo_crm import Table

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
EARLY, NEW, NEWEST = ((MOMENT + timedelta(milliseconds=count),) for count in range(3))
THERE: Versions = {(1,): NEW, (2,): NEWEST}


def test_the_same_records_in_the_same_versions_are_equal() -> None:
    assert compared("people", THERE, [((2,), NEWEST), ((1,), NEW)]).equal


def test_a_record_that_was_not_loaded_is_missing() -> None:
    assert compared("people", THERE, [((1,), NEW)]) == Comparison("people", 2, 1, missing=1, surplus=0, outdated=0)


def test_a_row_of_an_earlier_version_is_outdated() -> None:
    rows = [((1,), EARLY), ((2,), NEWEST)]
    assert compared("people", THERE, rows) == Comparison("people", 2, 2, missing=0, surplus=0, outdated=1)


def test_a_row_that_the_crm_lacks_is_surplus() -> None:
    rows = [((1,), NEW), ((2,), NEWEST), ((3,), NEWEST)]
    assert compared("people", THERE, rows) == Comparison("people", 2, 3, missing=0, surplus=1, outdated=0)


def test_a_record_that_was_loaded_twice_is_surplus() -> None:
    rows = [((1,), NEW), ((2,), NEWEST), ((2,), NEWEST)]
    assert compared("people", THERE, rows) == Comparison("people", 2, 3, missing=0, surplus=1, outdated=0)


def test_a_row_is_not_surplus_that_the_loaded_tables_tell_to_be_gone() -> None:
    rows = [((1,), NEW), ((2,), NEWEST), ((3,), NEW)]
    found = compared("people", THERE, rows, gone={3, 4})
    assert found == Comparison("people", 2, 3, missing=0, surplus=0, outdated=0, gone=1)
    assert found.equal


def test_a_record_that_is_there_and_was_not_loaded_is_missing_whatever_is_told_of_it() -> None:
    assert compared("people", THERE, [((1,), NEW)], gone={2}).missing == 1


def test_one_moment_is_the_same_however_it_is_told() -> None:
    told = (1_769_860_800, "2026-01-31T12:00:00", "2026-01-31T13:00:00+01:00", datetime(2026, 1, 31, 12))  # noqa: DTZ001
    assert {moment(one) for one in told} == {MOMENT}


def test_a_row_that_differs_in_a_column_that_is_compared_is_of_another_version() -> None:
    table = Table(("id",), lambda _: [], "changed", ("stage",))
    rows = [keyed(table, [1, "2026-01-31T12:00:00Z", stage]) for stage in ("Won", "Lost")]
    assert rows[0] == ((1,), (MOMENT, "Won"))
    assert compared("leads", dict(rows[:1]), rows[1:]).outdated == 1
