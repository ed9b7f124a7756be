"""The knobs of the Copper server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from sandbox.behaviour import CommonBehaviour
from sandbox.exchange import Record  # noqa: TC001  (read at run time by `configure`)

if TYPE_CHECKING:
    from collections.abc import Callable

_SCATTER = 2_654_435_761
"""Spreads ids that follow each other over 32 bits."""

ModifiedFilter: TypeAlias = Literal["honoured", "ignored", "refused"]


@dataclass(slots=True, kw_only=True)
class Behaviour(CommonBehaviour):
    """How the server answers where the documentation leaves it open, or where accounts differ."""

    search_cap: int = 100_000
    """Records that a search gives at most."""
    cap_keeps: Literal["first", "oldest"] = "first"
    """`first`: those that come first in the order asked for. `oldest`: those of the lowest ids, in any order."""
    beyond_cap: Literal["empty", "error"] = "empty"
    page_cap: int = 200
    """Records that a page has at most, whatever `page_size` says; the next page begins after them."""
    page_numbers: Literal["honoured", "ignored"] = "honoured"
    """`ignored`: every page is the first one."""
    never_given: dict[str, list[int]] = field(default_factory=dict)
    """Ids by object that a search counts, and that take their places on its pages, but are never shown."""
    total: Literal["exact", "missing", "capped", "over"] = "exact"
    """What X-PW-TOTAL says; `missing` leaves it out, `capped` stops at `total_cap` or the search cap."""
    total_cap: int | None = None
    total_over: float = 0.1
    """Part by which `over` says too much."""
    modified_filter: dict[str, ModifiedFilter] = field(default_factory=dict)
    """By object; `honoured` where not named."""
    unstable_ties: bool = False
    """The order among equal sort keys differs at each request."""
    short_pages: float = 0.0
    short_pages_kind: Literal["transient", "filtered"] = "transient"
    """`transient`: an answer lacks this part of its rows, the next one asked for them has them.
    `filtered`: this part of the hits is counted but never given."""
    forbidden: list[str] = field(default_factory=list)
    """First path segments that are answered 403."""
    leads_enabled: bool = True
    team_permissions: bool = False
    tags_envelope: bool = False
    tags_page: int = 100
    extra_fields: bool | dict[str, Record] = False
    """Fields added to the rows of an object; true adds `brand_new_field` to people."""
    stubs_in_search: bool = False
    """Activities deleted while this is on stay in searches as stubs."""
    conversion_moves_modified: bool = True
    """Converting a lead moves its date_modified."""
    full_result_duplicates: float = 0.02
    """Part of the activities that full_result gives twice."""
    merge_moves_modified: bool = True
    """Merging moves the date_modified of records that pointed at the lost one, not only the survivor's."""
    hidden: dict[str, float | list[int]] = field(default_factory=dict)
    """What the key may not see of a searchable object: a part of its records (0 to 1), or those ids."""
    admin_key: bool = True
    """Whether the key is an admin's; full_result is ignored for others."""

    unwritable: Literal["refused", "ignored"] = "refused"
    """What a write does with attributes that are unknown, or that only the CRM sets."""
    empty_texts: Literal["kept", "null"] = "kept"
    """`null`: a text that is written as "" is null afterwards."""
    written_dates: Literal["epoch", "text", "both"] = "epoch"
    """How due dates, reminders, activity dates and custom dates may be written; answers have epoch seconds."""
    partial_address: Literal["replaced", "merged"] = "replaced"
    """Whether the parts that a written address lacks become null or stay; an empty one always clears."""
    unlisted_custom_fields: Literal["kept", "cleared"] = "kept"
    """What becomes of a record's custom fields that a written `custom_fields` does not list."""
    connect_values: Literal["refused", "ignored", "written"] = "refused"
    """What becomes of a written value of a Connect field."""
    contact_required: bool = True
    """An opportunity must have a primary contact."""
    required_fields: dict[str, list[str]] = field(default_factory=dict)
    """By object, the `field_key`s that its layout requires besides the name, and that writes may not leave empty."""
    company_of_person: Literal["ignored", "moved", "refused"] = "ignored"
    """What an update does with another `company_id` or `company_name` of a person; relations always move it."""
    duplicate_status: Literal[409, 422] = 422
    """How an e-mail address or a domain that another record has is refused."""
    unchanged_moves_modified: bool = True
    """An update that names attributes, but changes none, moves date_modified all the same."""
    upsert_sees: Literal["index", "records"] = "index"
    """Whether `/leads/upsert` finds leads as searches do, after the index lag, or at once."""
    upsert_by_email: bool = True
    upsert_matches_converted: bool = False
    converted_by_id: Literal["shown", "removed"] = "shown"
    """What the address of a converted lead answers, which searches still find; Copper says that it is removed."""
    email_lookup_sees: Literal["index", "records"] = "records"
    """Whether `/people/fetch_by_email` finds people as searches do, after the index lag, or at once."""
    bulk_rate_limit: int = 3
    """Bulk requests admitted a second; 0 means no limit of their own."""
    bulk_size: int = 10
    """Records that a bulk request may have."""
    unlisted_options: Literal["kept", "removed"] = "kept"
    """What becomes of options that an update of a definition does not list."""
    repeated_relation: Literal["refused", "accepted"] = "refused"
    """How a relation that is there already, or one to remove that is not there, is answered."""
    relations_move_modified: bool = False
    """Adding or removing a relation moves the date_modified of the record whose path was used."""
    webhook_targets: Literal["https", "any"] = "https"
    activity_events: Literal["all", "new"] = "all"
    """Whether activities have the events update and delete; Copper's pages disagree."""
    webhooks_shown: Literal["account", "key"] = "account"
    """`key`: a key sees only the subscriptions that were made by it."""
    notification_size: int = 30
    """Records of one change that a notification names, at most."""
    fields_apart: bool = False
    """An edit of several fields is told field by field, as the app saves them."""
    notifications_per_minute: int = 600
    notifications_per_ten_minutes: int = 1_800
    """0 means no limit."""
    beyond_notifications: Literal["lost", "late"] = "lost"
    """What becomes of notifications beyond the limits."""
    untold: list[Literal["merge", "convert"]] = field(default_factory=list)
    """Changes of which there are no notifications."""

    def hides(self, name: str) -> Callable[[int], bool] | None:
        """Give the test of the ids that are hidden from the key; None if it may see the whole object.

        A record that a part hides is hidden by every greater part, too.
        """
        what = self.hidden.get(name)
        if not what:
            return None
        if isinstance(what, list):
            return frozenset(what).__contains__
        limit = what * 2**32
        return lambda number: number * _SCATTER % 2**32 < limit

    def extra_for(self, name: str) -> Record:
        """Give the fields to add to rows of an object."""
        if isinstance(self.extra_fields, dict):
            return self.extra_fields.get(name, {})
        return {"brand_new_field": {"a": 1}} if self.extra_fields and name == "people" else {}
