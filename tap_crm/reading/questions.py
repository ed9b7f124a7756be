"""The questions of one reading: how they are bounded, asked and checked, and what is handed on of their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from tap_crm import errors
from tap_crm.reading.answer import Unordered
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.reading.listing import Bound, BoundIgnored, check_bound

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Row
    from tap_crm.reading.answer import Answer, Continuation, KeysetListing

#: How often a doubtful answer is asked for in all, and one without any row though its own count says that it has some.
ATTEMPTS, ATTEMPTS_AT_NOTHING = 3, 4
#: Records that two neighbouring pages should share, where a question is gone on with by position.
OVERLAP = 5


@dataclass(slots=True)
class Questions:
    """Asks a listing by one of its times, and hands on what is new.

    Attributes:
        listing: what is asked.
        by: the time that is walked along; the listing is ordered by it.
        emit: takes pages; called from several threads.
        ledger: counts.
        outer: further bounds of every question.
        splits: further times by which a second can be split that holds more than one question gives.
        seen: keys that were emitted before and must not be again; given where a part is read of what others read.
        wanted: tells which rows to emit; None: all.
        present: the second that was the present when the reading began: what changes from then on is still coming.
        may_exclude: the CRM may leave out the second at which bounds begin, and can be asked from an earlier one.
        root: the bounds of the listing of which this is a part; None if it is none.
        keys: what was found, kept only where ``seen`` is given.
        highest_total: the highest count that the CRM told of any question here.
        is_restless: records changed faster than they could be read.
    """

    listing: KeysetListing
    by: str
    emit: Emit
    ledger: Ledger
    outer: tuple[Bound, ...] = ()
    splits: tuple[str, ...] = ()
    seen: AbstractSet[int | str] | None = None
    wanted: Callable[[Row], bool] | None = None
    present: int | None = None
    may_exclude: bool = False
    root: tuple[Bound, ...] | None = None
    keys: set[int | str] = field(default_factory=set)
    highest_total: int = 0
    is_restless: bool = False
    index: int = field(init=False)
    sign: int = field(init=False)

    def __post_init__(self) -> None:
        """Know where the time stands in a row, and which way it goes."""
        self.index = self.listing.times.index(self.by)
        self.sign = 1 if self.listing.ascending else -1
        self.highest_total = max(self.highest_total, self.ledger.source_total or 0)

    @property
    def is_outermost(self) -> bool:
        """Whether these ask for no part of what others ask for."""
        return self.seen is None

    @property
    def whole(self) -> tuple[Bound, ...]:
        """The bounds of the listing as a whole."""
        return self.outer if self.root is None else self.root

    @property
    def order(self) -> str:
        """The usual order."""
        return self.listing.orders(self.by)[0]

    def along(self, time: str, outer: tuple[Bound, ...], seen: AbstractSet[int | str]) -> Questions:
        """Return the questions that ask for a part of the same listing along another time."""
        splits = tuple(other for other in self.splits if other != time)
        return Questions(
            self.listing,
            time,
            self.emit,
            self.ledger,
            outer,
            splits,
            seen,
            self.wanted,
            present=self.present,
            may_exclude=self.may_exclude,
            root=self.whole,
        )

    # Asking

    def bounds(self, near: int | None, far: int | None) -> tuple[Bound, ...]:
        """Return the bounds of a question from one second to another, in the direction of the walk."""
        low, high = (near, far) if self.listing.ascending else (far, near)
        bound = Bound(self.by, low, high if self.listing.knows_until else None)
        return (*self.outer, bound) if bound else self.outer

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None = None) -> Answer:
        """Ask, count the page, and check that the bounds were honoured.

        Raises:
            BoundIgnored: rows lie outside, or the question was refused because of the bounds.
        """
        try:
            answer = self.listing.ask(bounds, order, after)
        except errors.Refused as refusal:
            if after is None and bounds:
                raise BoundIgnored(bounds[-1].time, refusal) from refusal
            raise
        self.ledger.add(pages=1)
        self.note_total(answer)
        for bound in bounds:
            check_bound(bound, answer.rows, self.listing.times)
        return answer

    def ask_for_rows(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        """Ask, again where an answer has no row though its own count says that there should be some."""
        answer = self.ask(bounds, order, after)
        for _ in range(ATTEMPTS_AT_NOTHING - 1):
            if answer.rows or answer.total is None or answer.start is None or answer.start >= answer.total:
                break
            answer = self.ask(bounds, order, after)
        return answer

    def note_total(self, answer: Answer) -> None:
        """Keep the highest count: one that is lower than that was not cut off."""
        self.highest_total = max(self.highest_total, answer.total or 0)

    # Answers

    def take(self, answer: Answer, known: AbstractSet[int | str]) -> int:
        """Emit what is new in an answer; returns how many rows that were."""
        rows, seen, wanted = answer.rows, self.seen, self.wanted
        new = [at for at, row in enumerate(rows) if row.key not in known]
        if seen is not None:
            self.keys.update(row.key for row in rows)
            new = [at for at in new if rows[at].key not in seen]
        kept = new if wanted is None else [at for at in new if wanted(rows[at])]
        if kept:
            self.ledger.add(distinct=len(kept))
            self.emit(answer.page(kept))
        return len(new)

    def is_behind(self, second: int, end: int) -> bool:
        """Tell whether a second comes later than another on the walk."""
        return (second - end) * self.sign > 0

    def is_still_coming(self, second: int) -> bool:
        """Tell whether a second was not over when the reading began: records may enter it all the time."""
        return self.present is not None and second >= self.present

    def times_within(self, answer: Answer, far: int | None) -> list[int]:
        """Return the times of an answer that lie before the end of the walk or at it, in the CRM's order.

        A record changed since the CRM looked it up shows a time behind that; it says nothing of the order.
        """
        index = self.index
        times = [at for row in answer.rows if (at := row.times[index]) is not None]
        return times if far is None else [at for at in times if not self.is_behind(at, far)]

    def last_time(self, answer: Answer, near: int | None, far: int | None) -> int | None:
        """Return the last time of an answer to a question from one second to another, in the direction of the walk.

        Raises:
            Unordered: the CRM does not sort by it.
            BoundIgnored: it leads back.
        """
        times = self.times_within(answer, far)
        if not times:
            return None
        # A record changed a moment ago may be listed by its old time where an index lags: it says nothing of order.
        settled = [at for at in times if at < answer.server_time - BEHIND_THE_CLOCK]
        if any(self.is_behind(before, after + self.sign) for before, after in pairwise(settled)):
            raise Unordered
        if near is not None and self.is_behind(near, times[-1]):
            raise BoundIgnored(self.by)  # by a second, which is tolerated; but it leads nowhere
        return times[-1]


#: Reads everything that some questions ask for: how a part of a listing is read while another part of it is.
ReadAll: TypeAlias = Callable[[Questions], None]
