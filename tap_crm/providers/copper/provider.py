"""What Copper is, said as data: its address and limit, its streams, and what holds for all of them."""

from __future__ import annotations

from tap_crm.contract.stream import EndpointRules, Identity, PagingParams, Provider
from tap_crm.providers.copper.credentials import authenticate
from tap_crm.providers.copper.hints import HINTS
from tap_crm.providers.copper.lists import ACCOUNT
from tap_crm.providers.copper.search import PAGE_SIZE, total_of
from tap_crm.providers.copper.settings import CopperSettings
from tap_crm.providers.copper.streams import STREAMS
from tap_crm.providers.copper.webhook_proof import EVENTS
from tap_crm.transport.pacing.rolling import ExtraLimit

PROVIDER = Provider(
    name="copper",
    title="Copper",
    base_url="https://api.copper.com/developer_api/v1",
    requests_per_minute=180,  # developer.copper.com: introduction/requests, a rolling window
    limit_is_known=True,
    extra_limits=(ExtraLimit(r"/[a-z_]+/bulk_(create|update)", 3, 1.0),),  # bulk-create-people
    streams=STREAMS,
    authenticate=authenticate,
    headers={"Content-Type": "application/json", "Accept": "application/json"},
    settings=CopperSettings,
    unused=frozenset({"inbox_signature_key"}),  # it signs nothing
    identity=Identity("account", ACCOUNT.ids),
    events=EVENTS,
    hints=HINTS,
    endpoints=EndpointRules(
        paging={"page": PagingParams("page_number", "page_size", PAGE_SIZE)},
        # developer.copper.com: the search pages, people/fetch-a-person-by-email, activities of a record
        reads_by_post=r"/[a-z_]+/search|/people/fetch_by_email|/(people|leads|companies|opportunities)/[^/]+/activities",
        total=lambda headers, _body: total_of(headers),
        usual=lambda method, path: "page" if method == "POST" and path.endswith("/search") else "none",
        whole_ids=True,
    ),
)
