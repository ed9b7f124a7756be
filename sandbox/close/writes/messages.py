"""Emails and SMS: what becomes of what was sent to the API, and which of them would leave the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.parameters import Parameters
from sandbox.close.writes.contact_details import country_of, formatted
from sandbox.close.writes.notes import plain_of
from sandbox.close.writes.write import refuse

if TYPE_CHECKING:
    from sandbox.close.writes.write import Write
    from sandbox.exchange import Record

INBOX = Parameters(frozenset({"send_to_inbox"}), page=frozenset())
"""What a message that came in may be asked to do."""
_LEAVING = ("outbox", "scheduled")
_WITHOUT_SENDER = ("draft", "sent")
_PREVIEW = 100

NEW_EMAIL = dict.fromkeys(
    (
        *("subject", "sender", "body_text", "body_html", "envelope", "date_sent", "date_scheduled", "thread_id"),
        *("in_reply_to_id", "email_account_id", "template_id", "template_name", "send_as_id"),
        *("bulk_email_action_id", "followup_sequence_id", "followup_sequence_delay", "opens_summary"),
    )
) | {
    "to": [],
    "cc": [],
    "bcc": [],
    "references": [],
    "message_ids": [],
    "attachments": [],
    "opens": [],
    "send_attempts": [],
    "has_reply": False,
    "need_smtp_credentials": False,
    "followup_sequence_add_cc_bcc": False,
}
NEW_SMS = {"source": "External", "attachments": []} | dict.fromkeys(
    ("text", "cost", "date_sent", "date_scheduled", "error_message", "template_id")
)


def completed_email(_: Write, given: Record, old: Record) -> Record:
    """Give what follows of the fields of an email; one that is neither a draft nor past needs a sender."""
    new = old | given
    if new["status"] not in _WITHOUT_SENDER and not new.get("sender"):
        refuse({"sender": "This field is required."})
    found: Record = {"direction": "incoming" if new["status"] == "inbox" else "outgoing"}
    if "account_id" in given:
        found["email_account_id"] = given.pop("account_id")
    given.pop("followup_date", None)
    if {"body_text", "body_html"} & set(given) or not old:
        whole = new.get("body_text") or plain_of(new.get("body_html") or "")
        found["body_preview"] = whole[:_PREVIEW]
    if new["status"] in ("sent", "inbox") and not old.get("date_sent"):
        found["date_sent"] = given.get("activity_at") or given.get("date_created") or old.get("date_created")
    return found


def completed_sms(_: Write, given: Record, old: Record) -> Record:
    """Give what follows of the fields of an SMS."""
    found: Record = {}
    for whose in ("local", "remote"):
        number = given.get(f"{whose}_phone")
        if number is not None:
            found |= {f"{whose}_phone_formatted": formatted(number), f"{whose}_country_iso": country_of(number)}
    if not old:
        found["direction"] = given.get("direction", "inbound" if given["status"] == "inbox" else "outbound")
    return found


def sends(write: Write, name: str, new: Record, old: Record) -> None:
    """Note a message that Close would send because of this write."""
    if name in ("emails", "sms") and new["status"] in _LEAVING and old.get("status") not in _LEAVING:
        write.account.sent.append({"object": name, "id": new["id"], "status": new["status"]})
