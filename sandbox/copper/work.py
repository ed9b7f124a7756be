"""Makes projects, tasks and activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import words
from sandbox.copper.shape import YEARS_3

if TYPE_CHECKING:
    from sandbox.copper.source import Source
    from sandbox.exchange import Record

_DAY = 86_400
STAGE_CHANGED = 3
_KINDS = [
    *(("people", "person"), ("people", "person"), ("people", "person"), ("companies", "company")),
    *(("opportunities", "opportunity"), ("leads", "lead"), ("projects", "project"), ("tasks", "task")),
]


def project(source: Source, number: int, created: int, modified: int) -> Record:
    """Make a project (projects overview)."""
    return {
        "id": number,
        "name": f"{source.one(list(words.PROJECTS))} {number}",
        "related_resource": _related(source),
        "assignee_id": source.maybe(0.8, source.user_ids),
        "status": "Open" if source.chance(0.6) else "Completed",
        "details": source.one(source.details),
        "tags": source.one(source.tags),
        "custom_fields": source.custom["projects"].draw(),
        "date_created": created,
        "date_modified": modified,
    }


def task(source: Source, number: int, created: int, modified: int) -> Record:
    """Make a task (tasks overview); some are due before 1970."""
    chance, random = source.chance, source.random
    due = created + int(random() * 60) * _DAY if chance(0.8) else None
    if number % 97 == 0:
        due = -int(random() * 20_000) * _DAY
    completed = chance(0.4)
    return {
        "id": number,
        "name": f"{source.one(list(words.TASKS))} {number}",
        "related_resource": _related(source),
        "assignee_id": source.maybe(0.8, source.user_ids),
        "due_date": due,
        "reminder_date": due - 3_600 if due is not None and chance(0.3) else None,
        "completed_date": modified if completed else None,
        "priority": source.maybe(0.9, ["None", "High"]),
        "status": "Completed" if completed else "Open",
        "details": source.one(source.details),
        "tags": source.one(source.tags),
        "custom_fields": source.custom["tasks"].draw(),
        "date_created": created,
        "date_modified": modified,
        "custom_activity_type_id": source.maybe(0.5, [190_711, 190_712]),
    }


def activity(source: Source, number: int, created: int, modified: int) -> Record:
    """Make an activity (activities overview); users set its date, so it may lie before its creation."""
    chance, random = source.chance, source.random
    kind = source.one(source.lists["activity_types"])
    name, singular = source.one(_KINDS)
    parent = source.any_id(name)
    date = created
    if chance(0.2):
        date = max(created - int(random() * 200) * _DAY, source.shape.now - YEARS_3)
    system = kind["category"] == "system"
    old: object = None
    new: object = None
    if system and kind["id"] == STAGE_CHANGED:
        old, new = ({"id": 987_790, "name": "Qualified"}, {"id": 987_791, "name": "Follow-up"})
    elif system and kind["id"] == 1:
        old, new = "Open", source.one(["Won", "Lost", None])
    return {
        "id": number,
        "parent": {"id": parent if parent is not None else 1, "type": singular},
        "type": {"id": kind["id"], "category": kind["category"]},
        "user_id": source.maybe(0.9, source.user_ids),
        "details": None if system else source.one(source.notes),
        "activity_date": date,
        "old_value": old,
        "new_value": new,
        "date_created": created,
        "date_modified": date if chance(0.7) else modified,
    }


def _related(source: Source) -> Record:
    """Point at a record, or have both keys null when unrelated."""
    name, singular = source.one(_KINDS[:5])
    number = source.any_id(name) if source.chance(0.7) else None
    return {"id": number, "type": singular if number is not None else None}
