"""How Close sends events: signed, again for three days until they are answered, in any order.

Facts: developer.close.com/topics/webhooks; a retry's time may be the first attempt's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.contract.events import EventRules, Proven
from tap_crm.providers.common.signatures import from_digits, is_signed

if TYPE_CHECKING:
    from tap_crm.contract.events import Request

_HASH, _TIME = "close-sig-hash", "close-sig-timestamp"
#: How far the signed time may be from ours before the event counts as stale.
_FRESH_SECONDS = 300
_DAY = 86_400


def _may_prove(request: Request) -> bool:
    return bool(request.headers.get(_HASH)) and _TIME in request.headers


def _prove(request: Request) -> Proven | None:
    if not _may_prove(request):
        return None
    at = request.headers[_TIME]
    keys = [key for key in map(from_digits, request.keys) if key is not None]
    if not is_signed(request.headers[_HASH], at.encode("latin-1") + request.body, keys):
        return None
    return Proven(stale=not _is_fresh(at, request.now))


def _is_fresh(at: str, now: float) -> bool:
    try:
        return abs(now - float(at)) <= _FRESH_SECONDS
    except ValueError:
        return False


EVENTS = EventRules(prove=_prove, may_prove=_may_prove, retried_for=3 * _DAY)
