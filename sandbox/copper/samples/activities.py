"""Makes activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper.samples.related_resources import PARENTS
from sandbox.copper.shape import YEARS_3

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record

_DAY = 86_400
STAGE_CHANGED = 3


def activity(source: RandomValues, number: int, created: int, modified: int) -> Record:
    """Make an activity (activities overview); users set its date, so it may lie before its creation."""
    chance, random = source.chance, source.random
    kind = source.one(source.lists["activity_types"])
    name, singular = source.one(PARENTS)
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
