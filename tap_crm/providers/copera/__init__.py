"""Copera (copera.ai): credentials, limits, streams.

Facts: university.copera.ai, developer guides; developer.copera.ai, reference.
"""

from __future__ import annotations

import re

from tap_crm.contract.stream import Identity, Provider
from tap_crm.providers.copera.credentials import authenticate
from tap_crm.providers.copera.people import workspace_ids
from tap_crm.providers.copera.streams import STREAMS, discover

_ID = re.compile(r"/[0-9a-fA-F]{24}(?=/|$)")


def route(method: str, path: str) -> str:
    """Return the route of a request: Copera counts each of them apart (developers.copera.ai: rate limits)."""
    return f"{method} {_ID.sub('/{id}', path)}"


PROVIDER = Provider(
    name="copera",
    title="Copera",
    base_url="https://api.copera.ai/public/v1",
    requests_per_minute=50,
    streams=STREAMS,
    authenticate=authenticate,
    headers={"Accept": "application/json"},
    group_of=route,
    discover=discover,
    unused=frozenset(
        {
            "user_email",
            "oauth",
            "start_date",
            "overlap_seconds",
            "activity_lookback_days",
            "reconcile_max_requests",
            "date_order",
            "custom_field_names",
        }
    ),
    identity=Identity("workspace", workspace_ids),
)
