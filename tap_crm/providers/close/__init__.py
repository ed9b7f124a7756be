"""Close (close.com): credentials, limits, streams.

Facts: developer.close.com, pages on authentication, rate limits and each object.
"""

from __future__ import annotations

from tap_crm.contract.stream import Identity, Provider
from tap_crm.providers.close.credentials import authenticate
from tap_crm.providers.close.organization import organization_ids
from tap_crm.providers.close.streams import STREAMS


def endpoint_group(method: str, path: str) -> str:
    """Return the group whose rate limit a request probably counts against (developer.close.com: rate limits).

    Close groups by method and path and does not say how; what answers tell of the limit corrects it.
    """
    return f"{method} {path.strip('/').partition('/')[0]}"


PROVIDER = Provider(
    name="close",
    title="Close",
    base_url="https://api.close.com/api/v1",
    requests_per_minute=1200,  # the documented example; the header of each answer tells the real limit
    streams=STREAMS,
    authenticate=authenticate,
    headers={"Content-Type": "application/json", "Accept": "application/json"},
    group_of=endpoint_group,
    unused=frozenset({"user_email", "date_order", "tables"}),
    identity=Identity("organization", organization_ids),
)
