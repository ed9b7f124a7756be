"""Records of one object: their truth, and what the search index knows of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

LIVING, HIDDEN, COUNTED_ONLY, STUB = range(4)

Entry: TypeAlias = tuple[int, int]
"""A sort key and the id of the row that has it."""


class Row:
    """A record as encoded JSON, with the values that searches use most."""

    __slots__ = ("id", "kind", "raw", "sort_keys")

    def __init__(self, number: int, sort_keys: tuple[int, ...], raw: bytes, kind: int = LIVING) -> None:
        self.id = number
        self.sort_keys = sort_keys
        self.raw = raw
        self.kind = kind


class Table:
    """Rows by id (`living`), and the index that searches read (`shown`, `orders`), which may lag behind.

    `orders[attribute]` is the sorted list of (value, id) of every shown row.
    """

    def __init__(self, name: str, indexed: tuple[str, ...]) -> None:
        self.name = name
        self.indexed = indexed
        self.living: dict[int, Row] = {}
        self.shown: dict[int, Row] = {}
        self.deleted: set[int] = set()
        self.orders: dict[str, list[Entry]] = {attribute: [] for attribute in indexed}
        self.hidden = 0
        self.version = 0
        self.counted_only = 0.0
        self.last_id = 0
        self.touched: list[int] = []
        """Ids of the rows that were put or removed, in this order; one may be there often."""
        self._late: deque[tuple[float, int, Row | None]] = deque()

    def load(self, rows: Iterable[Row]) -> None:
        """Fill an empty table."""
        self.living = {row.id: row for row in rows}
        self.shown = dict(self.living)
        for place, attribute in enumerate(self.indexed):
            self.orders[attribute] = sorted((row.sort_keys[place], row.id) for row in self.living.values())
        self.hidden = sum(1 for row in self.living.values() if row.kind == HIDDEN)
        self.last_id = max(self.living, default=self.last_id)
        self.version += 1

    def put(self, row: Row, due: float) -> None:
        """Add or replace a row; searches show it from `due` on."""
        self.living[row.id] = row
        self.deleted.discard(row.id)
        self.touched.append(row.id)
        self.last_id = max(self.last_id, row.id)
        self._late.append((due, row.id, row))

    def remove(self, number: int, due: float, stub: bytes | None = None) -> None:
        """Delete a row; searches stop showing it from `due` on, or show its stub."""
        row = self.living.pop(number)
        self.deleted.add(number)
        self.touched.append(number)
        self._late.append((due, number, Row(number, row.sort_keys, stub, STUB) if stub else None))

    def settle(self, now: float) -> None:
        """Let the index catch up with every change that is due."""
        late = self._late
        while late and late[0][0] <= now:
            _, number, row = late.popleft()
            self._show(number, row)

    def count_more(self, fraction: float, rng: Random) -> None:
        """Let hits that are counted but never given make up `fraction` of the index."""
        if fraction == self.counted_only:
            return
        for number in [number for number, row in self.shown.items() if row.kind == COUNTED_ONLY]:
            self._show(number, None)
        self.counted_only = fraction
        rows = list(self.shown.values())
        count = int(len(rows) * fraction / (1 - fraction)) if fraction < 1 else len(rows)
        for row in rng.sample(rows, min(count, len(rows))):
            self._show(-row.id, Row(-row.id, row.sort_keys, row.raw, COUNTED_ONLY))

    def sample(self, rng: Random, count: int) -> list[int]:
        """Choose up to `count` living ids at random."""
        if count >= len(self.living):
            return list(self.living)
        order = self.orders[self.indexed[0]]
        chosen: dict[int, None] = {}
        for _ in range(20 * count):
            if len(chosen) == count or not order:
                break
            number = order[int(rng.random() * len(order))][1]
            if number in self.living:
                chosen[number] = None
        return list(chosen)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.living.values())

    def __len__(self) -> int:
        return len(self.living)

    def _show(self, number: int, row: Row | None) -> None:
        old = self.shown.pop(number, None)
        if old:
            self.hidden -= old.kind == HIDDEN
            for place, attribute in enumerate(self.indexed):
                order = self.orders[attribute]
                del order[bisect_left(order, (old.sort_keys[place], number))]
        if row:
            self.shown[number] = row
            self.hidden += row.kind == HIDDEN
            for place, attribute in enumerate(self.indexed):
                insort(self.orders[attribute], (row.sort_keys[place], number))
        self.version += 1
