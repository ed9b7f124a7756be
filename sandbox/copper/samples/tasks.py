"""Makes tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copper.samples.related_resources import related_resource

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record

_DAY = 86_400


def task(source: RandomValues, number: int, created: int, modified: int) -> Record:
    """Make a task (tasks overview); some are due before 1970."""
    chance, random = source.chance, source.random
    due = created + int(random() * 60) * _DAY if chance(0.8) else None
    if number % 97 == 0:
        due = -int(random() * 20_000) * _DAY
    completed = chance(0.4)
    return {
        "id": number,
        "name": f"{source.one(list(sample_texts.TASKS))} {number}",
        "related_resource": related_resource(source),
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
