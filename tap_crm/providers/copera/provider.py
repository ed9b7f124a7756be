"""What Copera is, said as data: its address and limit, its streams, and what holds for all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_crm.contract.stream import EndpointRules, Identity, PagingParams, Provider
from tap_crm.providers.copera.credentials import authenticate
from tap_crm.providers.copera.hints import HINTS
from tap_crm.providers.copera.people import WORKSPACE
from tap_crm.providers.copera.settings import CoperaSettings
from tap_crm.providers.copera.streams import STREAMS, discover
from tap_crm.providers.copera.webhook_proof import EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID = re.compile(r"/[0-9a-fA-F]{24}(?=/|$)")


_ROW = "/board/{id}/table/{id}/row"
#: What writes rows: 30 creates a minute (developers.copera.ai: rate limits); nothing is published for the others.
_WRITES = {"POST " + _ROW: 30, "PATCH " + _ROW + "/{id}": 30, "DELETE " + _ROW + "/{id}": 30}


def route(method: str, path: str) -> str:
    """Return the route of a request: Copera counts each of them apart (developers.copera.ai: rate limits)."""
    return f"{method} {_ID.sub('/{id}', path)}"


def _usual_paging(_method: str, path: str) -> str:
    lists = {"chat/channels": "skip", "workspace/members": "skip", "workspace/teams": "skip", "bookings": "cursor"}
    return lists.get(path.strip("/"), "none")


def _total(_headers: Mapping[str, str], body: object) -> int | None:
    total = body.get("total") if isinstance(body, dict) else None
    return total if isinstance(total, int) else None


PROVIDER = Provider(
    name="copera",
    title="Copera",
    base_url="https://api.copera.ai/public/v1",
    requests_per_minute=50,  # developers.copera.ai: rate limits, a fixed window of a minute for each route
    limit_is_known=True,
    streams=STREAMS,
    authenticate=authenticate,
    headers={"Accept": "application/json"},
    group_of=route,
    rates=_WRITES,
    discover=discover,
    settings=CoperaSettings,
    unused=frozenset(
        {
            "start_date",
            "overlap_seconds",
            "activity_lookback_days",
            "reconcile_max_requests",
            "date_order",
            "custom_field_names",
        }
    ),
    identity=Identity("workspace", WORKSPACE.ids),
    events=EVENTS,
    hints=HINTS,
    endpoints=EndpointRules(
        paging={
            "skip": PagingParams("offset", "limit", 100),
            "cursor": PagingParams("cursor", "limit", 100, "nextCursor"),
        },
        total=_total,
        usual=_usual_paging,
    ),
)
