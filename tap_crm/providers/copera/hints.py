"""What Copera's webhooks hint at: bookings, which each run reads whole (developers.copera.ai: webhooks; bookings)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tap_crm.contract.hints import Hint, HintRules

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOOKINGS = "bookings"
#: Where a body may have the booking; its form is not documented.
_WITHIN = ("booking", "data", "payload")


def hints(body: bytes) -> list[Hint] | None:
    """Return what a webhook hints at; None if it is not understood."""
    try:
        found = msgspec.json.decode(body, type=dict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    keys = [key for part in _parts(found) if isinstance(key := part.get("uid"), str) and key]
    return [Hint(_BOOKINGS, keys[0])] if keys else None


def _parts(body: dict[str, object]) -> Iterator[dict[str, object]]:
    """Yield a body, and the objects in it that may be the booking."""
    yield body
    for name in _WITHIN:
        part = body.get(name)
        if isinstance(part, dict):
            yield from _parts({key: one for key, one in part.items() if isinstance(key, str)})


HINTS = HintRules(hints, frozenset({_BOOKINGS}))
