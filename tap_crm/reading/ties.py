"""Reads one second that holds more records than an answer: the one place where a question must be gone on with.

What is found counts as all of it only if something proves that, or every way to ask agrees:

- the CRM's count is met, and is not the highest that it tells, at which it may be cut off;
- or the second is split by another time, and each of its parts is read completely;
- or the listing as a whole gives more rows than the second has, so that no cap can have cut it off, or its rows come
  in other orders without a new one.

Else it is an error that names the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.reading.listing import Bound, BoundIgnored
from tap_crm.reading.part import Expired, Unordered

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tap_crm.reading.keyset import KeysetReader
    from tap_crm.reading.part import Continuation, Part

#: How often a walk is begun anew because the CRM forgot how to go on.
MOST_RESTARTS, RESTARTS_BEFORE_A_SPLIT = 20, 3
#: So many walks in a row that bring nothing new end the search for what the CRM's count still promises; more of them
#: where ties come in another order each time, since luck needs more tries.
QUIET_WALKS, QUIET_WALKS_WHEN_SHUFFLED = 3, 8
#: So many walks in all: what each of the last ones still brought has come meanwhile.
MOST_WALKS, MOST_WALKS_WHEN_SHUFFLED = 10, 40
#: So many answers in a row that bring nothing new end a walk.
MOST_BARREN = 5
#: So many records may leave a second between two answers, or a few more, before its order counts as not the same.
MOST_GONE = 3
#: A listing that has more orders than forwards and backwards shows other records first in the others.
ENDS = 2


class Verdict(Enum):
    """What walking a second in one order has shown."""

    PROVEN = auto()
    """All of it came."""
    OPEN = auto()
    """It ended as it should, but nothing proves that this was not a cap."""
    SHORT = auto()
    """It ended as it should, and yet the CRM counts more."""
    CUT_OFF = auto()
    """It ended too soon, or its order cannot be relied on."""


def read_ties(reader: KeysetReader, second: int, known: AbstractSet[int | str]) -> None:
    """Emit every record of one second but those that are known.

    Raises:
        Incomplete: there are more than the CRM gives for one question, or may be, and nothing splits them.
    """
    if not reader.listing.knows_until:
        raise _incomplete(reader, second)
    _Ties(reader, second, set(known), better_split=bool(reader.splits)).read()


def _incomplete(reader: KeysetReader, second: int) -> errors.Incomplete:
    return errors.Incomplete(
        f"{reader.listing.label}: more records share one second (epoch {second}) than the CRM gives for one question, "
        "and no other filter splits them, or proves that these are all"
    )


@dataclass(slots=True)
class _Walk:
    """One walk through the second.

    Attributes:
        keys: what it showed, in order.
        total: the highest count that the CRM told on it.
        whole: the CRM ended it.
        shuffled: a row came twice: ties come in another order in each answer, or pages are not heeded.
        bare: the last answer brought nothing new, or as many rows as were asked for.
    """

    keys: dict[int | str, int] = field(default_factory=dict)
    total: int | None = None
    whole: bool = True
    shuffled: bool = False
    bare: bool = False

    def take(self, part: Part) -> int:
        """Keep what an answer shows; returns how many rows of it are new."""
        before = len(self.keys)
        for row in part.rows:
            self.keys.setdefault(row.key, len(self.keys))
        return len(self.keys) - before

    def is_followed_by(self, part: Part) -> bool:
        """Tell whether an answer goes on where the last one ended, though some rows came or went.

        It shows the last rows of that one again, in the same order, and then only new ones.
        """
        places = [self.keys.get(row.key) for row in part.rows]
        known = [place for place in places if place is not None]
        if not known:
            return True
        left = len(self.keys) - known[0] - len(known)
        return places[: len(known)] == known and known == sorted(known) and left <= len(known) + MOST_GONE

    @property
    def is_met(self) -> bool:
        """Whether it showed as many as were counted: what leaves meanwhile was counted before."""
        return self.total is not None and len(self.keys) >= self.total


@dataclass(slots=True)
class _Ties:
    """One second.

    Attributes:
        found: keys that need not be emitted again.
        better_split: whether it is split rather than walked where one question does not give all of it.
        seen: keys that were there since the first question here.
        total: the highest count since then; records that leave meanwhile may be among those seen.
        by_position: whether the listing is gone on with by position.
        longest: how many records one walk showed at most.
        lengths: how many each walk showed that ended as it should, in an order that held still.
    """

    reader: KeysetReader
    second: int
    found: set[int | str]
    better_split: bool
    seen: set[int | str] = field(default_factory=set)
    total: int | None = None
    restarts: int = 0
    by_position: bool = False
    longest: int = 0
    lengths: list[int] = field(default_factory=list)
    bounds: tuple[Bound, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.bounds = self.reader.bounds(self.second, self.second)

    def read(self) -> None:
        """Read the second in all ways that are needed to be sure of it."""
        usual, *others = self.reader.listing.orders(self.reader.by)
        verdict = self._walk_until_quiet(usual)
        if verdict is Verdict.OPEN:
            verdict = self._judge(others)
        passed_over = self.better_split and verdict is Verdict.CUT_OFF
        if verdict is not Verdict.PROVEN and self.reader.splits:
            verdict = self._split(verdict)
        if verdict is Verdict.PROVEN:
            return
        before = len(self.found)
        for order in (usual, *others) if passed_over else others:
            try:
                if self._walk_until_quiet(order) is Verdict.PROVEN:
                    return
            except (errors.Refused, BoundIgnored):
                continue
        if len(others) >= ENDS and sum(length >= len(self.seen) for length in self.lengths) > 1:
            return  # each of two orders, which a cap would cut off elsewhere, shows everything
        if len(self.found) == before and verdict is Verdict.SHORT:
            self._book(self.missing())  # every way agrees; only the count says more
        elif len(self.found) > before or verdict is not Verdict.OPEN:
            raise _incomplete(self.reader, self.second)

    def missing(self) -> int:
        """Return how many were not seen of those that the CRM counts."""
        return max(0, (self.total or 0) - len(self.seen))

    # Whether what ended as it should was cut off

    def _judge(self, others: list[str]) -> Verdict:
        """Judge a walk that ended as it should by what other questions show."""
        further = self._goes_further()
        if further is not None:
            return Verdict.PROVEN if further else Verdict.CUT_OFF
        if self.total is None and self.reader.splits:
            return Verdict.OPEN
        if any(self._shows_more(order) for order in others) or (self.total is None and not others):
            return Verdict.CUT_OFF
        return Verdict.PROVEN

    def _goes_further(self) -> bool | None:
        """Tell whether the listing as a whole gives more rows than this second has; None if that cannot be told.

        Where it does not though there are more rows, the CRM gives no more than so many of any question.
        """
        reader, count = self.reader, len(self.seen)
        order = reader.listing.orders(reader.by)[0]
        if not self.by_position and (self.total is not None or reader.splits or len(reader.listing.orders("")) > ENDS):
            return None  # a cursor leads there by many pages
        try:
            if self._whole_listing_has(order, count):
                return True
        except errors.Refused:
            pass
        except Expired:
            return None
        return False if self._has_others(order) else None

    def _whole_listing_has(self, order: str, count: int) -> bool:
        """Tell whether the listing as a whole gives more rows than so many."""
        if self.by_position:
            part = self.reader.ask(self.reader.root, order, count)
            return (count if part.start is None else part.start) + len(part.rows) > count
        part = self.reader.ask(self.reader.root, order)
        given = len(part.rows)
        while given <= count and part.after is not None and part.rows:
            part = self.reader.ask(self.reader.root, order, part.after)
            given += len(part.rows)
        return given > count

    def _has_others(self, order: str) -> bool:
        """Tell whether the listing has more rows than this second."""
        reader = self.reader
        if not reader.is_outermost:
            return reader.ledger.distinct > len(self.seen)
        before, behind = Bound(reader.by, None, self.second - 1), Bound(reader.by, self.second + 1, None)
        try:
            rows = [row for bound in (before, behind) for row in reader.ask((*reader.outer, bound), order).rows]
        except BoundIgnored:
            return False
        return any(row.key not in self.seen for row in rows)

    def _shows_more(self, order: str) -> bool:
        try:
            return any(row.key not in self.seen for row in self._ask(order, None, peek=True).rows)
        except (errors.Refused, BoundIgnored, Unordered):
            return False

    # Walking

    def _walk_until_quiet(self, order: str) -> Verdict:
        """Walk the second until its count is met, or walks bring nothing new."""
        quiet = walks = 0
        while True:
            before = len(self.found)
            walk = self._walk(order)
            if walk is None:  # begun anew
                continue
            self.longest = max(self.longest, len(walk.keys))
            if self.total is not None and (walk.is_met or not self.missing()):
                return Verdict.PROVEN if self._is_trusted() else Verdict.OPEN
            if not walk.whole or (walk.shuffled and self.better_split) or self._reaches_the_cap():
                return Verdict.CUT_OFF
            walks += 1
            quiet = 0 if len(self.found) > before else quiet + 1
            if self.total is None and (quiet or walks >= MOST_WALKS):
                if walk.shuffled:
                    return Verdict.CUT_OFF
                self.lengths.append(len(walk.keys))
                return Verdict.OPEN
            if quiet >= (QUIET_WALKS_WHEN_SHUFFLED if walk.shuffled else QUIET_WALKS) or walks >= (
                MOST_WALKS_WHEN_SHUFFLED if walk.shuffled else MOST_WALKS
            ):
                return Verdict.CUT_OFF if walk.shuffled or walk.bare else Verdict.SHORT

    def _is_trusted(self) -> bool:
        """Tell whether a count that is met is no cap: the CRM counts further than that, or further than it gives."""
        return max(self.reader.highest_total, self.total or 0) > min(self.total or 0, self.longest)

    def _reaches_the_cap(self) -> bool:
        reach = self.reader.listing.reach
        return reach is not None and len(self.seen) >= reach

    def _walk(self, order: str) -> _Walk | None:
        """Walk once; None if the CRM forgot how to go on."""
        walk = _Walk()
        barren = 0
        part = self._ask(order, None)
        if self.better_split and (self.total or 0) > (self.reader.listing.reach or float("inf")):
            walk.whole = False  # it would be cut off: no need to try
            return walk
        while True:
            fresh = walk.take(part)
            walk.bare = not fresh or len(part.rows) >= part.size
            if part.total is not None:
                walk.total = max(part.total, walk.total or 0)
            barren = 0 if fresh else barren + 1
            if part.after is None or self._ends_without_a_word(part, walk):
                return walk
            if barren >= MOST_BARREN:
                walk.whole = False
                return walk
            self.by_position = isinstance(part.after, int)
            try:
                part = self._go_on(order, part, walk)
            except Expired:
                self._begin_anew()
                if not (self.better_split and self.restarts >= RESTARTS_BEFORE_A_SPLIT):
                    return None
                walk.whole = False  # a part of it may be read before the CRM forgets how to go on
                return walk
            except errors.Refused:
                walk.whole = False
                return walk
            if self.by_position:
                walk.shuffled = walk.shuffled or not walk.is_followed_by(part)
            else:  # a cursor shows nothing twice
                walk.shuffled = walk.shuffled or any(row.key in walk.keys for row in part.rows)

    def _ends_without_a_word(self, part: Part, walk: _Walk) -> bool:
        """Tell whether a page without rows is the end, where nothing else tells it."""
        return not part.rows and part.total is None and bool(walk.keys) and not self.reader.listing.tells_end

    def _begin_anew(self) -> None:
        self.restarts += 1
        if self.restarts > MOST_RESTARTS:
            raise errors.Incomplete(
                f"{self.reader.listing.label}: the CRM forgot its cursor {self.restarts} times in one second's "
                f"records (epoch {self.second}); it answers too slowly"
            ) from None

    def _go_on(self, order: str, part: Part, walk: _Walk) -> Part:
        """Ask for what comes next.

        A position moves when records leave. So a position is asked for with one record more, and where none of the
        answer is known from this walk, the walk steps back.
        """
        after, given = part.after, len(part.rows)
        if not isinstance(after, int) or given == 1:  # one row leaves no room for another
            return self._ask(order, after)
        position = after - 1 if given else after
        while True:
            part = self._ask(order, position or None)
            if not position or not part.rows or any(row.key in walk.keys for row in part.rows):
                return part
            position = max(0, position - max(1, given // 2))

    def _ask(self, order: str, after: Continuation | None, *, peek: bool = False) -> Part:
        """Ask and emit what is new; an end without any record is asked for twice."""
        part = self.reader.ask_for_rows(self.bounds, order, after)
        if not part.rows and part.after is None:
            part = self.reader.ask(self.bounds, order, after)
        if part.total is not None:
            self.total = max(part.total, self.total or 0)
        self.reader.take(part, self.found)
        keys = {row.key for row in part.rows}
        self.found |= keys
        if not peek:
            self.seen |= keys
        return part

    # Splitting

    def _split(self, verdict: Verdict) -> Verdict:
        """Walk the second along another time; return what is to be thought of it then."""
        self.better_split = False
        for time in self.reader.splits:
            inner = self.reader.along(time, self.bounds, self.found)
            try:
                inner.read(None, None)
            except (BoundIgnored, Unordered, errors.Refused):
                continue
            except errors.Incomplete:
                verdict = Verdict.CUT_OFF
                continue
            finally:
                self.found |= inner.keys
                self.seen |= inner.keys
            # What left since the second was first counted was not to be found.
            self._book(min(self.missing(), max(0, inner.highest_total - len(inner.keys))))
            return Verdict.PROVEN
        return verdict

    def _book(self, missing: int) -> None:
        if self.reader.is_outermost:
            self.reader.ledger.add(unexplained=missing)
