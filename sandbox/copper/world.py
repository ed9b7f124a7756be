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
from sandbox.copper.field_changes import FIELD_VERBS, FieldChanges
from sandbox.copper.generate import MAKERS, row_of, tables
from sandbox.copper.merges import merge, pairs_of
from sandbox.copper.sales import close_date
from sandbox.copper.shape import Shape
from sandbox.copper.source import Source
from sandbox.exchange import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
        self.fields = FieldChanges(self)
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

    def sees(self, name: str, number: int) -> bool:
        """Whether a record lives and the key may see it (knob `hidden`)."""
        hides = self.behaviour.hides(name)
        return number in self.tables[name].living and not (hides and hides(number))

    def visible(self, name: str) -> list[Record]:
        """Those of `records` that the key may see (knob `hidden`)."""
        hides = self.behaviour.hides(name)
        return [one for one in self.records(name) if not (hides and hides(one["id"]))]

    def account(self) -> Record:
        """The account itself."""
        behaviour = self.behaviour
        return lists.account(
            self.shape.account, leads_enabled=behaviour.leads_enabled, team_permissions=behaviour.team_permissions
        )

    def tags(self) -> list[Record]:
        """Every tag with its counts, by name."""
        with self.lock:
            if self._tags[0] != self.version:
                self._tags = (self.version, self._counted())
            return [dict(tag) for tag in self._tags[1]]

    def change(self, verb: str, order: Record) -> list[int]:
        """Carry out an order over HTTP: `edit`, `create`, `delete`, `convert`, `merge` or one of FIELD_VERBS.

        Those of FIELD_VERBS take the arguments of their methods, with `id` for `number`; `merge` answers the ids of
        a lost record and of its survivor in turn.
        """
        if verb in FIELD_VERBS:
            given = {"number" if key == "id" else key: value for key, value in order.items()}
            return [getattr(self, verb)(**given)]
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
        if verb == "merge":
            merged = self.merge(name, count=what.get("count", 1), pairs=order.get("pairs"))
            return [number for pair in merged for number in pair]
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

    def merge(
        self, name: str, *, count: int = 1, pairs: Iterable[tuple[int, int]] | None = None
    ) -> list[tuple[int, int]]:
        """Merge people, companies or leads, each pair (lost, survivor), or `count` pairs at random; gives the pairs.

        The lost ones go without a trace; what hung on them hangs on the survivors.
        """
        with self.lock:
            chosen = pairs_of(self, name, count, pairs)
            self.edits += 1
            for lost, survivor in chosen:
                merge(self, name, lost, survivor)
            return chosen

    def add_field(  # noqa: PLR0913  (a definition has that many parts)
        self,
        name: str,
        data_type: str,
        *,
        available_on: Sequence[str] = tuple(SINGULAR.values()),
        options: Sequence[str] = (),
        currency: str = "USD",
        fill: bool = False,
    ) -> int:
        """Define a custom field; gives its id.

        Records have it once they are edited; those made later may. With `fill` all of them have a value at once,
        and no date_modified moves.
        """
        return self.fields.add(name, data_type, available_on, options, currency, fill=fill)

    def rename_field(self, number: int, name: str) -> int:
        """Give a definition another name."""
        return self.fields.rename(number, name)

    def retype_field(self, number: int, data_type: str, *, options: Sequence[str] = ()) -> int:
        """Give a definition another kind; values become such as that kind has, and no date_modified moves."""
        return self.fields.retype(number, data_type, options)

    def remove_field(self, number: int) -> int:
        """Take a definition and all its values away; no date_modified moves."""
        return self.fields.remove(number)

    def add_option(self, number: int, name: str) -> int:
        """Give a definition one more option; gives the option's id."""
        return self.fields.add_option(number, name)

    def rename_option(self, number: int, option: int, name: str) -> int:
        """Give an option of a definition another name."""
        return self.fields.rename_option(number, option, name)

    def remove_option(self, number: int, option: int) -> int:
        """Take an option out of a definition; records keep its id."""
        return self.fields.remove_option(number, option)

    def put(self, name: str, row: Row) -> None:
        """Take a row in, in place of one with its id; searches show it after the index lag."""
        self.tables[name].put(row, self._due())

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
        if "custom_fields" not in (changes or {}):
            self.fields.complete(name, record)
        if changes is None:
            text = "details" if name == "activities" else "name"
            changes = {text: f"{str(record[text] or '').partition(' (edit')[0]} (edit {self.edits})"}
        record.update({"date_modified": int(self.clock())} | changes)
        self.put(name, row_of(name, record))

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
        self.put(name, row)
        return row.id

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
