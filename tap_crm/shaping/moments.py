"""Dates and times as every CRM writes them, to ISO 8601 in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_AWARE = Annotated[datetime, msgspec.Meta(tz=True)]


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
        month, day = (first, second) if date_order == "mdy" else (second, first)
        return datetime(year, month, day, tzinfo=UTC)
    try:
        return msgspec.convert(text, _AWARE, strict=False)
    except msgspec.ValidationError:
        return datetime.fromisoformat(text)


def _iso(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat() + "Z"
