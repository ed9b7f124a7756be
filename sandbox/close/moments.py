"""Close's forms of time, from and to microseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?P<time>T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")


def text_of(micros: int) -> str:
    """Write a moment in the usual form; the fraction is absent when it is zero."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat()


def bare(micros: int) -> str:
    """Write a moment without a time zone, as newer objects do."""
    return text_of(micros)[:-6]


def day_of(micros: int) -> str:
    """Write a date."""
    return text_of(micros)[:10]


def micros_of(text: str) -> int:
    """Read a moment or a date of a record; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1)


def micros_of_filter(text: str, hours: float = 0.0) -> int:
    """Read a moment of a filter; a date alone means its start, `hours` from UTC. ValueError if it is none."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError(f"not a date or time: {text}")
    return micros_of(text) - (0 if found["time"] else int(hours * HOUR))
