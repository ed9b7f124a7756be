"""The dates and users that most records of small lists have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import DAY, SECOND, bare, text_of

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def dated(source: RandomValues, place: int, *, zone: bool = True, people: bool = True) -> Record:
    """Make what most records of small lists have: organization, dates, people."""
    moment = (source.shape.now - 86_400 * (700 - 3 * place)) * SECOND + 184_401 * (not zone) + 12_000 * zone
    write = text_of if zone else bare
    record: Record = {
        "organization_id": source.organization_id,
        "date_created": write(moment),
        "date_updated": write(moment + place * DAY),
    }
    if people:
        record |= {"created_by": source.user(), "updated_by": source.maybe(0.8, source.user_ids)}
    return record


def dated_with_user_ids(source: RandomValues, place: int) -> Record:
    """Make what those have whose users stand under `created_by_id` and `updated_by_id`."""
    people = {"created_by_id": source.user(), "updated_by_id": source.user()}
    return dated(source, place, zone=False, people=False) | people
