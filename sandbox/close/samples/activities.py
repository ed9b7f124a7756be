"""Makes activities: what all have, and the types that are conversations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sandbox.close.moments import MINUTE, SECOND, text_of
from sandbox.close.samples import system_activities

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record

Maker: TypeAlias = Callable[["RecordValues", int], "Record"]

_DIRECTIONS = ["inbound", "outbound"]
_MAIL_STATUSES = ["inbox", "draft", "scheduled", "outbox", "sent", "sent", "sent", "error"]
_CALL_STATUSES = ["completed", "completed", "completed", "no-answer", "busy", "failed", "cancel", "timeout"]
_MEETING_STATUSES = ["completed", "completed", "canceled", "declined-by-lead", "declined-by-org", None]
_SEQUENCE = dict.fromkeys(("sequence_id", "sequence_name", "sequence_subscription_id"))


def activity(source: RecordValues, kind: str, number: str, created: int, updated: int) -> Record:
    """Make an activity of a type (close.md 10.6)."""
    lead_id, contact_id = source.lead_and_contact()
    record = {
        "_type": kind,
        "id": number,
        "lead_id": lead_id,
        "contact_id": contact_id,
        "user_id": source.maybe(0.9, source.user_ids),
        "users": source.user_ids[:2] if kind == "Meeting" else [],
        "organization_id": source.organization_id,
        "activity_at": text_of(created) if source.chance(0.95) else None,
        "created_by": source.maybe(0.9, source.user_ids),
        "updated_by": source.maybe(0.9, source.user_ids),
        "date_created": text_of(created),
        "date_updated": text_of(updated),
    }
    source.named(record, "created_by", "updated_by", "user_id")
    return record | _MAKERS[kind](source, created)


def call(source: RecordValues, created: int) -> Record:
    """Make the fields that only a call has."""
    one, maybe = source.one, source.maybe
    number, recorded = one(source.numbers), source.chance(0.3)
    record = dict.fromkeys(
        (
            *("dialer_id", "dialer_saved_search_id", "forwarded_to", "transferred_from", "transferred_to"),
            *("transferred_from_user_id", "transferred_to_user_id", "parent_meeting_id", "voicemail_url"),
            *("voicemail_duration", "outcome_id"),
        )
    ) | {
        "call_method": one(["regular", "power"]),
        "direction": one(_DIRECTIONS),
        "duration": source.below(1_800),
        "disposition": maybe(0.8, ["answered", "no-answer", "vm-left"]),
        "status": one(_CALL_STATUSES),
        "source": one(["Close.io", "External"]),
        "cost": maybe(0.5, ["1.25", "0", "17"]),
        "note": maybe(0.7, source.notes),
        "note_html": maybe(0.5, source.html),
        "date_answered": text_of(created + 9 * SECOND) if source.chance(0.6) else None,
        "has_recording": recorded,
        "recording_url": one(source.urls) if recorded else None,
        "recording_duration": source.below(900) if recorded else None,
        "recording_expires_at": text_of(created + 86_400 * 30 * SECOND) if recorded else None,
        "is_forwarded": False,
        "is_joinable": False,
        "is_to_group_number": source.chance(0.1),
        "coach_legs": [],
    }
    if source.chance(0.1):
        record |= {"quality_info": None, "recording_transcript": {"summary_text": "Ça marche"}}
    return record | _phones(number) | {"phone": number} | _SEQUENCE


def email(source: RecordValues, created: int) -> Record:
    """Make the fields that only an email has; most are dated like the mail, in whole seconds."""
    one, maybe, chance = source.one, source.maybe, source.chance
    incoming, subject, sender, to = chance(0.5), maybe(0.95, source.notes), one(source.mails), one(source.mails)
    date = text_of(created - created % SECOND)
    envelope = {name: [] for name in ("cc", "bcc", "reply_to")} | {
        "from": [{"name": "", "email": sender}],
        "sender": [{"name": "Ödön", "email": sender}],
        "to": [{"name": None, "email": to}],
        "date": date,
        "subject": subject,
        "message_id": f"<{created}@mail.example>",
        "in_reply_to": None,
    }
    parents = ("in_reply_to_id", "email_account_id", "template_id", "template_name", "send_as_id")
    record = dict.fromkeys((*parents, "bulk_email_action_id", "followup_sequence_id", "followup_sequence_delay")) | {
        "subject": subject,
        "sender": sender,
        "to": [to],
        "cc": [],
        "bcc": [],
        "references": [],
        "message_ids": [envelope["message_id"]],
        "direction": "incoming" if incoming else maybe(0.9, ["outgoing"]),
        "status": "inbox" if incoming else one(_MAIL_STATUSES),
        "body_text": one(source.bodies),
        "body_html": one(source.html),
        "body_preview": maybe(0.9, source.notes),
        "envelope": envelope if chance(0.9) else None,
        "attachments": [],
        "date_sent": date if chance(0.9) else None,
        "date_scheduled": None,
        "thread_id": maybe(0.9, source.ids["email_threads"]),
        "has_reply": chance(0.2),
        "need_smtp_credentials": False,
        "followup_sequence_add_cc_bcc": False,
        "opens": [{"opened_at": date, "ip_address": "10.0.0.1"}] if chance(0.2) else [],
        "opens_summary": maybe(0.2, ["Opened 2 times"]),
        "send_attempts": [],
    }
    if chance(0.3):
        quoted = {"body_text_quoted": [{"text": "> Grüße", "expand": False}], "body_html_quoted": []}
        record |= quoted
    return record | _SEQUENCE


def email_thread(source: RecordValues, created: int) -> Record:
    """Make the fields that only a thread has, with slim emails."""
    count = 1 + source.below(3)
    slim = [
        {
            "id": source.one(source.ids["emails"]) if source.ids["emails"] else "acti_0",
            "_type": "Email",
            "subject": source.one(source.deals),
            "date_created": text_of(created + n * MINUTE),
            "status": "sent",
        }
        for n in range(count)
    ]
    return {
        "latest_normalized_subject": source.maybe(0.9, source.deals),
        "n_emails": count,
        "participants": [{"name": "王", "email": source.one(source.mails)}],
        "emails": slim,
        "latest_emails": slim[-1:],
    }


def note(source: RecordValues, created: int) -> Record:
    """Make the fields that only a note has."""
    pinned = source.chance(0.1)
    return {
        "note": source.maybe(0.95, source.notes),
        "note_html": source.maybe(0.9, source.html),
        "title": source.maybe(0.3, source.titles),
        "source": None,
        "note_mentions": [],
        "pinned": pinned,
        "pinned_at": text_of(created + MINUTE) if pinned else None,
        "attachments": [],
    }


def sms(source: RecordValues, created: int) -> Record:
    """Make the fields that only an SMS has."""
    record = {
        "text": source.maybe(0.95, source.notes),
        "direction": source.one(_DIRECTIONS),
        "status": source.one(_MAIL_STATUSES),
        "cost": source.maybe(0.5, ["2", "0.79"]),
        "date_sent": text_of(created) if source.chance(0.9) else None,
        "date_scheduled": None,
        "error_message": source.maybe(0.05, ["Carrier said «no»"]),
        "template_id": None,
        "source": "Close.io",
        "attachments": [],
    }
    return record | _phones(source.one(source.numbers)) | _SEQUENCE


def whatsapp(source: RecordValues, created: int) -> Record:
    """Make the fields that only a WhatsApp message has."""
    text = source.one(source.notes)
    record = {
        "external_whatsapp_message_id": f"wamid.{created}",
        "direction": source.one(["incoming", "outgoing"]),
        "text": text,
        "message_html": source.one(source.html),
        "message_markdown": text,
        "response_to_id": None,
        "integration_name": "Bridge",
        "integration_link": source.maybe(0.5, source.urls),
        "source": None,
        "attachments": [],
    }
    return record | _phones(source.one(source.numbers)) | _SEQUENCE


def meeting(source: RecordValues, created: int) -> Record:
    """Make the fields that only a meeting has; it starts when it says that it was created."""
    one, maybe = source.one, source.maybe
    duration = one([900, 1_800, 3_600])
    attendee = {"email": one(source.mails), "status": one(["yes", "no", "maybe", "noreply"]), "is_organizer": True}
    nulls = (
        *("calendar_event_link", "connected_account_id", "provider_calendar_event_id", "provider_calendar_type"),
        *("notetaker_id", "outcome_id", "playbook_id", "conversation_type_id", "user_note", "user_note_html"),
        *("user_note_date_updated", "summary", "outcome_reason", "playbook_reason", "conversation_type_reason"),
        *("outcome_autofill_confidence", "outcome_autofill_reasoning"),
    )
    return dict.fromkeys(nulls) | {
        "title": maybe(0.95, source.deals),
        "status": one(_MEETING_STATUSES),
        "starts_at": text_of(created),
        "ends_at": text_of(created + duration * SECOND),
        "duration": duration,
        "actual_duration": maybe(0.3, [duration]),
        "is_recurring": source.chance(0.1),
        "location": maybe(0.5, ["Zimmer 3", "https://meet.example/1"]),
        "note": maybe(0.5, source.notes),
        "source": one(["calendar", "external"]),
        "attendees": [attendee, attendee | {"name": None, "is_organizer": False, "user_id": source.user()}],
        "attached_call_ids": [],
        "calendar_event_uids": [f"{created}@cal.example"],
        "provider_calendar_ids": [],
        "user_note_mentions": [],
        "conference_links": [],
        "integrations": [],
    }


def _phones(number: str) -> Record:
    return {
        "local_phone": number,
        "local_phone_formatted": number,
        "remote_phone": number,
        "remote_phone_formatted": number,
        "local_country_iso": "US",
        "remote_country_iso": None,
    }


_MAKERS: dict[str, Maker] = {
    "Call": call,
    "Email": email,
    "EmailThread": email_thread,
    "Note": note,
    "SMS": sms,
    "WhatsAppMessage": whatsapp,
    "Meeting": meeting,
    "CustomActivity": system_activities.custom_activity,
    "Created": system_activities.created_activity,
    "FormSubmission": system_activities.form_submission,
    "LeadStatusChange": system_activities.lead_status_change,
    "OpportunityStatusChange": system_activities.opportunity_status_change,
    "TaskCompleted": system_activities.task_completed,
    "LeadMerge": system_activities.lead_merge,
    "ImportUpdate": system_activities.import_update,
}
