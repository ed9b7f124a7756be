"""What a refusal says: the CRM's own words, and how long it asks to wait."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from tap_crm.config.redaction import HIDDEN
from tap_crm.transport.clock import http_date
from tap_crm.transport.pacing.headers import told_limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import requests

MESSAGE_LENGTH = 200
SHORTEST_SECRET = 8
LONGEST_WAIT_ASKED = 3600.0
#: Waited on top, since clocks differ.
A_BLINK = 0.05
#: Deeper than any explanation that was meant to be read.
DEEPEST = 5


def words(response: requests.Response, secrets: Iterable[str] = ()) -> str:
    """Return the CRM's own words on a refusal, in one line, shortened and without secrets; "" if there are none.

    Args:
        response: the refusal.
        secrets: what the question's body held that is not to be shown; what its headers held never is.
    """
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    text = _explanation(body) if isinstance(body, dict) else ""
    for sent in response.request.headers.values():
        for word in str(sent).split():
            if len(word) >= SHORTEST_SECRET:
                text = text.replace(word, HIDDEN)
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return " ".join(text.split())[:MESSAGE_LENGTH]


def _explanation(body: Mapping[str, object]) -> str:
    """Return the text where CRMs put it: a message, an error, or errors of the whole and of single fields."""
    error = body.get("error")
    for text in (body.get("message"), error, error.get("message") if isinstance(error, dict) else None):
        if isinstance(text, str) and text.strip():
            return text
    return "; ".join([*_flat(body.get("errors")), *_flat(body.get("field-errors"))])


def _flat(part: object, name: str = "", depth: int = 0) -> Iterator[str]:
    """Yield every text in it, each with the path of the fields that it is about."""
    if isinstance(part, str):
        if part.strip():
            yield f"{name}: {part}" if name else part
    elif depth < DEEPEST:
        if isinstance(part, dict):
            for field, value in part.items():
                yield from _flat(value, f"{name}.{field}" if name else str(field), depth + 1)
        elif isinstance(part, list):
            for value in part:
                yield from _flat(value, name, depth + 1)


def wait_asked(headers: Mapping[str, str], now: float, body: bytes = b"") -> float | None:
    """Return the seconds for which a 429 asks to wait; None if nothing in it tells.

    The limit's reset, else ``Retry-After``, else ``retryAfter`` in the body, else the older spellings of the reset.
    """
    told = told_limit(headers.get("RateLimit"))
    if told is not None and told.reset:
        return min(told.reset, LONGEST_WAIT_ASKED) + A_BLINK
    asked = retry_after(headers, now)
    if asked is not None:
        return asked
    said = _in_body(body)
    if said is not None:
        return said
    for name in ("RateLimit-Reset", "X-Rate-Limit-Reset", "X-RateLimit-Reset"):
        seconds = _seconds(headers.get(name), now)
        if seconds is not None:
            return seconds
    return None


def _in_body(body: bytes) -> float | None:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    seconds = said.get("retryAfter") if isinstance(said, dict) else None
    return _bounded(float(seconds)) if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, given as seconds or as a date; None without it."""
    text = headers.get("Retry-After")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = http_date(text)
        if moment is None:
            return None
        seconds = moment - now
    return _bounded(seconds)


def _seconds(text: str | None, now: float) -> float | None:
    """Return the seconds until a reset that is given as seconds or as an epoch."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return _bounded(seconds - now if seconds > now / 2 else seconds)


def _bounded(seconds: float) -> float | None:
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_ASKED) + A_BLINK
