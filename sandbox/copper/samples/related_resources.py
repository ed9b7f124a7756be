"""Chooses the records that tasks, projects and activities are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record

PARENTS = [
    *(("people", "person"), ("people", "person"), ("people", "person"), ("companies", "company")),
    *(("opportunities", "opportunity"), ("leads", "lead"), ("projects", "project"), ("tasks", "task")),
]
"""Objects that an activity may belong to, as often as they shall be chosen, with the API's word for one of them."""


def related_resource(source: RandomValues) -> Record:
    """Point at a record, or have both keys null when unrelated."""
    name, singular = source.one(PARENTS[:5])
    number = source.any_id(name) if source.chance(0.7) else None
    return {"id": number, "type": singular if number is not None else None}
