"""Makes the tables of an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.close.custom_fields import variant_of
from sandbox.close.moments import DAY, SECOND, micros_of
from sandbox.close.object_types import ACTIVITIES, TABLES
from sandbox.close.samples import activities, contacts, leads, opportunities, tasks
from sandbox.close.shape import stamps, tied_stamps
from sandbox.close.table import Row, Table
from sandbox.garbage_collection import paused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record

_KINDS = {one.name: one.kind for one in ACTIVITIES}
_CORE = {
    "leads": leads.lead,
    "contacts": contacts.contact,
    "opportunities": opportunities.opportunity,
    "tasks": tasks.task,
}
_AHEAD = (3, 30, 300, 3_000)

encode = msgspec.json.Encoder().encode


def make(source: RecordValues, name: str, number: str, created: int, updated: int) -> Record:
    """Make a record of a table."""
    record = _plain(source, name, number, created, updated)
    return record | source.custom.variant(name, record).values


def _plain(source: RecordValues, name: str, number: str, created: int, updated: int) -> Record:
    if name in _CORE:
        return _CORE[name](source, number, created, updated)
    return activities.activity(source, _KINDS[name], number, created, updated)


def row_of(record: Record, created: int | None = None, updated: int | None = None, tail: bytes | None = None) -> Row:
    """Encode a record and note what filters need of it; `tail` are its custom fields if it is without them."""
    if tail is None:
        values = {key: value for key, value in record.items() if key.startswith("custom.")}
        record = {key: value for key, value in record.items() if key not in values} if values else record
        tail = variant_of(values).tail
    row = Row(
        record["id"],
        micros_of(record["date_created"]) if created is None else created,
        micros_of(record["date_updated"]) if updated is None else updated,
        encode(record),
        tail,
    )
    row.kind = record.get("_type", "")
    row.lead_id = record.get("lead_id")
    row.user_id = record.get("user_id") or record.get("assigned_to")
    row.contact_id = record.get("contact_id")
    moment = record.get("activity_at") or record.get("date") or record.get("date_won")
    row.happened = micros_of(moment) if moment else None
    return row


def tables(source: RecordValues) -> dict[str, Table]:
    """Make every table."""
    made = {}
    with paused():
        for name in TABLES:
            made[name] = Table(name)
            made[name].load(_rows(name, source))
    return made


def _rows(name: str, source: RecordValues) -> Iterator[Row]:
    numbers, shape = source.ids[name], source.shape
    block = min(shape.tie_block, len(numbers)) if name == "leads" else 0
    moments = stamps(len(numbers) - block, shape, source.rng)
    if block:
        moments += tied_stamps(block, shape, source.rng)
        source.rng.shuffle(moments)
    for place, (number, (created, updated)) in enumerate(zip(numbers, moments, strict=True)):
        start = created
        if name == "emails" and place % 3:
            start -= start % SECOND
        if name == "meetings" and place < shape.future_meetings:
            start = (shape.now + 3_600) * SECOND + _AHEAD[place % len(_AHEAD)] * DAY
        record = _plain(source, name, number, start, updated)
        yield row_of(record, start, updated, source.custom.variant(name, record).tail)
