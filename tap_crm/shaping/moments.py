"""Dates and times as every CRM writes them, to ISO 8601 in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLASHED = re.compile(r"\s*(\d{1,2})/(\d{1,2})/(\d{4})\s*")
_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?\s*")


class Unfit(ValueError):  # noqa: N818 - it names the value
    """The value cannot be turned into what the schema declares."""


def to_iso_moment(value: object, date_order: str = "mdy") -> str:
    """Return ``2026-01-02T03:04:05Z`` for epoch seconds, an ISO text, or a date as text (midnight UTC).

    Fractions of a second are kept where the source has them; times before 1970 are negative epochs.

    Raises:
        Unfit: the value is no time.
    """
    return _iso(_moment(value, date_order))


def to_iso_date(value: object, date_order: str = "mdy") -> str:
    """Return ``2026-01-31`` for ``1/31/2026`` (``31/1/2026`` by the order ``dmy``), an ISO text or an epoch.

    Raises:
        Unfit: the value is no date.
    """
    return _moment(value, date_order).date().isoformat()


def to_epoch(value: object) -> int | None:
    """Return the whole seconds of a time in any of its forms, None if it is none: for paging, not for records."""
    if value is None:
        return None
    try:
        return (_moment(value, "mdy") - _EPOCH) // timedelta(seconds=1)
    except Unfit:
        return None


def from_epoch(seconds: int) -> str:
    """Return the ISO form of whole epoch seconds."""
    return _iso(_EPOCH + timedelta(seconds=seconds))


def _moment(value: object, date_order: str) -> datetime:
    try:
        if isinstance(value, bool):
            raise Unfit
        if isinstance(value, (int, float)):
            return _EPOCH + timedelta(seconds=value)
        text = str(value)
        if slashed := _SLASHED.fullmatch(text):
            first, second, year = (int(part) for part in slashed.groups())
            month, day = (first, second) if date_order == "mdy" else (second, first)
            day_of = date(year, month, day)
            return datetime(day_of.year, day_of.month, day_of.day, tzinfo=UTC)
        if _NUMBER.fullmatch(text):
            return _EPOCH + timedelta(seconds=float(text))
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise Unfit from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _iso(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat() + "Z"
