"""What becomes of a custom field's value when its definition gets another kind."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.copper.custom_fields import OPTION_KINDS

if TYPE_CHECKING:
    from sandbox.exchange import Record

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 60_000_000_000
"""Seconds from the epoch to where years have no four digits any more."""


def as_kind(value: object, old: Record, new: Record) -> object:
    """Give a value of one definition the form that another one's kind has; what has none becomes empty."""
    kind = new["data_type"]
    if kind == old["data_type"]:
        return value
    if kind in OPTION_KINDS and old["data_type"] in OPTION_KINDS:
        chosen = value if isinstance(value, list) else [] if value is None else [value]
        return chosen if kind == "MultiSelect" else next(iter(chosen), None)
    return _read(_as_text(value, old), new)


def _as_text(value: object, definition: Record) -> str | None:
    """Write a value as a person reads it: names for options, a day for a date."""
    if value is None or isinstance(value, str):
        return value
    if definition["data_type"] in OPTION_KINDS:
        names = {one["id"]: one["name"] for one in definition["options"]}
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(names.get(one, str(one)) for one in chosen) if chosen else None
    if definition["data_type"] == "Date" and isinstance(value, int) and abs(value) < _FAR:
        return (_EPOCH + timedelta(seconds=value)).date().isoformat()
    return json.dumps(value)


def _read(text: str | None, definition: Record) -> object:
    """Read a value of a definition's kind from a text (table "Value by kind")."""
    kind = definition["data_type"]
    if kind == "Checkbox":
        return text is not None and text.strip().casefold() == "true"
    if kind in OPTION_KINDS:
        found = [one["id"] for one in definition["options"] if one["name"] == text][:1]
        return found if kind == "MultiSelect" else next(iter(found), None)
    if kind == "Date":
        return _day(text)
    if kind in ("Float", "Currency"):
        return _number(text)
    if kind == "Percentage":
        number = _number(text)
        return None if number is None else int(number)
    return None if kind == "Connect" else text


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _day(text: str | None) -> int | None:
    try:
        day = datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (day - _EPOCH) // timedelta(seconds=1)
