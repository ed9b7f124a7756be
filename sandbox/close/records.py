"""The records and lists of a Close organization, as they are at present."""

from __future__ import annotations

import time
from contextlib import contextmanager
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

import msgspec

from sandbox.close.behaviour import Behaviour
from sandbox.close.events import EventLog, history
from sandbox.close.moments import SECOND
from sandbox.close.object_types import FIELDS, SEARCHED
from sandbox.close.organization_record import organization_record
from sandbox.close.samples.record_values import RecordValues
from sandbox.close.samples.small_lists import small_lists
from sandbox.close.samples.tables import tables
from sandbox.close.shape import Shape
from sandbox.exchange import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.close.table import Row, Table
    from sandbox.close.webhooks import Webhooks

_decode = msgspec.json.Decoder(dict).decode


class OrganizationRecords:
    """An organization's records, lists and event log. Every method may be called from any thread."""

    def __init__(self, shape: Shape | None = None, behaviour: Behaviour | None = None) -> None:
        self.shape = shape or Shape()
        self.behaviour = behaviour or Behaviour()
        self.rng = Random(self.shape.seed + 1)
        self.lock = RLock()
        self.clock: Callable[[], float] = time.time
        self.source = RecordValues(self.shape)
        self.tables: dict[str, Table] = tables(self.source)
        self.lists: dict[str, list[Record]] = small_lists(self.source)
        self.log = EventLog(self.source, self.behaviour, Random(self.shape.seed + 2))
        self.log.table.load(history(self.log, self.tables))
        self.sent: list[Record] = []
        """Messages that Close would have sent because of what was written."""
        self.webhooks: Webhooks | None = None
        """What sends events to subscribers; nobody does where nothing is served."""
        self._opened = time.time()

    def now(self) -> int:
        """Read the clock in microseconds, cut to the milliseconds."""
        return int(self.clock() * 1_000) * 1_000

    @contextmanager
    def undone(self, *, really: bool) -> Iterator[None]:
        """Take back all that is changed within, if it is `really` to be."""
        if not really:
            yield
            return
        tables = [*self.tables.values(), self.log.table]
        kept = [table.copied() for table in tables]
        lists = {name: [dict(one) for one in rows] for name, rows in self.lists.items()}
        sent, last = list(self.sent), dict(self.log.last)
        delivered = self.webhooks.kept() if self.webhooks else None
        try:
            yield
        finally:
            for table, copied in zip(tables, kept, strict=True):
                table.restore(copied)
            for name, rows in lists.items():
                self.lists[name][:] = rows
            self.sent[:] = sent
            self.log.last = last
            if self.webhooks and delivered:
                self.webhooks.take_back(delivered)

    def objects(self) -> list[str]:
        """Names of everything that `records` knows."""
        return [*self.tables, *self.lists, "events", "organization"]

    def ids(self, name: str) -> list[int | str]:
        """Ids of an object's living records; addresses of unsubscribed emails."""
        with self.lock:
            if name in self.tables:
                return list(self.tables[name].living)
            if name == "events":
                return [row.id for row in self.events()]
            key = "email" if name == "unsubscribed_emails" else "id"
            return [record[key] for record in self.records(name)]

    def records(self, name: str) -> list[Record]:
        """The living records of an object as its own endpoint would give them, oldest first."""
        with self.lock:
            if name in self.tables:
                table = self.tables[name]
                return [self.full(name, table.living[number]) for _, number in table.created]
            if name == "events":
                return [_decode(row.raw) for row in self.events()]
            if name == "organization":
                return [self.organization()]
            if name == "sent":
                return list(self.sent)
            return msgspec.json.decode(msgspec.json.encode(self.lists[name]), type=list[Record])

    def visible(self, name: str) -> list[Record]:
        """Those of `records` that the key sees, without what it does not see of the nested ones."""
        with self.lock:
            kept = [one for one in self.records(name) if self.sees(name, str(one.get("id", one.get("email"))))]
            return [one | self.nested(one["id"], seen=True) for one in kept] if name == "leads" else kept

    def sees(self, name: str, number: str) -> bool:
        """Whether the key sees a record."""
        return not (self.behaviour.hiding and self.behaviour.hides(name, number))

    def record(self, name: str, number: str) -> Record:
        """One living record of a table; KeyError if there is none."""
        with self.lock:
            return self.full(name, self.tables[name].living[number])

    def full(self, name: str, row: Row, *, seen: bool = False) -> Record:
        """Decode a row; a lead gets what is nested in it, or as much of that as the key sees."""
        record: Record = _decode(row.raw)
        return record | self.nested(row.id, seen=seen) if name == "leads" else record

    def contact_ids(self, lead_id: str) -> list[str]:
        """Ids of a lead's contacts, oldest first."""
        return [row.id for row in self.tables["contacts"].of_lead(lead_id)]

    def nested(self, lead_id: str, *, seen: bool = False) -> Record:
        """What a lead shows of its contacts, opportunities and incomplete tasks."""
        found = {
            name: [
                _decode(row.raw) for row in self.tables[name].of_lead(lead_id) if not seen or self.sees(name, row.id)
            ]
            for name in ("contacts", "opportunities", "tasks")
        }
        found["tasks"] = [one for one in found["tasks"] if not one["is_complete"]]
        return {"contact_ids": [one["id"] for one in found["contacts"]], **found}

    def known(self, kind: str) -> frozenset[str] | set[str]:
        """Names of the fields of an object type."""
        if kind in FIELDS:
            return FIELDS[kind]
        for row in self.tables[SEARCHED[kind]]:
            return set(_decode(row.raw))
        return {"id", "date_created", "date_updated"}

    def events(self) -> list[Row]:
        """Events as far back as the log reaches, oldest first, whether they show already or not."""
        found = self.log.table.between("updated", self.horizon(), 1 << 62)
        return [self.log.table.living[number] for _, number in found]

    def horizon(self) -> int:
        """The moment before which events are gone; it starts 30 days before the anchor and moves with time."""
        return int((self.shape.now + self.clock() - self._opened - self.behaviour.event_reach) * SECOND)

    def organization(self, expand: set[str] | None = None) -> Record:
        """The organization itself."""
        return organization_record(self.source, self.lists, expand=expand or set())
