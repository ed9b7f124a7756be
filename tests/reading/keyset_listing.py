"""A listing in memory that is asked by times and gone on with, as bad as documentation allows, and never still."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tap_crm import errors
from tap_crm.messages import Row
from tap_crm.reading.answer import Answer, Expired
from tests.reading.listing import CREATED, Account, Times

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from tap_crm.reading.answer import Continuation
    from tap_crm.reading.listing import Bound

MOST_QUESTIONS = 6_000


@dataclass
class UntidyListing:
    """Answers parts of an account, by keyset and from a position on.

    Attributes:
        account: what there is.
        page_size: rows that are asked for.
        gives: rows of a page in truth, where the CRM cuts the number down.
        ascending: False for newest first, the only order then.
        total: how the count is told: ``exact``, ``missing``, ``over``.
        goes_on: by ``position``, by a cursor that means a position, or by one that means a ``snapshot``.
        expiries: so many cursors are forgotten.
        cap: records that a question gives in truth, by going on with it.
        told_cap: whether ``reach`` tells.
        refuses_at_cap: whether the end there is a refusal; else it is silent.
        unstable: ties come in another order each time.
        mirrored: whether an order backwards turns ties as well.
        hidden: keys that are counted and take their places, but are never given.
        knows_until: False where a question cannot be bounded by a latest time.
        short, empty, lies: chance that a row is missing from an answer; that an answer that is not the last has no
            row; that one says that there is nothing. The same question is never treated so twice running.
        ignores, refuses: times whose bounds have no effect, or are refused.
        sorts: False where the order asked for has no effect.
        endless: every answer says that there is more.
        stuck: the position or cursor that is asked for has no effect but on whether there is more.
        tells_start: whether an answer tells the position of its first row.
        lag: so many seconds an edited record is still found, bounded and ordered by its old times.
        before: called before each answer.
    """

    account: Account
    page_size: int = 10
    gives: int = 1_000
    ascending: bool = True
    total: str = "exact"
    goes_on: str = "cursor"
    expiries: int = 0
    cap: int = 100_000
    told_cap: bool = True
    refuses_at_cap: bool = False
    unstable: bool = False
    mirrored: bool = True
    hidden: frozenset[int] = frozenset()
    short: float = 0.0
    empty: float = 0.0
    lies: float = 0.0
    ignores: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    sorts: bool = True
    endless: bool = False
    stuck: bool = False
    lag: int = 0
    tells_start: bool = False
    before: Callable[[], None] = lambda: None
    seed: int = 0
    label: str = "things"
    times: tuple[str, ...] = ("changed", "created")
    tells_end: bool = True
    knows_until: bool = True
    asked: int = 0
    _left_out: set[int] = field(default_factory=set)
    _last: dict[Hashable, str] = field(default_factory=dict)
    _cursors: dict[str, tuple[int, list[int] | None]] = field(default_factory=dict)
    _indexed: dict[int, Times] = field(default_factory=dict)
    _lists: dict[Hashable, list[int]] = field(default_factory=dict)
    _orders: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Seed what happens by chance."""
        self._random = random.Random(self.seed)
        self._one_at_a_time = threading.Lock()
        self._indexed = dict(self.account.records)

    @property
    def reach(self) -> int | None:
        """How many records a question gives, if that is told."""
        return self.cap if self.told_cap else None

    def orders(self, by: str) -> tuple[str, ...]:
        """Return the orders that are known."""
        return (by, f"-{by}") if self.ascending else (by,)

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        """Answer as a CRM would."""
        with self._one_at_a_time:
            self._begin()
            assert self.knows_until or all(bound.high is None for bound in bounds), "no such parameter"
            if any(bound.time in self.refuses for bound in bounds):
                raise errors.Refused("no such filter")
            start, snapshot = self._resume(after)
            if self.refuses_at_cap and start >= self.cap:
                raise errors.Refused("no further than this")
            keys = self._found(bounds, order)
            total = len(keys)
            if snapshot is not None:
                keys = snapshot
            return self._part(keys[: self._most()], start, total, (bounds, order, after))

    def ask_from(self, skip: int) -> Answer:
        """Answer from a position on, by creation; without bounds and without a cap."""
        with self._one_at_a_time:
            self._begin()
            keys = self._found((), "created")
            return self._part(keys, skip, len(keys), skip)

    def _begin(self) -> None:
        self.asked += 1
        assert self.asked < MOST_QUESTIONS, "the reader does not end"
        self.before()
        if self._indexed == self.account.records:
            return
        self._lists.clear()
        self._orders.clear()
        for key, at in list(self._indexed.items()):
            now = self.account.records.get(key)
            if now is None:
                del self._indexed[key]
            elif now != at and self.account.now - now[0] >= self.lag:
                self._indexed[key] = now
        for key, at in self.account.records.items():
            self._indexed.setdefault(key, at)

    def _most(self) -> int:
        # Where further pages are refused, the one before does not tell that it is the last.
        return self.cap + 1 if self.refuses_at_cap else self.cap

    def _resume(self, after: Continuation | None) -> tuple[int, list[int] | None]:
        if after is None:
            return 0, None
        if isinstance(after, int):
            return after, None
        if self.expiries and self._random.random() < 0.3:
            self.expiries -= 1
            raise Expired
        return self._cursors[after]

    def _found(self, bounds: tuple[Bound, ...], order: str) -> list[int]:
        if self.unstable or (bounds, order) not in self._lists:
            self._lists[bounds, order] = self._list(bounds, order)
        return self._lists[bounds, order]

    def _list(self, bounds: tuple[Bound, ...], order: str) -> list[int]:
        index = self.times.index(order.removeprefix("-"))
        backwards = order.startswith("-") or not self.ascending
        if self.sorts and self.unstable:
            chance = self._random.random
            keys = self._within(list(self._indexed), bounds)
            keys.sort(key=lambda key: (self._indexed[key][index], chance()), reverse=backwards)
            return keys
        if order not in self._orders:
            self._orders[order] = self._in_order(index, backwards=backwards)
        return self._within(self._orders[order], bounds)

    def _in_order(self, index: int, *, backwards: bool) -> list[int]:
        if not self.sorts:
            return sorted(self._indexed, key=lambda key: (key * 7_919) % 1_009)
        sign = -1 if backwards and not self.mirrored else 1
        return sorted(self._indexed, key=lambda key: (self._indexed[key][index], key * sign), reverse=backwards)

    def _within(self, keys: list[int], bounds: tuple[Bound, ...]) -> list[int]:
        for bound in bounds:
            if bound.time in self.ignores:
                continue
            at = self.times.index(bound.time)
            if bound.low is not None:
                keys = [key for key in keys if self._indexed[key][at] >= bound.low]
            if bound.high is not None:
                keys = [key for key in keys if self._indexed[key][at] <= bound.high]
        return keys

    def _part(self, keys: list[int], start: int, total: int, question: Hashable) -> Answer:
        first = 0 if self.stuck else start
        given = keys[first : first + min(self.page_size, self.gives)]
        more = self.endless or start + len(given) < len(keys)
        trick = self._trick(question, more=more)
        if trick == "lie":
            return self._answer([], None, self._random.choice([None, 0]))
        if trick == "empty":
            given = []
        else:
            there = self.account.records
            given = [key for key in given if key in there and key not in self.hidden and not self._leaves_out(key)]
        # A list goes on by as many rows as it gave; a cursor knows where it is.
        step = max(1, len(given)) if self.goes_on == "position" else min(self.page_size, self.gives)
        after = self._after(start + (step if trick != "empty" or self.goes_on == "position" else 0), keys)
        answer = self._answer(given, after if more else None, self._told(total))
        return replace(answer, start=first) if self.tells_start else answer

    def _answer(self, keys: list[int], after: Continuation | None, total: int | None) -> Answer:
        rows = tuple(Row(key, self.account.records[key]) for key in keys)
        body = json.dumps([[row.key, *row.times] for row in rows]).encode()
        return Answer(rows, body, after, total, self.page_size, self.account.now)

    def _after(self, position: int, keys: list[int]) -> Continuation:
        if self.goes_on == "position":
            return position
        name = f"cursor-{len(self._cursors)}"
        self._cursors[name] = (position, keys if self.goes_on == "snapshot" else None)
        return name

    def _trick(self, question: Hashable, *, more: bool) -> str:
        """Return what is wrong with the answer; the same question is answered well next time."""
        chance = self._random.random()
        trick = "lie" if chance < self.lies else "empty" if more and chance < self.lies + self.empty else ""
        if self._last.get(question):
            trick = ""
        self._last[question] = trick
        return trick

    def _leaves_out(self, key: int) -> bool:
        if key in self._left_out:
            self._left_out.discard(key)
            return False
        if self._random.random() < self.short:
            self._left_out.add(key)
            return True
        return False

    def _told(self, hits: int) -> int | None:
        return {"exact": hits, "missing": None, "over": hits + hits // 20 + 1}[self.total]

    def rows_of(self, body: bytes) -> tuple[Row, ...]:
        """Return the rows in a body."""
        return tuple(Row(key, tuple(at)) for key, *at in json.loads(body))


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Return accounts of any size around page boundaries, with any ties, some records from a moment ago."""
    size = draw(st.sampled_from([0, 1, 9, 10, 11, 20, 21, 60, 100, 150, 301]))
    spread = draw(st.sampled_from([1, 3, 20, 200, 100_000]))
    together = draw(st.booleans())
    recent = draw(st.sampled_from([0, 0, 3, 15]))
    chance = random.Random(draw(st.integers(0, 10_000)))
    records = {}
    for key in range(1, size + 1):
        created = 500_000 + chance.randrange(spread)
        changed = created if together else 600_000 + chance.randrange(spread)
        records[key] = (999_990 + chance.randrange(11) if key <= recent else changed, created)
    return Account(records)


def churning(account: Account, seed: int, rate: int) -> Callable[[], None]:
    """Return a function that edits, deletes and creates some records, and moves the clock.

    Records that it enters with an old date have negative keys.
    """
    chance = random.Random(seed)

    def churn() -> None:
        account.now += chance.randrange(3)
        for _ in range(rate):
            keys = list(account.records)
            what = chance.randrange(5)
            if what == 0 or not keys:
                account.create()
            elif what == 1:
                account.records[-account.next_id] = account.records[chance.choice(keys)]
                account.next_id += 1
            elif what == 2:
                account.delete(chance.choice(keys))
            else:
                account.edit(chance.choice(keys))

    return churn


def most_ties(account: Account, index: int | None = None) -> int:
    """Return how many records share one time, or all their times."""
    times = [at if index is None else at[index] for at in account.records.values()]
    counts: dict[object, int] = {}
    for at in times:
        counts[at] = counts.get(at, 0) + 1
    return max(counts.values(), default=0)


def changed_by(account: Account, since: int | None) -> set[int]:
    """Return the keys of what changed since then."""
    return {key for key, at in account.records.items() if since is None or at[0] >= since}


__all__ = ["CREATED", "Account", "UntidyListing", "accounts", "changed_by", "churning", "most_ties"]
