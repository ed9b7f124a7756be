"""The data of a Copper account: read it, change it, ask for its present truth."""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

import msgspec

from sandbox.copper import lists
from sandbox.copper.behaviour import Behaviour
from sandbox.copper.custom_fields import SINGULAR
from sandbox.copper.generate import MAKERS, row_of, tables
from sandbox.copper.sales import close_date
from sandbox.copper.shape import Shape
from sandbox.copper.source import Source
from sandbox.exchange import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.table import Row, Table

TAGGED = tuple(SINGULAR)


class _Tagged(msgspec.Struct):
    tags: list[str] = []


_tags_of = msgspec.json.Decoder(_Tagged).decode


class CopperWorld:
    """An account's records and lists. Every public method is safe to call from any thread."""

    def __init__(self, shape: Shape | None = None, behaviour: Behaviour | None = None) -> None:
        self.shape = shape or Shape()
        self.behaviour = behaviour or Behaviour()
        self.source = Source(self.shape)
        self.tables: dict[str, Table] = tables(self.source)
        self.lists = self.source.lists | {"custom_field_definitions": self.source.definitions}
        self.rng = Random(self.shape.seed + 1)
        self.lock = RLock()
        self.clock: Callable[[], float] = time.time
        self.edits = 0
        self._tags: tuple[int, list[Record]] = (-1, [])

    @property
    def version(self) -> int:
        """Differs after every change."""
        return sum(table.version for table in self.tables.values()) + self.edits

    def objects(self) -> list[str]:
        """Names of everything that `records` knows."""
        return [*self.tables, *self.lists, "tags", "account"]

    def ids(self, name: str) -> list[int | str]:
        """Ids of an object's living records; names of tags."""
        with self.lock:
            if name in self.tables:
                return list(self.tables[name].living)
            return [record["name" if name == "tags" else "id"] for record in self.records(name)]

    def records(self, name: str) -> list[Record]:
        """The living records of an object as the API would give them, by id; converted leads included."""
        with self.lock:
            if name in self.tables:
                extra = self.behaviour.extra_for(name)
                rows = sorted(self.tables[name], key=lambda row: row.id)
                return [msgspec.json.decode(row.raw) | extra for row in rows]
            if name == "tags":
                return self.tags()
            if name == "account":
                return [self.account()]
            return msgspec.json.decode(msgspec.json.encode(self.lists[name]), type=list[Record])

    def record(self, name: str, number: int) -> Record:
        """One living record of a searchable object; KeyError if there is none."""
        with self.lock:
            row = self.tables[name].living[number]
            return msgspec.json.decode(row.raw, type=dict) | self.behaviour.extra_for(name)

    def account(self) -> Record:
        """The account itself."""
        behaviour = self.behaviour
        return lists.account(leads_enabled=behaviour.leads_enabled, team_permissions=behaviour.team_permissions)

    def tags(self) -> list[Record]:
        """Every tag with its counts, by name."""
        with self.lock:
            if self._tags[0] != self.version:
                self._tags = (self.version, self._counted())
            return [dict(tag) for tag in self._tags[1]]

    def change(self, verb: str, order: Record) -> list[int]:
        """Carry out `edit`, `create`, `delete` or `convert` as ordered over HTTP."""
        what = {key: order[key] for key in ("count", "ids") if key in order}
        changes = order.get("changes")
        if verb == "convert":
            return self.convert(**what)
        name = order["object"]
        if verb == "edit":
            return self.edit(name, changes=changes, **what)
        if verb == "create":
            return self.create(name, changes=changes, count=what.get("count", 1))
        if verb == "delete":
            return self.delete(name, **what)
        raise KeyError(verb)

    def edit(
        self, name: str, *, count: int = 1, ids: Iterable[int] | None = None, changes: Record | None = None
    ) -> list[int]:
        """Change records (those named, or `count` at random): fields as given, else name or details.

        date_modified becomes the present second unless `changes` says otherwise.
        """
        with self.lock:
            chosen = self._chosen(name, count, ids)
            self.edits += 1
            for number in chosen:
                if name in self.tables:
                    self._edit_row(name, number, changes)
                else:
                    self._listed(name, number).update(changes or {"name": f"Renamed {self.edits}"})
            return chosen

    def create(self, name: str, *, count: int = 1, changes: Record | None = None) -> list[int]:
        """Add records made now, with fields as given."""
        with self.lock:
            self.edits += 1
            return [self._create(name, changes or {}) for _ in range(count)]

    def delete(self, name: str, *, count: int = 1, ids: Iterable[int] | None = None) -> list[int]:
        """Delete records (those named, or `count` at random); activities leave a stub."""
        with self.lock:
            chosen = self._chosen(name, count, ids)
            self.edits += 1
            if name not in self.tables:
                self.lists[name][:] = [one for one in self.lists[name] if one["id"] not in chosen]
                return chosen
            stubs = name == "activities" and self.behaviour.stubs_in_search
            for number in chosen:
                stub = msgspec.json.encode({"id": number, "is_deleted": True}) if stubs else None
                self.tables[name].remove(number, self._due(), stub)
            return chosen

    def convert(self, *, count: int = 1, ids: Iterable[int] | None = None, opportunity: bool = True) -> list[int]:
        """Convert leads (those named, or `count` unconverted ones) to a person and maybe an opportunity."""
        with self.lock:
            if ids is None:
                table = self.tables["leads"]
                candidates = table.sample(self.rng, min(len(table), count * 3 + 10))
                ids = [one for one in candidates if not self.record("leads", one)["converted_at"]][:count]
            chosen = list(ids)
            for number in chosen:
                self._convert(number, opportunity=opportunity)
            return chosen

    def _convert(self, number: int, *, opportunity: bool) -> None:
        lead = self.record("leads", number)
        now = int(self.clock())
        origin = {
            "leads_converted_from": [{"lead_id": number, "converted_timestamp": now}],
            "date_lead_created": lead["date_created"],
        }
        names = {key: lead[key] for key in ("name", "first_name", "last_name", "details", "tags")}
        changes = {"converted_at": now, "converted_contact_id": self._create("people", names | origin)}
        if opportunity:
            deal = {"name": f"Deal of {lead['name']}", "primary_contact_id": changes["converted_contact_id"]}
            changes["converted_opportunity_id"] = self._create("opportunities", deal | origin)
        if not self.behaviour.conversion_moves_modified:
            changes["date_modified"] = lead["date_modified"]
        self.edit("leads", ids=[number], changes=changes)

    def _chosen(self, name: str, count: int, ids: Iterable[int] | None) -> list[int]:
        living = self.tables[name].living if name in self.tables else set(self.ids(name))
        if ids is None:
            if name in self.tables:
                return self.tables[name].sample(self.rng, count)
            return [one["id"] for one in self.rng.sample(self.lists[name], min(count, len(self.lists[name])))]
        chosen = list(ids)
        for number in chosen:
            if number not in living:
                raise KeyError(f"{name} {number}")
        return chosen

    def _edit_row(self, name: str, number: int, changes: Record | None) -> None:
        record: Record = msgspec.json.decode(self.tables[name].living[number].raw)
        if changes is None:
            text = "details" if name == "activities" else "name"
            changes = {text: f"{str(record[text] or '').partition(' (edit')[0]} (edit {self.edits})"}
        record.update({"date_modified": int(self.clock())} | changes)
        self._put(name, row_of(name, record))

    def _create(self, name: str, changes: Record) -> int:
        now = int(self.clock())
        if name not in self.tables:
            number: int = max((one["id"] for one in self.lists[name]), default=0) + 1
            self.lists[name].append({"id": number, "name": f"New {number}"} | changes)
            return number
        table = self.tables[name]
        made = MAKERS[name](self.source, table.last_id + self.source.ids[name].step, now, now)
        if name == "activities":
            made |= {"activity_date": now, "date_modified": now}
        elif name == "opportunities":
            made["close_date"] = close_date(now, dmy=self.shape.dmy)
        row = row_of(name, msgspec.json.decode(msgspec.json.encode(made), type=dict) | changes)
        self._put(name, row)
        return row.id

    def _put(self, name: str, row: Row) -> None:
        self.tables[name].put(row, self._due())

    def _due(self) -> float:
        return time.monotonic() + self.behaviour.index_lag

    def _listed(self, name: str, number: int) -> Record:
        return next(one for one in self.lists[name] if one["id"] == number)

    def _counted(self) -> list[Record]:
        counts = {name: Counter(tag for row in self.tables[name] for tag in _tags_of(row.raw).tags) for name in TAGGED}
        names = set(self.source.tag_names).union(*counts.values())
        return [
            {"name": tag, "count": sum(counts[name][tag] for name in TAGGED)}
            | {f"count_{name}": counts[name][tag] for name in TAGGED}
            for tag in sorted(names)
        ]
