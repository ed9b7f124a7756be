"""Creates, changes and deletes tasks, one by one and all that fit filters (writing.md 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.large_lists import PARAMETERS
from sandbox.close.parameters import Parameters
from sandbox.close.writes.fields import USER, day_or_moment, one_of, or_null, own_organization, reference, text, truth
from sandbox.close.writes.side_activities import note_completed
from sandbox.close.writes.write import Body, Write, refuse
from sandbox.exchange import Answer, encoded

if TYPE_CHECKING:
    from sandbox.exchange import Record

WRITABLE_TYPES = ("lead", "outgoing_call")
_CALL_ONLY = ("sequence_id", "sequence_subscription_id", "step_id", "agent_config_id")
_BULK = {
    "assigned_to": or_null(USER),
    "date": or_null(day_or_moment),
    "is_complete": truth,
    "organization_id": own_organization,
}
_CHANGED = _BULK | {
    "agent_config_id": or_null(text),
    "contact_id": or_null(reference("contacts")),
    "created_by": USER,
    "due_date": or_null(day_or_moment),
    "is_dateless": truth,
    "lead_id": reference("leads"),
    "priority": or_null(text),
    "resolution": or_null(text),
    "text": or_null(text, ""),
}
_NEW = Body(_CHANGED | {"_type": one_of(*WRITABLE_TYPES)}, frozenset({"lead_id"}))
_UPDATE = Body(_CHANGED)
_BULK_UPDATE = Body(_BULK)
BULK_PARAMETERS = Parameters(
    PARAMETERS["task"].names | {"format"},
    PARAMETERS["task"].dates,
    order=PARAMETERS["task"].order,
    page=frozenset(),
)
"""What chooses the tasks of a bulk update: the filters of the list."""


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Create a task of a lead."""
    given = write.given(_NEW)
    given.pop("organization_id", None)
    write.contact_of_lead(given.get("contact_id"), given["lead_id"])
    write.room("tasks")
    kind = given.get("_type", "lead")
    record = write.new(write.account.source.long("task"), given) | {
        "_type": kind,
        "assigned_to": write.user_id,
        "contact_id": None,
        "contact_name": None,
        "lead_name": write.lead_of(given["lead_id"])["display_name"],
        "date": None,
        "is_complete": False,
        "object_id": None,
        "object_type": None,
        "text": "",
    }
    record |= dict.fromkeys(_CALL_ONLY) if kind == "outgoing_call" else {}
    record |= _dates(given)
    record |= {"is_dateless": record["date"] is None} | write.names(record, *_PEOPLE)
    record |= {"contact_name": _contact_name(write, record["contact_id"]), "view": _view(write, record)}
    write.editor.add("tasks", record)
    if record["is_complete"]:
        note_completed(write, record)
    return write.answer("tasks", record["id"])


_PEOPLE = ("assigned_to", "created_by", "updated_by")


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change a task."""
    old = write.old("tasks", parts[0])
    changes = write.given(_UPDATE, old)
    if "text" in changes and old["_type"] not in WRITABLE_TYPES:
        refuse({"text": f"The text of a task of type {old['_type']} can not be changed."})
    if "contact_id" in changes or "lead_id" in changes:
        write.contact_of_lead(changes.get("contact_id", old["contact_id"]), changes.get("lead_id", old["lead_id"]))
    _change(write, old, changes)
    return write.answer("tasks", parts[0])


def update_many(write: Write, numbers: list[str]) -> Answer:
    """Change tasks in the same way."""
    changes = write.given(_BULK_UPDATE, {})
    for place, number in enumerate(numbers):
        if write.request.carries(place, len(numbers)):
            _change(write, write.editor.current("tasks", number), changes)
    return encoded({})


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Delete a task."""
    return write.delete("tasks", parts[0])


def _change(write: Write, old: Record, changes: Record) -> None:
    changes = {key: value for key, value in _dates(changes).items() if key != "organization_id"}
    new = old | changes
    if "date" in changes:
        changes["is_dateless"] = new["date"] is None
    changes |= write.names(changes, *({"assigned_to", "created_by"} & set(changes)))
    if "contact_id" in changes:
        changes["contact_name"] = _contact_name(write, changes["contact_id"])
    if "lead_id" in changes:
        changes["lead_name"] = write.lead_of(changes["lead_id"])["display_name"]
    if {"date", "is_complete"} & set(changes):
        changes["view"] = _view(write, new)
    if write.change("tasks", old, changes) and new["is_complete"] and not old["is_complete"]:
        note_completed(write, new)


def _dates(given: Record) -> Record:
    """Let the deprecated name of the date stand for it, and `is_dateless` for none."""
    found = {key: value for key, value in given.items() if key not in ("due_date", "is_dateless")}
    if "due_date" in given and "date" not in given:
        found["date"] = given["due_date"]
    if given.get("is_dateless"):
        found["date"] = None
    return found | ({"due_date": found["date"]} if "date" in found else {})


def _view(write: Write, task: Record) -> str:
    """Say in which of the three views a task is shown."""
    if task["is_complete"]:
        return "archive"
    later = task["date"] is not None and task["date"][:10] > write.asked_today()
    return "future" if later else "inbox"


def _contact_name(write: Write, contact_id: str | None) -> str | None:
    if contact_id is None:
        return None
    return str(write.editor.current("contacts", contact_id)["display_name"])
