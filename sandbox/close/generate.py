"""Makes the tables of a world from its shape."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from sandbox.close import activities, people, sales
from sandbox.close.custom_fields import variant_of
from sandbox.close.kinds import ACTIVITIES, TABLES
from sandbox.close.moments import DAY, SECOND, micros_of
from sandbox.close.shape import stamps, tied_stamps
from sandbox.close.table import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.close.source import Source
    from sandbox.exchange import Record

_KINDS = {one.name: one.kind for one in ACTIVITIES}
_CORE = {
    "leads": people.lead,
    "contacts": people.contact,
    "opportunities": sales.opportunity,
    "tasks": sales.task,
}
_AHEAD = (3, 30, 300, 3_000)

encode = msgspec.json.Encoder().encode


def make(source: Source, name: str, number: str, created: int, updated: int) -> Record:
    """Make a record of a table."""
    record = _plain(source, name, number, created, updated)
    return record | source.custom.variant(name, record).values


def _plain(source: Source, name: str, number: str, created: int, updated: int) -> Record:
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


def tables(source: Source) -> dict[str, Table]:
    """Make every table."""
    made = {}
    with _no_collecting():
        for name in TABLES:
            made[name] = Table(name)
            made[name].load(_rows(name, source))
    return made


def _rows(name: str, source: Source) -> Iterator[Row]:
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


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Spare the garbage collector a walk over hundreds of thousands of new rows."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
