"""Every stream of Close, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.config.settings import DAY
from tap_crm.contract.stream import StreamSpec
from tap_crm.providers.close.activities import Activities
from tap_crm.providers.close.answers import USUAL_SIZE
from tap_crm.providers.close.custom_fields import KINDS, custom, definitions
from tap_crm.providers.close.details import SEQUENCE_COUNTS, FieldSchemas
from tap_crm.providers.close.events import DAYS_KEPT, OVERLAP, Events
from tap_crm.providers.close.hints import by_id
from tap_crm.providers.close.kinds import ListsOfKinds, per_lead, per_parent
from tap_crm.providers.close.lists import ChangeList, WholeList
from tap_crm.providers.close.organization import Groups, Memberships, Organization
from tap_crm.providers.close.search import NESTED, PAGE_SIZE, Search
from tap_crm.providers.common.receiver_address import token_in

if TYPE_CHECKING:
    from tap_crm.contract.stream import ById, CustomFields, Source

LOG_REACH = DAYS_KEPT * DAY
_DELETED = (
    "what was deleted by the next run, once more with its last content and `_sdc_deleted_at`, where the event log has "
    "it, else by the next reconcile"
)
_CHANGED = (
    "new and edited records by the next run, merged leads too, since what a merge moves is edited; "
    f"{_DELETED}; so leads that a merge ended"
)
_ACTIVITY = (
    "what was created since the last run, by the next run; edits and entries with an old date by the next run too, "
    "through the event log, if that run comes within 30 days; without access to the event log only within "
    f"`activity_lookback_days`; {_DELETED}"
)
_UNTOLD_ACTIVITY = (
    "what was created since the last run, by the next run; edits and entries with an old date only within "
    "`activity_lookback_days`, and deletions by the next reconcile: Close documents no events of these"
)

#: Without the contacts, opportunities and tasks of a lead: these are streams of their own.
_LEAD_FIELDS = (
    *("id", "display_name", "name", "description", "url", "status_id", "status_label", "html_url"),
    *("organization_id", "created_by", "created_by_name", "updated_by", "updated_by_name"),
    *("date_created", "date_updated", "contact_ids", "addresses", "integration_links"),
    *("primary_email", "primary_phone", "source", "custom"),
)
_CONTACT_FIELDS = (
    *("id", "lead_id", "display_name", "name", "title", "organization_id", "created_by", "updated_by"),
    *("date_created", "date_updated", "emails", "phones", "urls", "integration_links", "subscriptions"),
    *("timezone", "timezone_source", "custom"),
)
_SMART_VIEW_TYPES = (
    *("lead", "contact", "opportunity", "call", "email", "sms", "meeting", "note", "whatsapp_message"),
    *("custom_activity", "form_submission"),
)


def _activity(
    name: str, path: str, object_type: str, custom_fields: CustomFields | None = None, *, is_told: bool = True
) -> StreamSpec:
    return StreamSpec(
        name,
        ("id",),
        Activities(f"/activity/{path}/", f"activity.{object_type}", is_told),
        replication_key="date_created",
        created="date_created",
        changed="date_updated",
        told_for=LOG_REACH,
        lookback=lambda settings: settings.activity_lookback,
        custom=custom_fields,
        by_id=by_id(f"/activity/{path}/", page_size=USUAL_SIZE),
        caught=_ACTIVITY if is_told else _UNTOLD_ACTIVITY,
    )


def _whole(name: str, path: str, changed: str | None = "date_updated") -> StreamSpec:
    return StreamSpec(name, ("id",), WholeList(path), changed=changed)


def _changing(
    name: str,
    source: Source,
    one: ById,
    custom_fields: CustomFields | None = None,
    *,
    reconciled_by: str | None = None,
) -> StreamSpec:
    return StreamSpec(
        name,
        ("id",),
        source,
        replication_key="date_updated",
        created="date_created",
        changed="date_updated",
        reconciled_by=reconciled_by,
        told_for=LOG_REACH,
        custom=custom_fields,
        envelope=frozenset({"__object_type"}),
        by_id=one,
        caught=_CHANGED,
    )


STREAMS = (
    StreamSpec("organization", ("id",), Organization(), changed="date_updated"),
    StreamSpec("memberships", ("id",), Memberships()),
    _whole("users", "/user/"),
    _whole("roles", "/role/"),
    StreamSpec("groups", ("id",), Groups()),
    _changing(
        "leads",
        Search("lead", _LEAD_FIELDS),
        by_id("/lead/", _LEAD_FIELDS, page_size=PAGE_SIZE, nested=NESTED),
        custom("lead"),
    ),
    _changing(
        "contacts",
        Search("contact", _CONTACT_FIELDS),
        by_id("/contact/", _CONTACT_FIELDS, page_size=PAGE_SIZE),
        custom("contact"),
    ),
    _changing(
        "opportunities",
        ChangeList("/opportunity/", "opportunity", size=250),
        by_id("/opportunity/", page_size=250),
        custom("opportunity"),
    ),
    _changing(
        "tasks",
        ChangeList("/task/", "task", along="date_created", size=1000, params={"_type": "all"}),
        by_id("/task/", page_size=1000),
        reconciled_by="date_created",
    ),
    StreamSpec(
        "events",
        ("id",),
        Events(),
        replication_key="date_updated",
        lookback=lambda _: OVERLAP,
        changed="date_updated",
        is_log=True,
        caught="every event by the next run, if that comes within 30 days: Close keeps them no longer",
    ),
    _activity("emails", "email", "email"),
    _activity("calls", "call", "call"),
    _activity("notes", "note", "note"),
    _activity("meetings", "meeting", "meeting"),
    _activity("sms", "sms", "sms"),
    _activity("whatsapp_messages", "whatsapp_message", "whatsapp_message"),
    _activity("email_threads", "emailthread", "email_thread"),
    _activity("created_activities", "created", "created"),
    _activity("custom_activities", "custom", "custom_activity", custom("activity")),
    _activity("form_submissions", "form_submission", "form_submission"),
    _activity("lead_status_changes", "status_change/lead", "lead_status_change"),
    _activity("opportunity_status_changes", "status_change/opportunity", "opportunity_status_change"),
    _activity("task_completed_activities", "task_completed", "task_completed"),
    _activity("lead_merges", "lead_merge", "lead_merge"),
    _activity("import_updates", "import_update", "import_update", is_told=False),
    _whole("pipelines", "/pipeline/"),
    _whole("lead_statuses", "/status/lead/", changed=None),
    _whole("opportunity_statuses", "/status/opportunity/", changed=None),
    StreamSpec(
        "custom_fields",
        ("object_type", "id"),
        ListsOfKinds("/custom_field/", KINDS, "object_type", asked_once=definitions),
        changed="date_updated",
    ),
    _whole("custom_activity_types", "/custom_activity/"),
    _whole("custom_object_types", "/custom_object_type/"),
    _whole("email_templates", "/email_template/"),
    _whole("sms_templates", "/sms_template/"),
    StreamSpec(
        "connected_accounts",
        ("id",),
        WholeList("/connected_account/"),
        masked=frozenset(
            {"password", "access_token", "refresh_token", "imap.password", "smtp.password"},
        ),
    ),
    _whole("send_as", "/send_as/"),
    _whole("sequences", "/sequence/"),
    StreamSpec(
        "sequence_subscriptions",
        ("id",),
        per_parent("/sequence_subscription/", "sequence_id", "/sequence/"),
        changed="date_updated",
    ),
    StreamSpec(
        "smart_views",
        ("id",),
        # Without `type__in` only views of leads are listed.
        WholeList(
            "/saved_search/",
            {"type__in": ",".join(_SMART_VIEW_TYPES)},
            instead=tuple({"type": kind} for kind in _SMART_VIEW_TYPES),
        ),
        changed="date_updated",
    ),
    StreamSpec(
        "bulk_actions",
        ("action", "id"),
        ListsOfKinds("/bulk_action/", ("email", "edit", "delete", "sequence_subscription"), "action"),
        changed="date_updated",
    ),
    _whole("integration_links", "/integration_link/"),
    _whole("phone_numbers", "/phone_number/"),
    _whole("blocked_phone_numbers", "/blocked_phone_number/"),
    _whole("dialers", "/dialer/"),
    _whole("outcomes", "/outcome/"),
    _whole("playbooks", "/playbook/", changed="updated_at"),
    _whole("forms", "/form/"),
    _whole("scheduling_links", "/scheduling_link/", changed=None),
    _whole("shared_scheduling_links", "/shared_scheduling_link/", changed=None),
    _whole("comment_threads", "/comment_thread/", changed="updated_at"),
    StreamSpec(
        "webhooks",
        ("id",),
        WholeList("/webhook/"),
        changed="date_updated",
        masked=frozenset({"signature_key"}),
        masked_parts={"url": token_in("close")},
    ),
    StreamSpec("exports", ("id",), WholeList("/export/"), changed="date_updated", masked=frozenset({"download_url"})),
    StreamSpec("unsubscribed_emails", ("email",), WholeList("/unsubscribe/email/", key="email")),
    StreamSpec(
        "comments",
        ("id",),
        per_parent("/comment/", "thread_id", "/comment_thread/"),
        changed="updated_at",
        selected=False,
    ),
    StreamSpec(
        "custom_objects",
        ("id",),
        per_lead("/custom_object/", "lead_id"),
        changed="date_updated",
        selected=False,
        custom=custom("custom_object_type"),
    ),
    StreamSpec("sequence_counts", ("sequence_id",), SEQUENCE_COUNTS, selected=False),
    StreamSpec("custom_field_schemas", ("object",), FieldSchemas(), selected=False),
    StreamSpec(
        "meeting_transcripts",
        ("id",),
        # Only what is asked for by name has them.
        WholeList("/activity/meeting/", {"_fields": "id,lead_id,date_created,date_updated,transcripts"}),
        changed="date_updated",
        selected=False,
    ),
)
