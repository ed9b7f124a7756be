"""Reads one second that holds more records than an answer: the one place where a question must be gone on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.reading.listing import Bound, BoundIgnored
from tap_crm.reading.no_news import NoNews, are_alike
from tap_crm.reading.part import Expired, Unordered

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tap_crm.reading.keyset import KeysetReader
    from tap_crm.reading.part import Continuation, Part

#: How often a walk is begun anew because the CRM forgot how to go on.
MOST_RESTARTS, RESTARTS_BEFORE_A_SPLIT = 20, 3
#: So many walks in a row that bring nothing new end the search for what the CRM's count still promises.
QUIET_WALKS = 3
#: So many walks in all: what each of the last ones still brought has come meanwhile.
MOST_WALKS = 10
#: Caps that are not told are round numbers: a walk that ends at a multiple of this may have been cut off.
ROUND = 1_000


def read_crowd(reader: KeysetReader, second: int, known: AbstractSet[int | str]) -> None:
    """Emit every record of one second but those that are known.

    Raises:
        Incomplete: there are more than the CRM gives for one question, and nothing splits them.
    """
    crowd = _Crowd(reader, second, set(known), better_split=bool(reader.splits))
    usual, *others = reader.listing.orders(reader.by)
    if crowd.walk_until_quiet(usual) or crowd.split():
        return
    before = len(crowd.found)
    for order in (usual, *others) if crowd.passed_over else others:  # the other end of the same crowd
        try:
            if crowd.walk_until_quiet(order):
                return
        except (errors.Refused, BoundIgnored):
            continue
    if crowd.miscounted and len(crowd.found) == before:
        # Only the count says that there is more.
        reader.ledger.add(unexplained=crowd.missing())
        return
    raise errors.Incomplete(
        f"{reader.listing.label}: more records share one second (epoch {second}) than the CRM gives for one question, "
        "and no other filter splits them"
    )


@dataclass(slots=True)
class _Crowd:
    """One second.

    Attributes:
        found: keys that need not be emitted again.
        better_split: whether it is split rather than walked where one question does not give all of it.
        passed_over: whether it was not walked for that.
        miscounted: whether the CRM ended a walk as it should, and yet counts more.
        seen: keys that were there since the first question here.
        total: the highest count since then; records that leave meanwhile may be among those seen.
    """

    reader: KeysetReader
    second: int
    found: set[int | str]
    better_split: bool
    passed_over: bool = False
    miscounted: bool = False
    seen: set[int | str] = field(default_factory=set)
    total: int | None = None
    restarts: int = 0
    bounds: tuple[Bound, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.bounds = self.reader.bounds(self.second, self.second)

    def missing(self) -> int:
        """Return how many were not seen of those that the CRM counts."""
        return max(0, (self.total or 0) - len(self.seen))

    def walk_until_quiet(self, order: str) -> bool:
        """Walk the second until its count is met, or a walk brings nothing new; False if there may be more."""
        quiet, walks = 0, 0
        while True:
            before = len(self.found)
            whole = self._walk(order)
            if whole is None:  # begun anew
                continue
            if self.total is not None and not self.missing():
                return True
            if not whole:
                return False
            walks += 1
            quiet = 0 if len(self.found) > before else quiet + 1
            if self.total is None and (quiet or walks >= MOST_WALKS):
                return True
            if quiet >= QUIET_WALKS or walks >= MOST_WALKS:
                self.miscounted = True
                return False

    def _walk(self, order: str) -> bool | None:
        """Walk once; False if the CRM stopped before the end, None if it forgot how to go on."""
        walked: set[int | str] = set()
        given = 0
        shuffled = False
        no_news = NoNews(self.reader.listing.label)
        part = self._ask(order, None)
        if self.better_split and (self.total or 0) > (self.reader.listing.reach or float("inf")):
            self.passed_over = True
            return False  # it would be cut off: no need to try
        while True:
            before = len(walked)
            walked.update(row.key for row in part.rows)
            given += len(part.rows)
            if part.after is None:
                # What a cursor gives twice stands in the place of something else; only a count shows when all came.
                return not (self._may_be_cut_off(len(walked), given) or (shuffled and self.total is None))
            no_news.heed(is_new=len(walked) > before)
            by_cursor = isinstance(part.after, str)
            last = part
            try:
                part = self._go_on(order, last, walked)
                if are_alike(part.rows, last.rows):  # a broken answer, or one that heeds no position
                    part = self._go_on(order, last, walked)
            except Expired:
                self._begin_anew()
                # A part of it may be read before the CRM forgets how to go on.
                return False if self.better_split and self.restarts >= RESTARTS_BEFORE_A_SPLIT else None
            except errors.Refused:
                return False
            if are_alike(part.rows, last.rows):
                return False
            shuffled = shuffled or (by_cursor and not walked.isdisjoint(row.key for row in part.rows))

    def _begin_anew(self) -> None:
        self.restarts += 1
        if self.restarts > MOST_RESTARTS:
            raise errors.Incomplete(
                f"{self.reader.listing.label}: the CRM forgot its cursor {self.restarts} times in one second's "
                f"records (epoch {self.second}); it answers too slowly"
            ) from None

    def _may_be_cut_off(self, walked: int, given: int) -> bool:
        """Tell whether a walk's end may be the CRM's limit; it counts what it gives, also what it gives twice."""
        reach = self.reader.listing.reach
        if reach is not None and max(walked, given, len(self.seen)) >= reach:
            return True
        return any(count and count % ROUND == 0 for count in (walked, given))

    def _go_on(self, order: str, part: Part, walked: AbstractSet[int | str]) -> Part:
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
            if not position or any(row.key in walked for row in part.rows):
                return part
            position = max(0, position - max(1, given // 2))

    def _ask(self, order: str, after: Continuation | None) -> Part:
        """Ask and emit what is new; an end without any record is asked for twice."""
        part = self.reader.ask(self.bounds, order, after)
        if not part.rows and part.after is None:
            part = self.reader.ask(self.bounds, order, after)
        if part.total is not None:
            self.total = max(part.total, self.total or 0)
        self.reader.take(part, self.found)
        keys = {row.key for row in part.rows}
        self.found |= keys
        self.seen |= keys
        return part

    def split(self) -> bool:
        """Walk the second along another time; False where that does not prove that all were found."""
        self.better_split = False
        for time in self.reader.splits:
            inner = self.reader.along(time, self.bounds, self.found)
            try:
                inner.read(None, None)
            except (BoundIgnored, Unordered, errors.Refused, errors.Incomplete):
                continue
            finally:
                self.found |= inner.keys
                self.seen |= inner.keys
            return True
        return False
