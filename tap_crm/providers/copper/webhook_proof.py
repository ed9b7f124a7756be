"""How Copper sends events: unsigned, once, and never again.

Facts: developer.copper.com/webhooks (overview, create a subscription); help centre, article 8823460.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from tap_crm.contract.events import EventRules, Proven

if TYPE_CHECKING:
    from tap_crm.contract.events import Request

#: Our subscriptions let Copper send the token in this header, too.
TOKEN_HEADER = "X-Tap-Crm-Token"  # noqa: S105 - the header's name


def _may_prove(request: Request) -> bool:
    given = request.headers.get(TOKEN_HEADER.lower(), "")
    return hmac.compare_digest(given.encode(), request.token.encode())


def _prove(request: Request) -> Proven | None:
    return Proven() if _may_prove(request) else None


EVENTS = EventRules(prove=_prove, may_prove=_may_prove)
