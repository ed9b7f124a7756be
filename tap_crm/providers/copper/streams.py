"""Every stream of Copper, as data."""

from __future__ import annotations

from tap_crm.contract.stream import StreamSpec
from tap_crm.providers.common.receiver_address import token_in
from tap_crm.providers.common.whole_list import WholeList
from tap_crm.providers.copper.custom_fields import Definitions, custom
from tap_crm.providers.copper.hints import by_id
from tap_crm.providers.copper.lists import ACCOUNT, ActivityTypes, FieldLayouts, Tags
from tap_crm.providers.copper.related import files, per_record, related_items, related_links
from tap_crm.providers.copper.search import ActivitySearch, Search, SearchPages

_EDITS = (
    "new and edited records by the next run; deleted and merged ones by the next reconcile, since they leave no trace "
    "in the API, or with an inbox by the next run, where Copper tells of them; whether a new relation or an "
    "interaction moves `date_modified` is not documented"
)


def _by_change(name: str, kind: str, caught: str = _EDITS) -> StreamSpec:
    return StreamSpec(
        name,
        ("id",),
        Search(name),
        replication_key="date_modified",
        created="date_created",
        changed="date_modified",
        custom=custom(kind),
        by_id=by_id(name),
        caught=caught,
    )


STREAMS = (
    StreamSpec("account", ("id",), ACCOUNT),
    StreamSpec("field_layouts", ("entity", "pipeline_id", "field_id"), FieldLayouts()),
    StreamSpec("tags", ("name",), Tags()),
    _by_change("people", "person"),
    _by_change("companies", "company"),
    _by_change("leads", "lead", f"{_EDITS}; converted leads stay, with `converted_at`"),
    _by_change("opportunities", "opportunity"),
    _by_change("projects", "project"),
    _by_change("tasks", "task"),
    StreamSpec(
        "activities",
        ("id",),
        ActivitySearch(),
        replication_key="activity_date",
        created="date_created",
        changed="date_modified",
        lookback=lambda settings: settings.activity_lookback,
        by_id=by_id("activities"),
        caught="what is dated after the last run, or in the future, by the next run; edits and back-dated entries "
        "within `activity_lookback_days`; deletions by the next run where Copper gives their stub, else, like older "
        "edits, by the next reconcile",
    ),
    StreamSpec("pipelines", ("id",), WholeList("/pipelines")),
    StreamSpec("pipeline_stages", ("id",), WholeList("/pipeline_stages")),
    StreamSpec("custom_fields", ("id",), Definitions()),
    StreamSpec("users", ("id",), SearchPages("users")),
    StreamSpec("activity_types", ("id", "category"), ActivityTypes()),
    StreamSpec("custom_activity_types", ("id",), WholeList("/custom_activity_types")),
    StreamSpec("contact_types", ("id",), WholeList("/contact_types")),
    StreamSpec("customer_sources", ("id",), WholeList("/customer_sources")),
    StreamSpec("loss_reasons", ("id",), WholeList("/loss_reasons")),
    StreamSpec("lead_statuses", ("id",), WholeList("/lead_statuses")),
    StreamSpec(
        "webhooks",
        ("id",),
        WholeList("/webhooks"),
        masked=frozenset({"secret", "headers"}),
        masked_parts={"target": token_in("copper")},
    ),
    StreamSpec(
        "related_items",
        ("parent_type", "parent_id", "type", "id"),
        per_record(("leads", "people", "companies", "opportunities", "projects", "tasks"), related_items),
        selected=False,
    ),
    StreamSpec(
        "related_links",
        ("id",),
        per_record(("people", "opportunities", "leads", "companies", "projects"), related_links),
        selected=False,
    ),
    StreamSpec(
        "files",
        ("parent_type", "parent_id", "id"),
        per_record(("leads", "people", "opportunities", "companies", "projects"), files),
        changed="date_modified",
        selected=False,
    ),
)
