"""A listing in memory that behaves as badly as the documentation allows, and changes between answers."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.reading.listing import Answer, Row
from tap_crm.reading.page import Checkpoint, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from tap_crm.reading.listing import Bound
    from tap_crm.reading.page import Item

CHANGED, CREATED = 0, 1
#: So many empty answers running to one question.
MOST_LIES = 3


@dataclass
class Account:
    """Records by id, each with its change and its creation time; a clock that changes move on."""

    records: dict[int, tuple[int, int]]
    now: int = 1_000_000
    next_id: int = 1_000_000
    untouched: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with every record untouched."""
        self.untouched = set(self.records)

    def edit(self, key: int) -> None:
        """Change a record now."""
        self.records[key] = (self.now, self.records[key][CREATED])
        self.untouched.discard(key)

    def delete(self, key: int) -> None:
        """Remove a record."""
        del self.records[key]
        self.untouched.discard(key)

    def create(self) -> None:
        """Add a record now."""
        self.records[self.next_id] = (self.now, self.now)
        self.next_id += 1


@dataclass
class MemoryListing:
    """Answers pages of an account.

    Attributes:
        account: what there is.
        page_size: rows of a full page.
        reach: records that a question gives, as the reader believes.
        cap: records that a question gives, in truth.
        total: how the total is told: ``exact``, ``missing``, ``over``, ``capped``.
        most_told: the highest total that is told where it is ``capped``, if that is not the cap.
        unstable: ties come in another order each time.
        short: chance that a row is missing from an answer, never twice running.
        empty: chance that an answer has no row, though its total says otherwise; to one question not more than
            three times running.
        ignores: times whose bounds have no effect.
        ascending: False for newest first.
        before: called before each answer.
    """

    account: Account
    page_size: int = 10
    reach: int = 100_000
    cap: int = 100_000
    total: str = "exact"
    most_told: int | None = None
    unstable: bool = False
    short: float = 0.0
    empty: float = 0.0
    ignores: frozenset[str] = frozenset()
    ascending: bool = True
    before: Callable[[], None] = lambda: None
    seed: int = 0
    label: str = "things"
    times: tuple[str, ...] = ("changed", "created")
    asked: int = 0
    _left_out: set[int] = field(default_factory=set)
    _lies: Counter[Hashable] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Seed what happens by chance."""
        self._random = random.Random(self.seed)
        self._one_at_a_time = threading.Lock()

    def ask(self, bounds: tuple[Bound, ...], order: str | None, page: int) -> Answer:
        """Return a page as a CRM would."""
        with self._one_at_a_time:
            return self._answer(bounds, order, page)

    def _answer(self, bounds: tuple[Bound, ...], order: str | None, page: int) -> Answer:
        self.asked += 1
        assert self.asked < 20_000, "the reader does not end"
        if page < 1:
            raise errors.Refused("no such page")
        self.before()
        hits = [
            (key, at) for key, at in self.account.records.items() if all(self._within(at, bound) for bound in bounds)
        ]
        index = self.times.index(order) if order is not None else CHANGED
        hits.sort(key=lambda hit: (hit[1][index], self._random.random() if self.unstable else hit[0]))
        if not self.ascending:
            hits.reverse()
        given = hits[: self.cap][(page - 1) * self.page_size : page * self.page_size]
        if self.short:
            given = [hit for hit in given if not self._leaves_out(hit[0])]
        if self.empty and self._lies_about((bounds, order, page)):
            given = []
        rows = tuple(Row(key, at) for key, at in given)
        return Answer(
            rows, json.dumps([[key, *at] for key, at in given]).encode(), self._told(len(hits)), self.account.now
        )

    def rows_of(self, body: bytes) -> tuple[Row, ...]:
        """Return the rows in a body."""
        return tuple(Row(key, tuple(at)) for key, *at in json.loads(body))

    def _within(self, at: tuple[int, int], bound: Bound) -> bool:
        if bound.time in self.ignores:
            return True
        value = at[self.times.index(bound.time)]
        return (bound.low is None or value >= bound.low) and (bound.high is None or value <= bound.high)

    def _leaves_out(self, key: int) -> bool:
        if key in self._left_out:
            self._left_out.discard(key)
            return False
        if self._random.random() < self.short:
            self._left_out.add(key)
            return True
        return False

    def _lies_about(self, question: Hashable) -> bool:
        lies = self._lies[question] < MOST_LIES and self._random.random() < self.empty
        self._lies[question] = self._lies[question] + 1 if lies else 0
        return lies

    def _told(self, hits: int) -> int | None:
        return {
            "exact": hits,
            "missing": None,
            "over": hits + hits // 10 + 1,
            "capped": min(hits, self.cap if self.most_told is None else self.most_told),
        }[self.total]


@dataclass
class Collector:
    """Takes what a reading emits, as a target would; knows what was complete at each checkpoint."""

    listing: MemoryListing
    table: dict[int, tuple[int | None, ...]] = field(default_factory=dict)
    lines: int = 0
    checkpoints: list[int] = field(default_factory=list)
    at_checkpoint: list[tuple[int, set[int]]] = field(default_factory=list)

    def __call__(self, item: Item) -> None:
        """Take a page or a checkpoint."""
        if isinstance(item, Checkpoint):
            self.checkpoints.append(item.at)
            self.at_checkpoint.append((item.at, set(self.table)))
            return
        assert isinstance(item, Page)
        assert item.body is not None
        rows = self.listing.rows_of(item.body)
        for row in rows if item.keep is None else [rows[at] for at in item.keep]:
            assert isinstance(row.key, int)
            self.table[row.key] = row.times
            self.lines += 1
