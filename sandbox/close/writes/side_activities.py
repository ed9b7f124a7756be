"""What Close notes by itself: that a lead was made, that a status changed, that a task was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import text_of
from sandbox.close.object_types import ACTIVITIES

if TYPE_CHECKING:
    from sandbox.close.writes.write import Write
    from sandbox.exchange import Record

_KINDS = {one.name: one.kind for one in ACTIVITIES}
_OF_OPPORTUNITY = ("value", "value_currency", "value_formatted", "value_period", "confidence", "date_won")


def activity_record(write: Write, name: str, lead_id: str | None, given: Record) -> Record:
    """Make what every activity has."""
    record = write.new(write.account.source.long("acti"), given)
    record |= {
        "_type": _KINDS[name],
        "lead_id": lead_id,
        "contact_id": given.get("contact_id"),
        "user_id": given.get("user_id") or write.user_id,
        "users": [],
        "activity_at": given.get("activity_at") or given.get("date_created") or text_of(write.now),
    }
    return record | write.names(record, "created_by", "updated_by", "user_id")


def note_created(write: Write, lead_id: str) -> None:
    """Note that a lead was made."""
    _note(write, "created_activities", lead_id, {"source": "API", "import_id": None})


def note_lead_status(write: Write, old: Record, new: Record) -> None:
    """Note that the status of a lead changed."""
    _note(write, "lead_status_changes", new["id"], _statuses(old, new))


def note_opportunity_status(write: Write, old: Record, new: Record) -> None:
    """Note that the status of an opportunity changed."""
    _note(write, "opportunity_status_changes", new["lead_id"], opportunity_statuses(old, new))


def note_completed(write: Write, task: Record) -> None:
    """Note that a task is done."""
    extra = {
        "task_id": task["id"],
        "task_text": task.get("text"),
        "task_assigned_to": task["assigned_to"],
        "task_assigned_to_name": write.name_of(task["assigned_to"]),
    }
    _note(write, "task_completed_activities", task["lead_id"], extra)


def opportunity_statuses(old: Record, new: Record) -> Record:
    """Give the fields of a change of an opportunity's status."""
    found = _statuses(old, new) | {"opportunity_id": new["id"]}
    for when, record in (("old", old), ("new", new)):
        for key in ("status_type", "pipeline_id", "pipeline_name"):
            found[f"{when}_{key}"] = record.get(key)
    found |= {f"opportunity_{key}": new.get(key) for key in _OF_OPPORTUNITY}
    if found["opportunity_date_won"] is not None:
        found["opportunity_date_won"] += "T00:00:00+00:00"
    return found


def _statuses(old: Record, new: Record) -> Record:
    return {
        f"{when}_{key}": record.get(key)
        for when, record in (("old", old), ("new", new))
        for key in ("status_id", "status_label")
    }


def _note(write: Write, name: str, lead_id: str | None, extra: Record) -> None:
    if not write.behaviour.side_activities:
        return
    write.editor.add(name, activity_record(write, name, lead_id, {}) | extra)
