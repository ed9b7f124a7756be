"""What a target should hold, made from the sandbox's own truth and the schema files, not by the tap's code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.close.object_types import ACTIVITY_NAMES
from tests.truth import Contract, compared

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.close import CloseAccount
    from tests.singer import Key, Record

SEARCHED = ("leads", "contacts")
CHANGING = (*SEARCHED, "opportunities", "tasks")
ACTIVITIES = ACTIVITY_NAMES
LISTED = (
    *("organization", "memberships", "users", "roles", "groups"),
    *("pipelines", "lead_statuses", "opportunity_statuses", "custom_fields"),
    *("custom_activity_types", "custom_object_types", "email_templates", "sms_templates", "connected_accounts"),
    *("send_as", "sequences", "sequence_subscriptions", "smart_views", "bulk_actions", "integration_links"),
    *("phone_numbers", "blocked_phone_numbers", "dialers", "outcomes", "playbooks", "forms", "scheduling_links"),
    *("shared_scheduling_links", "comment_threads", "webhooks", "exports", "unsubscribed_emails"),
)
#: Not selected unless asked for.
PER_PARENT = ("comments", "custom_objects")
#: Nor these: details that few want. `test_details.py` knows what they should have.
DETAILS = ("sequence_counts", "custom_field_schemas", "meeting_transcripts")
#: All that are selected.
ALL = (*CHANGING, "events", *ACTIVITIES, *LISTED)

KEYS = {
    "custom_fields": ("object_type", "id"),
    "bulk_actions": ("action", "id"),
    "unsubscribed_emails": ("email",),
    "sequence_counts": ("sequence_id",),
    "custom_field_schemas": ("object",),
}
MASKED = {
    "webhooks": ("signature_key",),
    "exports": ("download_url",),
}
MASK = "********"
WITH_CUSTOM_FIELDS = ("leads", "contacts", "opportunities", "custom_activities", "custom_objects")
#: What is not asked for: it has a stream of its own, or is made anew at each answer.
LEFT_OUT = {
    "leads": {
        *("contacts", "opportunities", "tasks"),
        *("primary_address_summary", "contacts_summary", "localtime", "recent_calls", "summaries"),
    },
    "contacts": {"recent_calls", "lead_suggestions_operation_id"},
    "organization": {"memberships", "inactive_memberships"},
}


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _date(text: str) -> str:
    return _moment(text)[:10]


CONTRACT = Contract("close", _moment, _date)


def expected(account: CloseAccount, stream: str) -> dict[Key, Record]:
    """Return every living record of a stream as it should arrive, by its key."""
    return {key_of(stream, record): record for record in map(_arriving(account, stream), account.records(stream))}


def key_of(stream: str, record: Record) -> Key:
    """Return the key of a record."""
    return tuple(record[name] for name in KEYS.get(stream, ("id",)))


def _arriving(account: CloseAccount, stream: str) -> Callable[[Record], Record]:
    left_out = LEFT_OUT.get(stream, set())
    masked = MASKED.get(stream, ())
    gathers = stream in WITH_CUSTOM_FIELDS
    users = {user["id"]: user for user in account.source.all_users} if stream == "memberships" else {}

    def arriving(record: Record) -> Record:
        for name in left_out:
            record.pop(name, None)
        if gathers:
            record = _gathered(record)
        if stream == "memberships":
            record["is_active"] = record.pop("active")
            record["organization_id"] = account.source.organization_id
            record["user"] = users.get(record["user_id"])
        if stream == "bulk_actions":
            record["action"] = record.pop("kind")
        record |= {name: MASK for name in masked if record.get(name) is not None}
        return CONTRACT.as_it_should_arrive(stream, record)

    return arriving


def _gathered(record: Record) -> Record:
    """Return the record with its custom fields in one object, by their ids."""
    custom = {name.removeprefix("custom."): value for name, value in record.items() if name.startswith("custom.")}
    rest = {name: value for name, value in record.items() if not name.startswith("custom.")}
    return {**rest, "custom_fields": custom}


def differences(account: CloseAccount, stream: str, table: dict[Key, Record]) -> dict[str, Any]:
    """Return the keys that are missing, surplus or different in a table; empty if it equals the truth.

    Values of custom fields are compared as they come; `tests/custom_truth.py` knows how their columns should be.
    """
    return compared(expected(account, stream), CONTRACT.without_custom_columns(stream, table))
