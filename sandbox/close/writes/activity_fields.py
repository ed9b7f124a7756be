"""What the bodies of activities may have, as the published operations list it."""

from __future__ import annotations

from sandbox.close.writes.contact_details import phone_number
from sandbox.close.writes.fields import (
    USER,
    attachment,
    attendee,
    filled,
    listed,
    mail_address,
    moment,
    one_of,
    or_null,
    own_organization,
    plain_object,
    reference,
    secure_url,
    text,
    truth,
    whole,
)
from sandbox.close.writes.write import Body

_LEAD = reference("leads")
_CONTACT = or_null(reference("contacts"))
_ATTACHMENTS = or_null(listed(attachment), [])
_ADDRESSES = or_null(listed(mail_address), [])
_PHONE = or_null(phone_number)
_DIRECTION = one_of("inbound", "outbound")
_MAIL_STATUS = one_of("inbox", "draft", "scheduled", "outbox", "sent", "error")
_CALL_STATUS = one_of(
    *("created", "in-progress", "completed", "cancel", "no-answer", "busy", "failed", "timeout"),
)
_MADE = {
    "created_by_id": USER,
    "date_created": moment,
    "lead_id": _LEAD,
    "organization_id": own_organization,
    "user_id": USER,
}
"""What only new activities may have."""
_COMMON = {"activity_at": moment, "contact_id": _CONTACT}
_NOTES = {"note": or_null(text), "note_html": or_null(text)}

_NOTE = _COMMON | _NOTES | {"attachments": _ATTACHMENTS, "pinned": truth, "title": or_null(text)}
NOTE = Body(_NOTE | _MADE, frozenset({"lead_id"}))
NOTE_UPDATE = Body(_NOTE)

_CALL = (
    _COMMON
    | _NOTES
    | {
        "conversation_type_id": or_null(text),
        "duration": whole(0),
        "lead_id": _LEAD,
        "outcome_id": or_null(reference("outcomes")),
        "phone": _PHONE,
        "playbook_id": or_null(reference("playbooks")),
        "quality_info": or_null(plain_object),
        "recording_url": or_null(secure_url),
        "status": _CALL_STATUS,
        "user_id": USER,
        "voicemail_url": or_null(secure_url),
    }
)
CALL = Body(_CALL | _MADE | {"direction": _DIRECTION, "source": text})
CALL_UPDATE = Body(_CALL)

_CUSTOM = _COMMON | {"pinned": truth, "status": one_of("draft", "published")}
CUSTOM = Body(
    _CUSTOM | _MADE | {"custom_activity_type_id": reference("custom_activity_types")},
    frozenset({"custom_activity_type_id", "lead_id"}),
    custom="activity",
)
CUSTOM_UPDATE = Body(_CUSTOM, custom="activity")

_EMAIL = _COMMON | {
    "account_id": or_null(reference("connected_accounts")),
    "attachments": _ATTACHMENTS,
    "bcc": _ADDRESSES,
    "body_html": or_null(text),
    "body_text": or_null(text),
    "cc": _ADDRESSES,
    "followup_date": or_null(moment),
    "followup_sequence_add_cc_bcc": truth,
    "followup_sequence_delay": or_null(whole(0)),
    "followup_sequence_id": or_null(reference("sequences")),
    "in_reply_to_id": or_null(reference("emails")),
    "opens": or_null(listed(plain_object), []),
    "sender": or_null(filled),
    "status": _MAIL_STATUS,
    "subject": or_null(text),
    "template_id": or_null(reference("email_templates")),
    "to": _ADDRESSES,
    "user_id": USER,
}
EMAIL = Body(_EMAIL | _MADE, frozenset({"lead_id", "status"}))
EMAIL_UPDATE = Body(_EMAIL)

_SMS = _COMMON | {
    "attachments": _ATTACHMENTS,
    "lead_id": _LEAD,
    "local_phone": _PHONE,
    "remote_phone": _PHONE,
    "status": _MAIL_STATUS,
    "template_id": or_null(reference("sms_templates")),
    "text": or_null(text),
    "user_id": USER,
}
SMS = Body(_SMS | _MADE | {"direction": _DIRECTION, "source": text}, frozenset({"status"}))
SMS_UPDATE = Body(_SMS)

_WHATSAPP = _COMMON | {
    "attachments": _ATTACHMENTS,
    "direction": one_of("incoming", "outgoing"),
    "integration_link": or_null(text),
    "local_phone": phone_number,
    "message_markdown": text,
    "remote_phone": phone_number,
    "response_to_id": or_null(reference("whatsapp_messages")),
    "user_id": USER,
}
WHATSAPP = Body(
    _WHATSAPP | {"external_whatsapp_message_id": filled, "lead_id": _LEAD},
    frozenset(
        (
            *("activity_at", "contact_id", "direction", "external_whatsapp_message_id", "lead_id"),
            *("local_phone", "message_markdown", "remote_phone"),
        )
    ),
)
WHATSAPP_UPDATE = Body(_WHATSAPP)

MEETING_UPDATE = Body(
    {
        "attendees": listed(attendee),
        "outcome_id": or_null(reference("outcomes")),
        "user_note_html": or_null(text),
    }
)

_STATUSES = frozenset({"old_status_id", "new_status_id"})
_DATED = _MADE | {"activity_at": moment, "contact_id": _CONTACT}
_LEAD_STATUS, _OPPORTUNITY_STATUS = reference("lead_statuses"), reference("opportunity_statuses")
STATUS_CHANGE_LEAD = Body(_DATED | dict.fromkeys(_STATUSES, _LEAD_STATUS), _STATUSES | {"lead_id"})
STATUS_CHANGE_OPPORTUNITY = Body(
    _DATED | dict.fromkeys(_STATUSES, _OPPORTUNITY_STATUS) | {"opportunity_id": reference("opportunities")},
    _STATUSES | {"lead_id", "opportunity_id"},
)
