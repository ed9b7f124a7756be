"""The event log: events of the past, and those of changes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.close.moments import DAY, SECOND, bare
from sandbox.close.object_types import event_type
from sandbox.close.samples.tables import encode, make
from sandbox.close.table import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from sandbox.close.behaviour import Behaviour
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record

DAYS_30 = 30 * DAY
_DELETED = ("notes", "leads", "contacts", "opportunities", "emails", "calls")
_LEAST_LAG = 0.2


class EventRow(Row):
    """An event; its `kind` is the object type."""

    __slots__ = ("action", "object_id", "request_id")

    action: str
    object_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes records through the API: whose credentials, and in which request."""

    user_id: str
    api_key_id: str | None
    oauth_client_id: str | None
    oauth_scope: str | None
    request_id: str
    method: str
    path: str


@dataclass(slots=True)
class ObjectChange:
    """What happened to an object; `before` and `after` are records or their JSON."""

    name: str
    action: str
    object_type: str
    object_id: str
    lead_id: str | None
    after: Any = None
    before: Any = None
    changed: list[str] = field(default_factory=list)
    meta: Record = field(default_factory=dict)
    user_id: str | None = None
    author: Author | None = None
    """None for a change that was not made through the API."""


class EventLog:
    """Events by id and by date; changes of one object that follow each other quickly share an event."""

    def __init__(self, source: RecordValues, behaviour: Behaviour, rng: Random) -> None:
        self.source = source
        self.behaviour = behaviour
        self.rng = rng
        self.table = Table("events")
        self.last: dict[str, str] = {}
        self.written: Callable[[EventRow], None] | None = None
        """Called with each event that is written, or changed."""

    def write(self, change: ObjectChange, now: int) -> None:
        """Log a change at a moment in microseconds."""
        last = self.table.living.get(self.last.get(change.object_id, ""))
        row = None
        if isinstance(last, EventRow) and last.action == change.action == "updated":
            near = now - last.updated <= self.behaviour.event_consolidation * SECOND
            row = self._consolidated(last, change, now) if near and self.behaviour.event_consolidation else None
        row = row or self.row(change, now)
        self.last[change.object_id] = row.id
        lag = self.behaviour.event_lag * max(_LEAST_LAG, self.rng.random())
        if change.action == "deleted":
            if self.rng.random() < self.behaviour.deleted_missing:
                return
            if self.rng.random() < self.behaviour.deleted_late:
                lag = max(lag, self.behaviour.deleted_delay)
        self.table.put(row, time.monotonic(), lag)
        if self.written:
            self.written(row)

    def row(self, change: ObjectChange, now: int) -> EventRow:
        """Make a new event."""
        author = change.author
        method, path = (author.method, author.path) if author else ("POST", f"/api/v1/{change.object_type}/")
        record = {
            "id": self.source.short("ev"),
            "action": change.action,
            "object_type": change.object_type,
            "object_id": change.object_id,
            "lead_id": change.lead_id,
            "organization_id": self.source.organization_id,
            **self._who(change),
            "date_created": bare(now),
            "date_updated": bare(now),
            "changed_fields": change.changed,
            "data": change.after,
            "meta": {"request_method": method, "request_path": path} | change.meta,
        }
        if change.before is not None:
            record["previous_data"] = change.before
        return _event_row(record, now, now)

    def _consolidated(self, last: EventRow, change: ObjectChange, now: int) -> EventRow:
        record: Record = msgspec.json.decode(last.raw)
        record["date_updated"] = bare(now)
        record["changed_fields"] = sorted({*record["changed_fields"], *change.changed})
        record["data"] = change.after
        record["previous_data"] = (change.before or {}) | record.get("previous_data", {})
        record["meta"] |= change.meta
        if self.behaviour.consolidated_author == "last":
            record |= self._who(change)
        return _event_row(record, last.created, now)

    def _who(self, change: ObjectChange) -> Record:
        author = change.author
        return {
            "user_id": author.user_id if author else change.user_id,
            "api_key_id": author.api_key_id if author else None,
            "oauth_client_id": author.oauth_client_id if author else None,
            "oauth_scope": author.oauth_scope if author else None,
            "request_id": author.request_id if author else self.source.short("req"),
        }


def _event_row(record: Record, created: int, updated: int) -> EventRow:
    row = EventRow(record["id"], created, updated, encode(record))
    row.kind = record["object_type"]
    row.lead_id = record["lead_id"]
    row.user_id = record["user_id"]
    row.object_id = record["object_id"]
    row.action = record["action"]
    row.request_id = record["request_id"]
    return row


def history(log: EventLog, tables: dict[str, Table]) -> list[EventRow]:
    """Make the events of the past: the newest changes of living records, then those of deleted ones."""
    source = log.source
    count, start = source.shape.events, source.shape.now * SECOND - DAYS_30
    end = source.shape.now * SECOND
    true = [
        (moment, action, name, number)
        for name, table in tables.items()
        for action, order in (("created", table.created), ("updated", table.updated))
        for moment, number in order
        if start < moment <= end
    ]
    true.sort(reverse=True)
    rows = [made for one in true[:count] if (made := _of_living(log, tables, *one))]
    while len(rows) < count:
        rows += _of_gone(log, start + int(source.random() * (DAYS_30 - 2 * DAY)))
    return rows


def _of_living(
    log: EventLog, tables: dict[str, Table], moment: int, action: str, name: str, *rest: str
) -> EventRow | None:
    row = tables[name].living[rest[0]]
    record: Record = msgspec.json.decode(row.raw)
    kind = event_type(name, record)
    if kind is None or (action == "updated" and row.created == row.updated):
        return None
    lead_id = row.id if name == "leads" else row.lead_id
    change = ObjectChange(name, action, kind, row.id, lead_id, msgspec.Raw(row.raw), user_id=record.get("updated_by"))
    if action == "updated":
        change.changed, change.before = ["updated_by"], {"updated_by": None}
    return log.row(change, moment)


def _of_gone(log: EventLog, moment: int) -> list[EventRow]:
    source = log.source
    name = source.one(list(_DELETED))
    number = source.long(name.removesuffix("s")[:4])
    record = make(source, name, number, moment, moment)
    kind = event_type(name, record) or name
    lead_id = number if name == "leads" else record["lead_id"]
    created = ObjectChange(name, "created", kind, number, lead_id, record, user_id=source.user())
    deleted = ObjectChange(name, "deleted", kind, number, lead_id, None, record, user_id=source.user())
    later = moment + int(source.random() * 2 * DAY) // 1_000 * 1_000
    return [log.row(created, moment), log.row(deleted, later)]
