"""Makes tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import DAY, day_of, text_of
from sandbox.close.object_types import TASK_TYPES

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record


def task(source: RecordValues, number: str, created: int, updated: int, kind: str | None = None) -> Record:
    """Make a task (close.md 10.5)."""
    maybe, chance = source.maybe, source.chance
    kind = kind or ("lead" if chance(0.5) else source.one(list(TASK_TYPES)))
    lead_id, contact_id = source.lead_and_contact()
    due = created + source.below(60) * DAY
    date = None if chance(0.1) else day_of(due) if chance(0.5) else text_of(due)
    record = {
        "_type": kind,
        "id": number if kind == "lead" else number.replace("task_", "noti_"),
        "assigned_to": maybe(0.9, source.user_ids),
        "contact_id": contact_id,
        "contact_name": None,
        "lead_id": lead_id,
        "lead_name": "Acme «Süd»",
        "created_by": maybe(0.8, source.user_ids),
        "updated_by": maybe(0.8, source.user_ids),
        "date": date,
        "date_created": text_of(created),
        "date_updated": text_of(updated),
        "is_complete": chance(0.4),
        "object_id": None,
        "object_type": None,
        "organization_id": source.organization_id,
    }
    for key in ("assigned_to", "created_by", "updated_by"):
        record[f"{key}_name"] = source.names.get(record[key])
    if chance(0.5):
        record |= {"view": source.one(["inbox", "future", "archive"]), "deduplication_key": None}
    return record | _of_type(source, kind, date)


def _of_type(source: RecordValues, kind: str, date: str | None) -> Record:
    if kind == "lead":
        due = {"due_date": date} if source.chance(0.7) else {}
        return {"text": source.one(source.jobs), "is_dateless": date is None} | due
    return _MAKERS.get(kind, _call)(source)


def _incoming_email(source: RecordValues) -> Record:
    mails = [number for number in [source.maybe(1, source.ids["emails"])] if number]
    return {"emails": mails, "subject": source.one(source.deals), "body_preview": source.one(source.notes)}


def _email_followup(source: RecordValues) -> Record:
    texts = {"subject": source.one(source.deals), "body_preview": source.one(source.notes)}
    extra = {"total_emails_count_in_thread": 3} if source.chance(0.5) else {}
    return {"email_id": source.maybe(1, source.ids["emails"])} | texts | extra


def _opportunity_due(source: RecordValues) -> Record:
    return {
        "opportunity_note": source.one(source.deals),
        "opportunity_value": source.below(10_000),
        "opportunity_value_currency": "USD",
        "opportunity_value_formatted": "$1",
        "opportunity_value_period": "one_time",
    }


def _incoming_sms(source: RecordValues) -> Record:
    number = source.one(source.numbers)
    return {
        "text": source.one(source.notes),
        "local_phone": number,
        "remote_phone": number,
        "remote_phone_formatted": number,
        "remote_phone_description": "Kanton Zürich",
        "attachments": [],
    }


def _outgoing_call(source: RecordValues) -> Record:
    parents = dict.fromkeys(("sequence_id", "sequence_subscription_id", "step_id", "agent_config_id"))
    return {"text": source.one(source.jobs)} | parents


def _call(source: RecordValues) -> Record:
    number = source.one(source.numbers)
    return {
        "phone": number,
        "phone_formatted": number,
        "phone_number_description": None,
        "local_phone": number,
        "voicemail_url": source.maybe(0.5, source.urls),
        "voicemail_duration": source.below(90),
    }


def _answered_call(source: RecordValues) -> Record:
    call = {key: value for key, value in _call(source).items() if not key.startswith("voicemail")}
    return call | {"recording_url": source.maybe(0.5, source.urls)}


_MAKERS = {
    "incoming_email": _incoming_email,
    "email_followup": _email_followup,
    "opportunity_due": _opportunity_due,
    "incoming_sms": _incoming_sms,
    "outgoing_call": _outgoing_call,
    "answered_detached_call": _answered_call,
}
