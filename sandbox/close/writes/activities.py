"""Creates, changes and deletes activities of every type that can be written (writing.md 2.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from sandbox.close.moments import text_of
from sandbox.close.object_types import BY_PATH
from sandbox.close.parameters import SINGLE, Parameters
from sandbox.close.writes.activity_fields import (
    CALL,
    CALL_UPDATE,
    CUSTOM,
    CUSTOM_UPDATE,
    EMAIL,
    EMAIL_UPDATE,
    MEETING_UPDATE,
    NOTE,
    NOTE_UPDATE,
    SMS,
    SMS_UPDATE,
    STATUS_CHANGE_LEAD,
    STATUS_CHANGE_OPPORTUNITY,
    WHATSAPP,
    WHATSAPP_UPDATE,
)
from sandbox.close.writes.contact_details import country_of, formatted
from sandbox.close.writes.custom_values import CustomValues
from sandbox.close.writes.messages import INBOX, NEW_EMAIL, NEW_SMS, completed_email, completed_sms, sends
from sandbox.close.writes.notes import both_notes, html_of
from sandbox.close.writes.side_activities import activity_record, opportunity_statuses
from sandbox.close.writes.write import Body, Write, refuse
from sandbox.exchange import Record, Refusal

if TYPE_CHECKING:
    from sandbox.exchange import Answer

Complete: TypeAlias = Callable[[Write, "Record", "Record"], "Record"]
"""Gives what a record becomes beyond what was sent: of the fields sent, and of the record before."""


@dataclass(frozen=True, slots=True)
class Activity:
    """How a type of activity is written; None where it can not be created or changed."""

    new: Body | None = None
    changed: Body | None = None
    complete: Complete | None = None
    empty: Record = field(default_factory=dict)
    """What a new one has of which nothing was sent."""
    parameters: Parameters = SINGLE
    """What the address of a new one may have after the question mark."""


def create(write: Write, parts: tuple[str, ...]) -> Answer:
    """Create an activity; its lead is that of its contact if it names none."""
    path = parts[0]
    name, spec = BY_PATH[path].name, TYPES[path]
    given = write.given(_body(spec.new), parent=_parent(path, write.body()))
    given.pop("organization_id", None)
    if "created_by_id" in given:
        given["created_by"] = given.pop("created_by_id")
    if given.get("lead_id") is None:
        given["lead_id"] = _lead_of_contact(write, given.get("contact_id"))
    write.contact_of_lead(given.get("contact_id"), given["lead_id"])
    record = activity_record(write, name, given["lead_id"], given) | spec.empty | given
    if spec.complete:
        record |= spec.complete(write, given, {})
    write.add(name, record)
    sends(write, name, record, {})
    return write.answer(name, record["id"])


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change an activity."""
    path, number = parts
    name, spec = BY_PATH[path].name, TYPES[path]
    old = write.old(name, number)
    changes = write.given(_body(spec.changed), old, _parent(path, old))
    changes.pop("organization_id", None)
    if {"contact_id", "lead_id"} & set(changes):
        write.contact_of_lead(changes.get("contact_id", old["contact_id"]), changes.get("lead_id", old["lead_id"]))
    if "user_id" in changes:
        changes |= write.names(changes, "user_id")
    if spec.complete:
        changes |= spec.complete(write, changes, old)
    if write.change(name, old, changes):
        sends(write, name, old | changes, old)
    return write.answer(name, number)


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Delete an activity."""
    return write.delete(BY_PATH[parts[0]].name, parts[1])


def _parent(path: str, record: Record) -> str | None:
    """Give the type of a custom activity, which says what fields it has."""
    return str(record.get("custom_activity_type_id")) if path == "custom" else None


def _lead_of_contact(write: Write, contact_id: str | None) -> str:
    row = write.account.tables["contacts"].living.get(contact_id or "")
    if row is None or row.lead_id is None:
        refuse({"lead_id": "This field is required."})
        raise AssertionError
    return row.lead_id


def _body(body: Body | None) -> Body:
    if body is None:
        raise Refusal(405, "Method not allowed")
    return body


def _note(write: Write, given: Record, old: Record) -> Record:
    return _notes(given, old) | _pinned(write, given, old)


def _notes(given: Record, old: Record) -> Record:
    """Give both forms of a note; the same plain text again leaves the HTML as it is."""
    same = old and "note_html" not in given and "note" in given and given["note"] == old.get("note")
    return {} if same else both_notes(given)


def _pinned(write: Write, given: Record, old: Record) -> Record:
    pinned = given.get("pinned", old.get("pinned", False))
    if pinned is old.get("pinned", False):
        return {"pinned": pinned}
    return {"pinned": pinned, "pinned_at": text_of(write.now) if pinned else None}


def _call(_: Write, given: Record, old: Record) -> Record:
    found = _notes(given, old)
    if "phone" in given:
        found |= _phone(given["phone"], "remote") | {"remote_country_iso": _country(given["phone"])}
    if "recording_url" in given:
        found["has_recording"] = given["recording_url"] is not None
    return found if old else found | {"source": "External"}


def _phone(number: str | None, whose: str) -> Record:
    shown = None if number is None else formatted(number)
    return {f"{whose}_phone": number, f"{whose}_phone_formatted": shown}


def _country(number: str | None) -> str | None:
    return None if number is None else country_of(number)


def _custom(write: Write, given: Record, old: Record) -> Record:
    new = {"status": "published"} | old | given
    if new["status"] != "published":
        return _pinned(write, given, old)
    refuse(CustomValues(write.account, "activity", new["custom_activity_type_id"]).missing(new))
    first = old.get("status") != "published"
    return ({"last_published_at": text_of(write.now)} if first else {}) | _pinned(write, given, old)


def _whatsapp(_: Write, given: Record, __: Record) -> Record:
    found: Record = {}
    if "message_markdown" in given:
        found |= {"text": given["message_markdown"], "message_html": html_of(given["message_markdown"])}
    for whose in ("local", "remote"):
        if f"{whose}_phone" in given:
            found |= _phone(given[f"{whose}_phone"], whose)
    return found


def _meeting(_: Write, given: Record, __: Record) -> Record:
    html = given.get("user_note_html")
    return {"user_note": both_notes({"note_html": html})["note"]} if "user_note_html" in given else {}


def _lead_status(write: Write, given: Record, _: Record) -> Record:
    labels = {one["id"]: one["label"] for one in write.account.lists["lead_statuses"]}
    return {f"{when}_status_label": labels[given[f"{when}_status_id"]] for when in ("old", "new")}


def _opportunity_status(write: Write, given: Record, _: Record) -> Record:
    opportunity = write.editor.current("opportunities", given["opportunity_id"])
    if opportunity["lead_id"] != given["lead_id"]:
        refuse({"opportunity_id": "The opportunity belongs to another lead."})
    old, new = (_as_of(write, opportunity, given[f"{when}_status_id"]) for when in ("old", "new"))
    return opportunity_statuses(old, new)


def _as_of(write: Write, opportunity: Record, status_id: str) -> Record:
    (status,) = [one for one in write.account.lists["opportunity_statuses"] if one["id"] == status_id]
    (pipeline,) = [one for one in write.account.lists["pipelines"] if one["id"] == status["pipeline_id"]]
    return opportunity | {
        "status_id": status_id,
        "status_label": status["label"],
        "status_type": status["type"],
        "pipeline_id": pipeline["id"],
        "pipeline_name": pipeline["name"],
    }


_SEQUENCE = dict.fromkeys(("sequence_id", "sequence_name", "sequence_subscription_id"))
_PHONES = dict.fromkeys(
    f"{whose}_{what}" for whose in ("local", "remote") for what in ("phone", "phone_formatted", "country_iso")
)
_NO_NOTE = dict.fromkeys(("note", "note_html"))
_NOTE = _NO_NOTE | {"title": None, "source": None, "note_mentions": [], "pinned_at": None, "attachments": []}
_CALL = (
    dict.fromkeys(
        (
            *("dialer_id", "dialer_saved_search_id", "forwarded_to", "transferred_from", "transferred_to", "cost"),
            *("transferred_from_user_id", "transferred_to_user_id", "parent_meeting_id", "voicemail_url", "phone"),
            *("voicemail_duration", "outcome_id", "date_answered", "recording_url", "recording_duration"),
            *("recording_expires_at", "disposition"),
        )
    )
    | {"call_method": "regular", "direction": "outbound", "duration": 0, "status": "completed", "coach_legs": []}
    | dict.fromkeys(("is_forwarded", "is_joinable", "is_to_group_number", "has_recording"), False)
    | _SEQUENCE
    | _PHONES
    | _NO_NOTE
)
_CUSTOM = {"status": "published", "mentions": [], "source": "api"} | dict.fromkeys(
    ("last_published_at", "pinned_at", "mentions_updated_at")
)
_WHATSAPP = (
    _SEQUENCE
    | dict.fromkeys(("response_to_id", "integration_link", "integration_name"))
    | {"source": "API", "attachments": []}
)
TYPES = {
    "note": Activity(NOTE, NOTE_UPDATE, _note, _NOTE),
    "call": Activity(CALL, CALL_UPDATE, _call, _CALL),
    "custom": Activity(CUSTOM, CUSTOM_UPDATE, _custom, _CUSTOM),
    "email": Activity(EMAIL, EMAIL_UPDATE, completed_email, NEW_EMAIL | _SEQUENCE),
    "sms": Activity(SMS, SMS_UPDATE, completed_sms, NEW_SMS | _SEQUENCE | _PHONES, INBOX),
    "whatsapp_message": Activity(WHATSAPP, WHATSAPP_UPDATE, _whatsapp, _WHATSAPP, INBOX),
    "meeting": Activity(None, MEETING_UPDATE, _meeting),
    "status_change/lead": Activity(STATUS_CHANGE_LEAD, None, _lead_status),
    "status_change/opportunity": Activity(STATUS_CHANGE_OPPORTUNITY, None, _opportunity_status),
    "emailthread": Activity(),
    "form_submission": Activity(),
    "task_completed": Activity(),
}
"""By path; all of them can be deleted."""
