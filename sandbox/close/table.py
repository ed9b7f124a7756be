"""Records of one object, by id and in the order of their times, and what a lagging index knows of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

Entry: TypeAlias = tuple[int, str]
"""A moment in microseconds and the id of the row that has it."""

FOREVER = 1 << 62


class Row:
    """A record as encoded JSON, with what filters use most.

    Its custom fields lie apart, as the end of the JSON object: thousands of records share each.
    """

    __slots__ = ("contact_id", "created", "happened", "id", "kind", "lead_id", "plain", "tail", "updated", "user_id")

    def __init__(self, number: str, created: int, updated: int, plain: bytes, tail: bytes = b"") -> None:
        self.id = number
        self.created = created
        self.updated = updated
        self.plain = plain
        self.tail = tail
        self.happened: int | None = None
        self.kind = ""
        self.lead_id: str | None = None
        self.user_id: str | None = None
        self.contact_id: str | None = None

    @property
    def raw(self) -> bytes:
        """The whole record."""
        return self.plain[:-1] + self.tail if self.tail else self.plain

    @raw.setter
    def raw(self, whole: bytes) -> None:
        self.plain, self.tail = whole, b""

    @property
    def moment(self) -> int:
        """When it happened; if nothing is said of that, when it was made."""
        return self.created if self.happened is None else self.happened


class Table:
    """Living rows, sorted by both of their dates; `stale` has what a lagging reader still sees instead."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.living: dict[str, Row] = {}
        self.created: list[Entry] = []
        self.updated: list[Entry] = []
        self.by_lead: dict[str, dict[str, None]] = {}
        self.stale: dict[str, tuple[float, Row | None]] = {}

    def load(self, rows: Iterable[Row]) -> None:
        """Fill an empty table."""
        self.living = {row.id: row for row in rows}
        self.created = sorted((row.created, row.id) for row in self.living.values())
        self.updated = sorted((row.updated, row.id) for row in self.living.values())
        for row in self.living.values():
            if row.lead_id is not None:
                self.by_lead.setdefault(row.lead_id, {})[row.id] = None

    def copied(self) -> Table:
        """Give a table with the same rows, which later changes do not reach."""
        other = Table(self.name)
        other.restore(self)
        return other

    def restore(self, other: Table) -> None:
        """Have the rows of another table."""
        self.living = dict(other.living)
        self.created, self.updated = list(other.created), list(other.updated)
        self.by_lead = {lead_id: dict(ids) for lead_id, ids in other.by_lead.items()}
        self.stale = dict(other.stale)

    def put(self, row: Row, now: float, lag: float) -> None:
        """Add or replace a row; lagging readers see it later."""
        self._take_out(row.id, now, lag)
        self.living[row.id] = row
        insort(self.created, (row.created, row.id))
        insort(self.updated, (row.updated, row.id))
        if row.lead_id is not None:
            self.by_lead.setdefault(row.lead_id, {})[row.id] = None

    def replace(self, row: Row, now: float, lag: float) -> None:
        """Put a row in the place of one that has the same dates and the same lead; lagging readers see it later."""
        if lag > 0 and row.id not in self.stale:
            self.stale[row.id] = (now + lag, self.living[row.id])
        self.living[row.id] = row

    def remove(self, number: str, now: float, lag: float) -> None:
        """Delete a row; lagging readers still see it for a while."""
        self._take_out(number, now, lag)

    def settle(self, now: float) -> None:
        """Show lagging readers every change that is due."""
        for number in [number for number, (due, _) in self.stale.items() if due <= now]:
            del self.stale[number]

    def between(self, attribute: str, low: int, high: int, *, lagging: bool = False) -> list[Entry]:
        """Entries of all rows whose `created` or `updated` lies in [low, high), in order."""
        order: list[Entry] = getattr(self, attribute)
        found = order[bisect_left(order, (low, "")) : bisect_left(order, (high, ""))]
        if lagging and self.stale:
            found = [entry for entry in found if entry[1] not in self.stale]
            old = [(getattr(row, attribute), row.id) for _, row in self.stale.values() if row is not None]
            found += [entry for entry in old if low <= entry[0] < high]
            found.sort()
        return found

    def seen(self, number: str, *, lagging: bool = True) -> Row | None:
        """Give a row as a lagging reader sees it."""
        if lagging and number in self.stale:
            return self.stale[number][1]
        return self.living.get(number)

    def of_lead(self, lead_id: str) -> list[Row]:
        """All living rows of a lead, oldest first."""
        rows = [self.living[number] for number in self.by_lead.get(lead_id, ())]
        rows.sort(key=lambda row: (row.created, row.id))
        return rows

    def sample(self, rng: Random, count: int) -> list[str]:
        """Choose up to `count` living ids at random."""
        if count >= len(self.living):
            return list(self.living)
        return [entry[1] for entry in rng.sample(self.created, count)]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.living.values())

    def __len__(self) -> int:
        return len(self.living)

    def _take_out(self, number: str, now: float, lag: float) -> None:
        old = self.living.pop(number, None)
        if lag > 0 and number not in self.stale:
            self.stale[number] = (now + lag, old)
        if old is None:
            return
        for order, moment in ((self.created, old.created), (self.updated, old.updated)):
            del order[bisect_left(order, (moment, number))]
        if old.lead_id is not None:
            del self.by_lead[old.lead_id][number]
