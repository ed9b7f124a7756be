"""The knobs of the Close server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from zlib import crc32

from sandbox.behaviour import CommonBehaviour

KNOWN_LIMITS = {
    "lead": 200,
    "opportunity": 250,
    "task": 1_000,
    "user": 1_000,
    "sequence": 1_000,
    "custom_field": 1_000,
    "data/search": 200,
    "event": 50,
}
"""The greatest `_limit` of each resource that is known to work (close.md, section 5); 100 for all others."""
_SKIP_CAP = 250_000
_ALL_IDS = 1 << 32


@dataclass(slots=True)
class DocumentDeleted:
    """Every so many list pages, 404 because a record on the page was deleted while the page was read."""

    every: int = 0
    times: int = 1
    """Answers in a row that are like this."""
    limit: int = 0
    """If set, the same page is like this until its `_limit` is at most that."""


@dataclass(slots=True, kw_only=True)
class Behaviour(CommonBehaviour):
    """How the server answers where the documentation leaves it open, or where organizations differ."""

    rate_limit: int = 160
    """Requests of one key admitted per window and endpoint group; the organization has three times as many."""
    rate_limits: dict[str, int] = field(default_factory=dict)
    """Other limits, by the first part of the path: `lead`, `contact`."""
    rate_window: float = 8.0
    retry_after: Literal["none", "seconds", "date"] = "seconds"
    rate_scope: Literal["group", "key"] = "group"
    """`key`: one bucket for all endpoints."""
    rate_header: Literal["comma", "semicolon", "none"] = "comma"
    legacy_rate_headers: bool = False
    """The x-rate-limit-* headers, too."""
    rate_body: Literal["none", "error", "top_level", "text"] = "none"
    """The body of a 429; the two older JSON shapes, or no JSON at all."""
    oauth_ttl: float = 3600.0
    """Seconds that an access token is valid."""
    unknown_parameters: Literal["refused", "ignored"] = "refused"
    unlisted_paging: Literal["refused", "honoured"] = "refused"
    """Whether lists come in pages of which Close's OpenAPI document does not say so, but no other page denies it."""
    limit_caps: dict[str, int] = field(default_factory=dict)
    """The greatest `_limit` by resource, the path without slashes at its ends; else what is known to work."""
    skip_caps: dict[str, int] = field(default_factory=dict)
    """The greatest `_skip` by resource; 250,000 for all others."""
    skip_error: Literal["old", "new"] = "old"
    searchable: list[str] = field(default_factory=lambda: ["lead", "contact"])
    """Object types that searches accept; also possible: opportunity, task, activity.email and so on."""
    search_cap: int = 10_000
    """Objects that the pages of one cursor give at most, together."""
    cap_looks: Literal["null", "error"] = "null"
    """How the cap shows: the cursor ends, or the next page is refused."""
    cursor_ttl: float = 30.0
    cursor_kind: Literal["snapshot", "offset"] = "snapshot"
    """What a cursor remembers: the ids found at first, or only how far it came."""
    search_precision: Literal["millisecond", "second"] = "millisecond"
    """`second`: the moments of a query are cut to seconds."""
    search_counts: Literal["exact", "missing"] = "exact"
    never_given: list[str] = field(default_factory=list)
    """Ids that searches count, and that take their places on their pages, but that are never shown."""
    fields_cap: int = 100
    """Custom fields that `_fields` of a search may name one by one."""
    totals: Literal["shown", "missing"] = "shown"
    """Whether lists have `total_results`."""
    unpaged_has_more: Literal["missing", "shown"] = "missing"
    """Whether lists without pages have `has_more`."""
    unstable_ties: bool = False
    """The order among equal sort keys differs at each request."""
    activity_order: Literal["honoured", "ignored", "refused"] = "honoured"
    """What `_order_by=date_created` does for activities; it is in use, but not documented."""
    event_lag: float = 0.0
    """Seconds until an event shows, at most; some show sooner, so their order is mixed up."""
    event_consolidation: float = 30.0
    """Seconds within which changes of one object share an event."""
    event_bounds: Literal["honoured", "first_page"] = "honoured"
    """Whether `date_updated__*` counts together with `_cursor`."""
    merge_deletes_source: bool = False
    """Whether a merge also writes a `deleted` event of the lead that disappears."""
    children_move_lead: bool = False
    """Whether changes of contacts and opportunities raise the lead's `date_updated`."""
    document_deleted: DocumentDeleted = field(default_factory=DocumentDeleted)
    shortened_pages: float = 0.0
    """Part of the rows that list pages lack, with `has_more` true; the next answer has them."""
    shortened_where: Literal["anywhere", "tail"] = "anywhere"
    empty_pages: int = 0
    """Every so many list pages, an empty one with `has_more` true; the next answer is whole."""
    endless: list[str] = field(default_factory=list)
    """Resources of which each answer says that there is more."""
    stuck: list[str] = field(default_factory=list)
    """Resources that give their first page whatever `_skip` or cursor is asked for; whether there is more is
    said as if they did not."""
    ignored_filters: list[str] = field(default_factory=list)
    """Resources whose filters are silently ignored."""
    id_in: Literal["honoured", "refused", "ignored"] = "honoured"
    forbidden: list[str] = field(default_factory=list)
    """Resources that are answered 403."""
    forbidden_body: Literal["json", "html"] = "json"
    event_reach: float = 30 * 86_400.0
    """Seconds that the event log reaches back; the generated history is 30 days long at most."""
    deleted_missing: float = 0.0
    """Part of the `deleted` events that are never written."""
    deleted_late: float = 0.0
    """Part of the `deleted` events that show only after `deleted_delay`, dated as if they had been there."""
    deleted_delay: float = 60.0
    hidden: dict[str, float] = field(default_factory=dict)
    """Part of the records of an object, by its name, that the key does not see (any more)."""
    hidden_ids: set[str] = field(default_factory=set)
    """Ids of more records that it does not see."""
    admin_key: bool = True
    """Whether the key is an admin's; others see no `data` of events older than an hour."""
    consolidated_author: Literal["first", "last"] = "first"
    """Whose user, key and request an event names that several changes share."""
    trace_id: Literal["other", "request_id", "none"] = "other"
    """What the header `trace-id` of an answer has: the id that events have of the request, or another one."""
    unknown_fields: Literal["refused", "ignored"] = "refused"
    """What a field in a body does that is not documented, or can not be written."""
    noop_update: Literal["untouched", "dated"] = "untouched"
    """Whether a PUT that changes nothing moves `date_updated`."""
    child_lists: Literal["database", "index"] = "database"
    """What lists that are asked for the children of a lead read; the index may lack new ones for `index_lag`."""
    add_twice: Literal["ignored", "refused", "doubled"] = "ignored"
    """What `.add` does with a value that the field has already."""
    empty_values: Literal["cleared", "kept"] = "cleared"
    """What "" and [] make of a custom field: no value, or a value that is empty."""
    choice_refusal: Literal["field_errors", "error"] = "field_errors"
    """How a value is refused that is none of the choices."""
    unsubscribed_twice: Literal["same", "refused"] = "same"
    """What an address gets that is unsubscribed already."""
    bare_deletes: Literal["204", "200"] = "204"
    """What the deletion of a comment or of an unsubscribed address answers."""
    side_activities: bool = True
    """Whether Close notes new leads, changed statuses and completed tasks as activities."""
    webhook_targets: Literal["https", "any"] = "https"
    refused_events: list[str] = field(default_factory=list)
    """What a subscription may not name, as `object_type`, or `object_type action`."""
    event_refusal: Literal["named", "plain"] = "named"
    """Whether the refusal of an event says which one it was."""
    signature_keys_shown: Literal["created", "always"] = "created"
    """Whether a subscription shows its key ever after, or in the answer to its creation only."""
    webhook_consolidation: float = 0.0
    """Seconds that `updated` and `deleted` events wait for more changes before they are delivered."""
    webhook_retry_seconds: float = 72 * 3_600.0
    """Seconds after which an event that was never taken is dropped."""
    webhook_pause_seconds: float = 72 * 3_600.0
    """Seconds of failures alone after which a subscription is paused."""
    webhook_backlog: int = 100_000
    """Waiting events with which a subscription is paused."""
    paused_events: Literal["delivered", "dropped"] = "delivered"
    """What becomes of the events of a pause once the subscription is active again."""
    plan_limits: dict[str, int] = field(default_factory=dict)
    """The greatest number of records by resource (`lead`, `activity/custom`); 402 for one more."""

    def hides(self, name: str, number: str) -> bool:
        """Whether the key does not see a record; with a greater part, those hidden before stay so."""
        part = self.hidden.get(name, 0.0)
        return number in self.hidden_ids or crc32(number.encode()) < part * _ALL_IDS

    @property
    def hiding(self) -> bool:
        """Whether any record is hidden at all."""
        return bool(self.hidden or self.hidden_ids)

    def limit_cap(self, resource: str) -> int:
        """Give the greatest `_limit` of a resource."""
        return by_resource(self.limit_caps, resource, by_resource(KNOWN_LIMITS, resource, 100))

    def skip_cap(self, resource: str) -> int:
        """Give the greatest `_skip` of a resource."""
        return by_resource(self.skip_caps, resource, _SKIP_CAP)


def by_resource(values: dict[str, int], resource: str, otherwise: int) -> int:
    """Look a resource up, or the nearest one above it: `activity/email`, then `activity`."""
    while resource not in values and "/" in resource:
        resource = resource.rpartition("/")[0]
    return values.get(resource, otherwise)


def named(resources: list[str], resource: str) -> bool:
    """Whether a list of resources names this one, or one above it."""
    return any(resource == one or resource.startswith(f"{one}/") for one in resources)
