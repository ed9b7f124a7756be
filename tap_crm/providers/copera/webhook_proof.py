"""How Copera sends events: of bookings alone, signed, three times.

Facts: the webhooks of bookings on Copera's developer site. Whether the key is used as text or, where it is one, as a
hexadecimal number, is not said: both prove.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.contract.events import EventRules, Proven
from tap_crm.providers.common.signatures import from_digits, is_signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.contract.events import Request

_SIGNATURE, _METHOD = "x-copera-signature", "sha256="


def _may_prove(request: Request) -> bool:
    return request.headers.get(_SIGNATURE, "").lower().startswith(_METHOD)


def _prove(request: Request) -> Proven | None:
    if not _may_prove(request):
        return None
    signature = request.headers[_SIGNATURE][len(_METHOD) :]
    return Proven() if is_signed(signature, request.body, _keys(request)) else None


def _keys(request: Request) -> Iterator[bytes]:
    for key in request.keys:
        yield key.encode()
        if digits := from_digits(key):
            yield digits


EVENTS = EventRules(prove=_prove, may_prove=_may_prove)
