"""Dates and times: whatever the source writes becomes ISO 8601 in UTC, or is told to be none."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.shaping.moments import NO_ORDER, Unfit, from_epoch, to_epoch, to_iso_date, to_iso_moment

FIRST, LAST = -62_135_596_800, 253_402_300_799
EPOCHS = st.integers(FIRST, LAST)
ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def test_the_epoch() -> None:
    """Where counting begins."""
    assert to_iso_moment(0) == from_epoch(0) == "1970-01-01T00:00:00Z"


@given(EPOCHS)
def test_every_epoch_in_the_calendar_survives(seconds: int) -> None:
    """From the year 1 to 9999, before 1970 too; as a number and as text."""
    text = to_iso_moment(seconds)
    assert ISO_UTC.fullmatch(text)
    assert to_iso_moment(Decimal(seconds)) == from_epoch(seconds) == text
    if abs(seconds) >= 10**8:
        assert to_iso_moment(str(seconds)) == text
    assert to_epoch(text) == to_epoch(seconds) == seconds


@given(st.integers(max_value=FIRST - 1) | st.integers(min_value=LAST + 1))
def test_an_epoch_beyond_the_calendar_is_unfit(seconds: int) -> None:
    """Milliseconds taken for seconds, mostly."""
    with pytest.raises(Unfit):
        to_iso_moment(seconds)


@pytest.mark.parametrize("text", ["1/2/2026", "12/11/2026"])
def test_without_an_order_a_text_that_could_be_two_days_is_none(text: str) -> None:
    """A guess would be a wrong day in silence."""
    for convert in (to_iso_date, to_iso_moment):
        with pytest.raises(Unfit):
            convert(text, NO_ORDER)


@pytest.mark.parametrize("text", ["1/31/2026", "31/1/2026"])
def test_without_an_order_a_text_that_can_be_one_day_only_is_that(text: str) -> None:
    """There is no month 31."""
    assert to_iso_date(text, NO_ORDER) == "2026-01-31"
    assert to_iso_date("5/5/2026", NO_ORDER) == "2026-05-05"


@given(st.datetimes(timezones=st.just(UTC)))
def test_fractions_of_a_second_are_kept(moment: datetime) -> None:
    """Where the source has them."""
    text = to_iso_moment(moment.isoformat())
    assert ISO_UTC.fullmatch(text)
    assert datetime.fromisoformat(text) == moment
    assert ("." in text) == (moment.microsecond != 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1970-01-01T00:00:01.500000Z"),
        (-0.5, "1969-12-31T23:59:59.500000Z"),
        (Decimal("1700000000.25"), "2023-11-14T22:13:20.250000Z"),
        (" 1700000000.25 ", "2023-11-14T22:13:20.250000Z"),
        ("-1700000000", "1916-02-18T01:46:40Z"),
        ("2026-01-02", "2026-01-02T00:00:00Z"),
        (" 2026-01-02T03:04:05 ", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05+0200", "2026-01-02T01:04:05Z"),
        ("2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123457Z"),
        ("1/2/2026", "2026-01-02T00:00:00Z"),
        (" 12/31/1999 ", "1999-12-31T00:00:00Z"),
    ],
)
def test_forms_that_occur(value: Any, text: str) -> None:
    """Each as one source or another writes it."""
    assert to_iso_moment(value) == text


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31), timezones=OFFSETS))  # noqa: DTZ001
def test_offsets_are_turned_into_utc(moment: datetime) -> None:
    """Texts then sort as times do."""
    assert datetime.fromisoformat(to_iso_moment(moment.isoformat())) == moment


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_an_offset_that_leaves_the_calendar_is_unfit(text: str) -> None:
    """And does not end the run."""
    with pytest.raises(Unfit):
        to_iso_moment(text)
    assert to_epoch(text) is None


@given(st.dates())
def test_slashed_dates_follow_the_accounts_order(day: date) -> None:
    """Month first, or day first; with and without leading zeros."""
    american, other = f"{day.month}/{day.day}/{day.year:04}", f"{day.day:02}/{day.month:02}/{day.year:04}"
    assert to_iso_date(american, "mdy") == to_iso_date(other, "dmy") == day.isoformat()
    assert to_iso_moment(american, "mdy") == to_iso_moment(other, "dmy") == f"{day.isoformat()}T00:00:00Z"


@given(EPOCHS)
def test_a_date_as_epoch_is_the_day_in_utc(seconds: int) -> None:
    """Copper's date fields are midnights in UTC."""
    assert to_iso_date(seconds) == to_iso_moment(seconds)[:10]


@pytest.mark.parametrize(
    "text", ["31/1/2026", "2/30/2026", "0/1/2026", "13/13/2026", "1/1/26", "1/1/20266", "1-1-2026"]
)
def test_a_slashed_date_that_does_not_exist_is_unfit(text: str) -> None:
    """The day is never taken for the month where it does not fit."""
    with pytest.raises(Unfit):
        to_iso_date(text, "mdy")


@pytest.mark.parametrize(
    "text", ["2026", "20260102", "202601", "2026-01", "2026-W01-1", "2026-002", "5", "-1.5", "1e9"]
)
def test_digits_that_are_no_documented_form_are_unfit(text: str) -> None:
    """A year, or a day without strokes, is never taken for an epoch of 1970."""
    with pytest.raises(Unfit):
        to_iso_date(text)
    with pytest.raises(Unfit):
        to_iso_moment(text)


@pytest.mark.parametrize(
    "text", ["1767225600", "2026-01-02T03:04:05Z", "2026-01-02T00:00:00+05:00", "2026-01-02 01:00"]
)
def test_a_text_that_is_more_than_a_date_is_unfit_as_one(text: str) -> None:
    """The time of day would be lost."""
    with pytest.raises(Unfit):
        to_iso_date(text)


@pytest.mark.parametrize(
    "text", ["2026-01-02", " 1/2/2026 ", "01/02/2026", "2026-01-02T00:00:00Z", "2026-01-02T05:00+05:00"]
)
def test_the_forms_of_a_date(text: str) -> None:
    """As Copper writes it, as the others do, and midnight in UTC."""
    assert to_iso_date(text) == "2026-01-02"


NO_VALUES: tuple[Any, ...] = (
    True,
    False,
    None,
    [],
    {},
    [2026],
    float("nan"),
    float("inf"),
    Decimal("1E+400"),
    10**5000,
    b"2026-01-01",
)
NO_TEXTS = ("", " ", "soon", "nan", "inf", "1e999", "2026-13-01", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z")


@pytest.mark.parametrize("rubbish", [*NO_VALUES, *NO_TEXTS], ids=lambda value: type(value).__name__)
def test_rubbish_is_unfit(rubbish: Any) -> None:
    """Never a wrong time."""
    with pytest.raises(Unfit):
        to_iso_moment(rubbish)
    with pytest.raises(Unfit):
        to_iso_date(rubbish)
    assert to_epoch(rubbish) is None


@given(st.text(max_size=30) | st.text("0123456789-+:/TZ. ", max_size=30))
def test_any_text_is_a_time_or_unfit(text: str) -> None:
    """Nothing else is raised."""
    for order in ("mdy", "dmy"):
        try:
            found = to_iso_moment(text, order)
        except Unfit:
            continue
        assert ISO_UTC.fullmatch(found)


@given(st.floats())
def test_any_float_is_a_time_or_unfit(value: float) -> None:
    """Nothing else is raised."""
    try:
        found = to_iso_moment(value)
    except Unfit:
        return
    assert ISO_UTC.fullmatch(found)


def test_paging_counts_whole_seconds_downwards() -> None:
    """A fraction belongs to the second that it began in, before 1970 as well."""
    assert to_epoch("2026-01-01T00:00:00.999Z") == 1_767_225_600
    assert to_epoch(-0.5) == -1


def test_whole_seconds_are_taken_as_they_are_where_a_calendar_has_them() -> None:
    """And the short way says what the long one says."""
    assert [to_epoch(second) for second in (0, 1_700_000_000, 253_402_300_799)] == [0, 1_700_000_000, 253_402_300_799]
    assert to_epoch(253_402_300_800) is None
    assert to_epoch(-1) == -1
    assert to_epoch(True) is None  # noqa: FBT003 - it is no time
