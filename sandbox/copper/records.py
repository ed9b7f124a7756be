"""The records and lists of a Copper account, as they are at present."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

import msgspec

from sandbox.copper.behaviour import Behaviour
from sandbox.copper.custom_fields import SINGULAR
from sandbox.copper.samples.lists import account
from sandbox.copper.samples.random_values import RandomValues
from sandbox.copper.samples.tables import tables
from sandbox.copper.shape import Shape
from sandbox.exchange import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.copper.notifications import Notifications
    from sandbox.copper.table import Row, Table

TAGGED = tuple(SINGULAR)


class _Tagged(msgspec.Struct):
    tags: list[str] = []


_tags_of = msgspec.json.Decoder(_Tagged).decode


class AccountRecords:
    """An account's records and lists. Every method may be called from any thread."""

    def __init__(self, shape: Shape | None = None, behaviour: Behaviour | None = None) -> None:
        self.shape = shape or Shape()
        self.behaviour = behaviour or Behaviour()
        self.source = RandomValues(self.shape)
        self.tables: dict[str, Table] = tables(self.source)
        self.lists = self.source.lists | {"custom_field_definitions": self.source.definitions}
        self.rng = Random(self.shape.seed + 1)
        self.lock = RLock()
        self.clock: Callable[[], float] = time.time
        self.edits = 0
        self.keys_of_webhooks: dict[int, str] = {}
        """The keys by which subscriptions were made; of those that were there before, none is known."""
        self.pairs: set[frozenset[tuple[str, int]]] = set()
        """Relations that no attribute of a record holds, each two (object, id)."""
        self.notifications: Notifications | None = None
        """What tells the subscribers of changes; nobody does where nothing is served."""
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
        return account(
            self.shape.account, leads_enabled=behaviour.leads_enabled, team_permissions=behaviour.team_permissions
        )

    def tags(self) -> list[Record]:
        """Every tag with its counts, by name."""
        with self.lock:
            if self._tags[0] != self.version:
                self._tags = (self.version, self._counted())
            return [dict(tag) for tag in self._tags[1]]

    def put(self, name: str, row: Row, *, quiet: bool = False) -> None:
        """Take a row in, in place of one with its id; searches show it after the index lag.

        Subscribers are told, unless it is a `quiet` change.
        """
        before = self.tables[name].living.get(row.id)
        self.tables[name].put(row, self.due())
        if self.notifications and not quiet:
            self.notifications.changed(name, row.id, before.raw if before else None, row.raw)

    def remove(self, name: str, number: int, stub: bytes | None = None) -> None:
        """Take a row out; searches show it, or a stub of it, until the index lag is over."""
        before = self.tables[name].living[number]
        self.tables[name].remove(number, self.due(), stub)
        if self.notifications:
            self.notifications.changed(name, number, before.raw, None)

    @contextmanager
    def at_once(self, what: str = "") -> Iterator[None]:
        """Let subscribers be told of all that changes within as of one change of many records."""
        if self.notifications is None:
            yield
        else:
            with self.notifications.together(what):
                yield

    def relate(self, near: tuple[str, int], far: tuple[str, int]) -> None:
        """Let two records be related, besides what their attributes say."""
        self.edits += 1
        self.pairs.add(frozenset((near, far)))

    def unrelate(self, near: tuple[str, int], far: tuple[str, int]) -> None:
        """Forget what `relate` noted."""
        self.edits += 1
        self.pairs.discard(frozenset((near, far)))

    def due(self) -> float:
        """Say when searches show what changes now."""
        return time.monotonic() + self.behaviour.index_lag

    def _counted(self) -> list[Record]:
        counts = {name: Counter(tag for row in self.tables[name] for tag in _tags_of(row.raw).tags) for name in TAGGED}
        names = set(self.source.tag_names).union(*counts.values())
        return [
            {"name": tag, "count": sum(counts[name][tag] for name in TAGGED)}
            | {f"count_{name}": counts[name][tag] for name in TAGGED}
            for tag in sorted(names)
        ]
