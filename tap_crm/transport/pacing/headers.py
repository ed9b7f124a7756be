"""What an answer's headers tell of the rate limit; nothing in them is believed that makes no sense."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm.transport.clock import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

_PART = re.compile(r'(?:^|[\s,;"])(limit|remaining|reset|w)"?\s*=\s*"?([^\s,;"]+)', re.IGNORECASE)
#: Older spellings of the same; the reset may be an epoch there.
_LEGACY = ("X-Rate-Limit-", "X-RateLimit-")
_EPOCHS = 1_000_000_000.0
#: A limit of a day is a quota: spreading it over the day would make a run of minutes one of hours.
LONGEST_WINDOW = 3600.0
MOST_PER_SECOND, LEAST_PER_SECOND = 10_000.0, 1 / 60


@dataclass(frozen=True, slots=True)
class Told:
    """The limit nearest to being hit, as the server told it: each part may be missing."""

    limit: float | None = None
    remaining: float | None = None
    reset: float | None = None
    window: float | None = None


def told_limit(text: str | None) -> Told | None:
    """Return what a ``RateLimit`` header says: separated by commas or semicolons, in any order."""
    parts: dict[str, str] = {}
    for name, value in _PART.findall(text or ""):
        parts.setdefault(name.lower(), value)
    return _told(parts) if parts else None


def limit_of(headers: Mapping[str, str]) -> Told | None:
    """Return what the headers of an answer say of the limit, in the present spelling or in the legacy one."""
    told = told_limit(headers.get("RateLimit"))
    if told is not None:
        return told
    for prefix in _LEGACY:
        parts = {name: headers.get(prefix + name.title()) for name in ("limit", "remaining", "reset")}
        if any(parts.values()):
            found = _told({name: text for name, text in parts.items() if text})
            if found.reset is None or found.reset < _EPOCHS:
                return found
            now = http_date(headers.get("Date")) or time.time()
            return replace(found, reset=max(0.0, found.reset - now))
    return None


def _told(parts: Mapping[str, str]) -> Told:
    limit = _number(parts.get("limit"))
    remaining = _number(parts.get("remaining"))
    if limit is None or limit < 1 or (remaining is not None and remaining > limit):
        remaining = None
    return Told(limit or None, remaining, _number(parts.get("reset")), _number(parts.get("w")) or None)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
