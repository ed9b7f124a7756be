"""What Close is, said as data: its address and limit, its streams, and what holds for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.contract.stream import EndpointRules, Identity, PagingParams, Provider
from tap_crm.providers.close.answers import USUAL_SIZE
from tap_crm.providers.close.credentials import authenticate
from tap_crm.providers.close.hints import rules
from tap_crm.providers.close.organization import organization_ids
from tap_crm.providers.close.settings import CloseSettings
from tap_crm.providers.close.streams import STREAMS
from tap_crm.providers.close.webhook_proof import EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

#: More are cut down (developer.close.com: events).
EVENTS_PER_PAGE = 50


def endpoint_group(method: str, path: str) -> str:
    """Return the group whose rate limit a request probably counts against (developer.close.com: rate limits).

    Close groups by method and path and does not say how; what answers tell of the limit corrects it.
    """
    return f"{method} {path.strip('/').partition('/')[0]}"


def _usual_paging(method: str, path: str) -> str:
    return "cursor" if method == "POST" or path.strip("/") == "event" else "skip"


def _total(_headers: Mapping[str, str], body: object) -> int | None:
    total = body.get("total_results") if isinstance(body, dict) else None
    return total if isinstance(total, int) else None


PROVIDER = Provider(
    name="close",
    title="Close",
    base_url="https://api.close.com/api/v1",
    requests_per_minute=1200,  # the documented example; the header of each answer tells the real limit
    streams=STREAMS,
    authenticate=authenticate,
    headers={"Content-Type": "application/json", "Accept": "application/json"},
    group_of=endpoint_group,
    settings=CloseSettings,
    unused=frozenset({"date_order"}),
    identity=Identity("organization", organization_ids),
    change_log="events",
    events=EVENTS,
    hints=rules(STREAMS),
    endpoints=EndpointRules(
        paging={
            "skip": PagingParams("_skip", "_limit", None),
            "cursor": PagingParams("_cursor", "_limit", EVENTS_PER_PAGE, "cursor_next"),
            "POST cursor": PagingParams("cursor", "_limit", USUAL_SIZE, "cursor"),
        },
        reads_by_post=r"/data/search/|/report/.+",
        total=_total,
        usual=_usual_paging,
        ends_in_slash=True,
    ),
)
