"""Creates, changes and deletes opportunities (writing.md 2.1, 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import text_of
from sandbox.close.writes.fields import (
    USER,
    attachment,
    day,
    listed,
    moment,
    one_of,
    or_null,
    reference,
    text,
    whole,
)
from sandbox.close.writes.leads import add_lead
from sandbox.close.writes.notes import both_notes
from sandbox.close.writes.side_activities import note_opportunity_status
from sandbox.close.writes.write import Body, Write, refuse, without_nulls

if TYPE_CHECKING:
    from sandbox.exchange import Answer, Record

_PERIODS = {"one_time": 1, "monthly": 12, "annual": 1}
_SUFFIX = {"one_time": "", "monthly": " monthly", "annual": " annual"}
_CHANGED = {
    "attachments": or_null(listed(attachment), []),
    "confidence": whole(0, 100),
    "contact_id": or_null(reference("contacts")),
    "date_won": or_null(day),
    "lead_id": or_null(reference("leads")),
    "note": or_null(text),
    "note_html": or_null(text),
    "pipeline_id": reference("pipelines"),
    "status_id": reference("opportunity_statuses"),
    "user_id": USER,
    "value": or_null(whole(0)),
    "value_period": one_of(*_PERIODS),
}
_NEW = Body(_CHANGED | {"created_by": USER, "date_created": moment}, custom="opportunity")
_UPDATE = Body(_CHANGED, custom="opportunity")


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Create an opportunity; without a lead, one is made."""
    given = write.given(_NEW)
    status = _status(write, given, None)
    lead_id = given.pop("lead_id", None)
    write.contact_of_lead(given.get("contact_id"), lead_id)
    write.room("opportunities")
    if lead_id is None:
        lead_id = add_lead(write, {}, [])["id"]
    record = write.new(write.account.source.long("oppo"), given)
    defaults: Record = {
        "contact_id": None,
        "user_id": write.user_id,
        "note": None,
        "note_html": None,
        "confidence": 50,
        "value": None,
        "value_period": "one_time",
        "date_won": None,
        "date_lost": None,
        "attachments": [],
        "integration_links": [],
        "is_stalled": False,
    }
    record |= defaults | given | {"lead_id": lead_id} | both_notes(given)
    record |= _of_status(write, status, {}, given) | _derived(record)
    record |= write.names(record, "created_by", "updated_by", "user_id")
    record["lead_name"] = write.lead_of(lead_id)["display_name"]
    write.editor.add("opportunities", without_nulls(record))
    return write.answer("opportunities", record["id"])


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change an opportunity; it stays with its lead."""
    old = write.old("opportunities", parts[0])
    changes = write.given(_UPDATE, old)
    if changes.pop("lead_id", old["lead_id"]) != old["lead_id"]:
        refuse({"lead_id": "The lead of an opportunity can not be changed."})
    if "contact_id" in changes:
        write.contact_of_lead(changes["contact_id"], old["lead_id"])
    status = _status(write, changes, old)
    changes |= _note_changes(changes, old)
    if status["id"] != old["status_id"]:
        changes |= _of_status(write, status, old, changes)
    changes |= _derived(old | changes)
    if "user_id" in changes:
        changes |= write.names(changes, "user_id")
    changed = write.change("opportunities", old, changes)
    if changed and status["id"] != old["status_id"]:
        note_opportunity_status(write, old, old | changes)
    return write.answer("opportunities", parts[0])


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Delete an opportunity."""
    return write.delete("opportunities", parts[0])


def _note_changes(changes: Record, old: Record) -> Record:
    """Give both forms of the note; the same plain text again leaves the HTML as it is."""
    if "note_html" not in changes and changes.get("note") == old.get("note"):
        return {}
    return both_notes(changes)


def _status(write: Write, given: Record, old: Record | None) -> Record:
    """Find the status: the one sent, else the first of the pipeline that was sent, else the present or first one."""
    statuses = write.account.lists["opportunity_statuses"]
    pipeline_id = given.pop("pipeline_id", None)
    if "status_id" in given:
        (found,) = [one for one in statuses if one["id"] == given["status_id"]]
        if pipeline_id not in (None, found["pipeline_id"]):
            refuse({"status_id": "The status belongs to another pipeline."})
    elif pipeline_id is not None:
        found = next(one for one in statuses if one["pipeline_id"] == pipeline_id)
        if old is not None:
            (present,) = [one for one in statuses if one["id"] == old["status_id"]]
            found = present if present["pipeline_id"] == pipeline_id else found
    else:
        found = next(one for one in statuses if old is None or one["id"] == old["status_id"])
    return found


def _of_status(write: Write, status: Record, old: Record, given: Record) -> Record:
    """Give what follows of a new status: labels, and the day on which it was won or lost."""
    (pipeline,) = [one for one in write.account.lists["pipelines"] if one["id"] == status["pipeline_id"]]
    found: Record = {
        "status_id": status["id"],
        "status_label": status["label"],
        "status_type": status["type"],
        "status_display_name": status["label"],
        "pipeline_id": pipeline["id"],
        "pipeline_name": pipeline["name"],
        "date_lost": text_of(write.now) if status["type"] == "lost" else None,
    }
    if status["type"] == "won" and old.get("status_type") != "won" and "date_won" not in given:
        found["date_won"] = write.asked_today()
    return found


def _derived(record: Record) -> Record:
    """Give the figures that follow of value, period and confidence."""
    value, confidence, period = record["value"], record["confidence"], record["value_period"]
    yearly = None if value is None else value * _PERIODS[period]
    return {
        "annualized_value": yearly,
        "expected_value": None if value is None else value * confidence // 100,
        "annualized_expected_value": None if yearly is None else yearly * confidence // 100,
        "value_currency": "USD",
        "value_formatted": None if value is None else f"${value / 100:,.2f}{_SUFFIX[period]}",
    }
