"""Dates and times as every CRM writes them, to ISO 8601 in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated

import msgspec

_MIDNIGHT = time()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The first second that no calendar has.
_LAST_EPOCH = 253_402_300_800
#: For CRMs that are not said to write dates as text: what could be another day by another order is no date.
NO_ORDER = ""
LAST_MONTH = 12
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}.*", re.ASCII | re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
#: Fewer digits are a year, or a day without its strokes, and no epoch: this one was in 1973.
_EPOCH_AS_TEXT = re.compile(r"-?\d{9,}(\.\d+)?", re.ASCII)
_AWARE = Annotated[datetime, msgspec.Meta(tz=True)]


class Unfit(ValueError):  # noqa: N818 - it names the value
    """The value cannot be turned into what the schema declares."""


def to_iso_moment(value: object, date_order: str = "mdy") -> str:
    """Return ``2026-01-02T03:04:05Z`` for epoch seconds, an ISO text, or a date as text (midnight UTC).

    A text of digits is an epoch only if it has nine of them: ``2026`` and ``20260102`` are none.

    Fractions of a second are kept where the source has them; times before 1970 are negative epochs.

    Raises:
        Unfit: the value is no time.
    """
    return _iso(_moment(value, date_order))


def to_iso_date(value: object, date_order: str = "mdy") -> str:
    """Return ``2026-01-31`` for ``1/31/2026`` (``31/1/2026`` by the order ``dmy``), for itself, or for an epoch.

    A text with a time is a date only at midnight UTC: a date has no room for another time. Digits alone are no text of
    a date.

    Raises:
        Unfit: the value is no date.
    """
    moment = _moment(value, date_order)
    if isinstance(value, str):
        text = value.strip()
        is_day = _DAY.fullmatch(text) or _SLASHED.fullmatch(text)
        if not is_day and (not _ISO.fullmatch(text) or moment.time() != _MIDNIGHT):
            raise Unfit
    return moment.date().isoformat()


def to_epoch(value: object) -> int | None:
    """Return the whole seconds of a time in any of its forms, None if it is none: for paging, not for records."""
    if value is None:
        return None
    if type(value) is int and 0 <= value < _LAST_EPOCH:
        return value
    try:
        return (_moment(value, "mdy") - _EPOCH) // timedelta(seconds=1)
    except Unfit:
        return None


def to_exact_epoch(value: object) -> float | None:
    """Return the seconds of a time in any of its forms, with their fraction; None if it is none."""
    if value is None:
        return None
    try:
        return _moment(value, "mdy").timestamp()
    except Unfit:
        return None


def from_epoch(seconds: int) -> str:
    """Return the ISO form of whole epoch seconds."""
    return _iso(_EPOCH + timedelta(seconds=seconds))


def _moment(value: object, date_order: str) -> datetime:
    """Read a time; where it can, with the decoder of the fast path, so that both paths say the same."""
    try:
        if isinstance(value, str):
            moment = _from_text(value.strip(), date_order)
        else:
            moment = msgspec.convert(float(value) if isinstance(value, Decimal) else value, _AWARE, strict=False)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit from None


def _from_text(text: str, date_order: str) -> datetime:
    if slashed := _SLASHED.fullmatch(text):
        first, second, year = (int(part) for part in slashed.groups())
        if date_order == NO_ORDER and first != second and max(first, second) <= LAST_MONTH:
            raise Unfit
        is_month_first = second > LAST_MONTH if date_order == NO_ORDER else date_order == "mdy"
        month, day = (first, second) if is_month_first else (second, first)
        return datetime(year, month, day, tzinfo=UTC)
    if not _ISO.fullmatch(text) and not _EPOCH_AS_TEXT.fullmatch(text):
        raise Unfit
    try:
        return msgspec.convert(text, _AWARE, strict=False)
    except msgspec.ValidationError:
        return datetime.fromisoformat(text)


def _iso(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat() + "Z"
