"""The object types of Close: their names here, in paths, in searches and in events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActivityType:
    """A type of activity: its name here, `_type`, path, its object type in events, its share of all."""

    name: str
    kind: str
    path: str
    event: str | None
    share: float


ACTIVITIES = (
    ActivityType("emails", "Email", "email", "activity.email", 0.26),
    ActivityType("email_threads", "EmailThread", "emailthread", "activity.email_thread", 0.1),
    ActivityType("calls", "Call", "call", "activity.call", 0.14),
    ActivityType("notes", "Note", "note", "activity.note", 0.1),
    ActivityType("sms", "SMS", "sms", "activity.sms", 0.07),
    ActivityType("whatsapp_messages", "WhatsAppMessage", "whatsapp_message", "activity.whatsapp_message", 0.03),
    ActivityType("meetings", "Meeting", "meeting", "activity.meeting", 0.06),
    ActivityType("custom_activities", "CustomActivity", "custom", "activity.custom_activity", 0.04),
    ActivityType("created_activities", "Created", "created", "activity.created", 0.05),
    ActivityType("form_submissions", "FormSubmission", "form_submission", "activity.form_submission", 0.02),
    ActivityType("lead_status_changes", "LeadStatusChange", "status_change/lead", "activity.lead_status_change", 0.04),
    ActivityType(
        "opportunity_status_changes",
        "OpportunityStatusChange",
        "status_change/opportunity",
        "activity.opportunity_status_change",
        0.03,
    ),
    ActivityType("task_completed_activities", "TaskCompleted", "task_completed", "activity.task_completed", 0.03),
    ActivityType("lead_merges", "LeadMerge", "lead_merge", "activity.lead_merge", 0.01),
    ActivityType("import_updates", "ImportUpdate", "import_update", None, 0.02),
)
ACTIVITY_NAMES = tuple(one.name for one in ACTIVITIES)
BY_KIND = {one.kind: one for one in ACTIVITIES}
BY_PATH = {one.path: one for one in ACTIVITIES}

CORE = ("leads", "contacts", "opportunities", "tasks")
TABLES = (*CORE, *ACTIVITY_NAMES)

TASK_TYPES = (
    "lead",
    "incoming_email",
    "email_followup",
    "missed_call",
    "voicemail",
    "answered_detached_call",
    "opportunity_due",
    "incoming_sms",
    "outgoing_call",
)

SEARCHED = {"lead": "leads", "contact": "contacts", "opportunity": "opportunities", "task": "tasks"} | {
    one.event or f"activity.{one.path}": one.name for one in ACTIVITIES
}
"""Names by the object types of searches."""

CUSTOM_FIELD_KINDS = ("lead", "contact", "opportunity", "activity", "custom_object_type", "shared")

ADDED = {"custom_fields": "object_type", "bulk_actions": "kind", "memberships": "active"}
"""Fields that `records` adds to the API's own, because the API says them by the path."""

_EVENTS = {
    "leads": "lead",
    "contacts": "contact",
    "opportunities": "opportunity",
    "custom_activity_types": "custom_activity_type",
    "custom_object_types": "custom_object_type",
    "custom_objects": "custom_object",
    "memberships": "membership",
    "groups": "group",
    "smart_views": "saved_search",
    "phone_numbers": "phone_number",
    "email_templates": "email_template",
    "sms_templates": "sms_template",
    "sequences": "sequence",
    "sequence_subscriptions": "sequence_subscription",
    "comments": "comment",
    "comment_threads": "comment_thread",
    "unsubscribed_emails": "unsubscribed_email",
} | {one.name: one.event for one in ACTIVITIES if one.event}


EVENT_ACTIONS = (
    *("created", "updated", "deleted", "merged", "completed", "sent", "answered", "scheduled", "canceled"),
    *("started", "paused", "activated", "deactivated", "reverting", "reverted"),
)
SUBSCRIBED = frozenset(
    (
        *("lead", "contact", "opportunity", "custom_object", "unsubscribed_email", "import"),
        *(one.event for one in ACTIVITIES if one.event and one.name != "created_activities"),
        *(f"task.{one}" for one in TASK_TYPES),
        *(f"custom_fields.{one.removesuffix('_type')}" for one in CUSTOM_FIELD_KINDS),
        *("custom_activity_type", "custom_object_type", "membership", "group", "saved_search", "phone_number"),
        *("email_template", "sms_template", "sequence", "sequence_subscription", "comment", "comment_thread"),
    )
)
"""Object types of which a webhook can be told (page "webhooks", list of event types)."""


def event_type(name: str, record: dict[str, object]) -> str | None:
    """Give the object type that events have for a record; None if there are no events of such records."""
    if name == "tasks":
        return f"task.{record['_type']}"
    if name == "custom_fields":
        return f"custom_fields.{record['object_type']}".removesuffix("_type")
    if name == "bulk_actions":
        return f"bulk_action.{record['kind']}"
    if name == "exports":
        return f"export.{record['type']}"
    return _EVENTS.get(name)


def shown(name: str, record: dict[str, object]) -> dict[str, object]:
    """Give a record of a small list as the API does, without the field that `records` adds."""
    extra = ADDED.get(name)
    return {key: value for key, value in record.items() if key != extra} if extra else record


_COMMON = ("id", "display_name", "name", "organization_id", "created_by", "updated_by", "date_created", "date_updated")
FIELDS = {
    "lead": frozenset(
        (
            *_COMMON,
            *("description", "url", "status_id", "status_label", "html_url", "created_by_name", "updated_by_name"),
            *("contact_ids", "addresses", "contacts", "opportunities", "tasks", "integration_links"),
            *("primary_email", "primary_phone", "primary_address_summary", "contacts_summary", "localtime"),
            *("source", "recent_calls", "summaries"),
        )
    ),
    "contact": frozenset(
        (
            *_COMMON,
            *("emails", "phones", "urls", "integration_links", "lead_id", "lead_suggestions_operation_id"),
            *("recent_calls", "subscriptions", "timezone", "timezone_source", "title"),
        )
    ),
}
"""Every field that the documentation names."""
