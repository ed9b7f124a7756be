"""Reads one second that holds more records than an answer: the one place where a question must be gone on with.

What is found counts as all of it only if something proves that, or every way to ask agrees:

- the CRM's count is met, and is not the highest that it tells, at which it may be cut off;
- or the second is split by another time, and each of its parts is read completely;
- or the listing as a whole gives more rows than the second has, so that no cap can have cut it off, or its rows come
  in other orders without a new one;
- or one answer has all of it, and there is nothing behind that.

Else it is an error that names the second.

It is long because each way to be sure of a second is held against what the others have shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.reading.answer import Expired, Unordered
from tap_crm.reading.listing import Bound, BoundIgnored
from tap_crm.reading.no_news import NoNews

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tap_crm.reading.answer import Answer, Continuation
    from tap_crm.reading.questions import Questions, ReadAll

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


def read_ties(questions: Questions, second: int, known: AbstractSet[int | str], read_all: ReadAll) -> None:
    """Emit every record of one second but those that are known; ``read_all`` reads a part of them.

    Where records enter the second all the time, it may stay unproven: the questions are restless then.

    Raises:
        Incomplete: there are more than the CRM gives for one question, or may be, and nothing splits them.
    """
    if not questions.listing.knows_until:
        raise _incomplete(questions, second)
    _Ties(questions, read_all, second, set(known), better_split=bool(questions.splits)).read()


def _incomplete(questions: Questions, second: int) -> errors.Incomplete:
    return errors.Incomplete(
        f"{questions.listing.label}: more records share one second (epoch {second}) than the CRM gives for one "
        "question, and no other filter splits them, or proves that these are all"
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

    def take(self, answer: Answer) -> int:
        """Keep what an answer shows; returns how many rows of it are new."""
        before = len(self.keys)
        for row in answer.rows:
            self.keys.setdefault(row.key, len(self.keys))
        return len(self.keys) - before

    def is_followed_by(self, answer: Answer) -> bool:
        """Tell whether an answer goes on where the last one ended, though some rows came or went.

        It shows the last rows of that one again, in the same order, and then only new ones.
        """
        places = [self.keys.get(row.key) for row in answer.rows]
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
        page: how many records an answer has at most, of a listing whose answers tell their position; else 0.
        longest: how many records one walk showed at most.
        shown: what each walk showed, from its first row on, that ended as it should in an order that held still.
        is_growing: not only the first walk brought something new.
    """

    questions: Questions
    read_all: ReadAll
    second: int
    found: set[int | str]
    better_split: bool
    seen: set[int | str] = field(default_factory=set)
    total: int | None = None
    restarts: int = 0
    by_position: bool = False
    page: int = 0
    longest: int = 0
    shown: list[tuple[int | str, ...]] = field(default_factory=list)
    is_growing: bool = False
    bounds: tuple[Bound, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.bounds = self.questions.bounds(self.second, self.second)

    def read(self) -> None:
        """Read the second in all ways that are needed to be sure of it."""
        usual, *others = self.questions.listing.orders(self.questions.by)
        verdict = self._walk_until_quiet(usual)
        if verdict is Verdict.OPEN:
            verdict = self._judge(others)
        passed_over = self.better_split and verdict is Verdict.CUT_OFF
        if verdict is not Verdict.PROVEN and self.questions.splits:
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
        self._conclude(verdict, is_more=len(self.found) > before)

    def _conclude(self, verdict: Verdict, *, is_more: bool) -> None:
        """Say what is to be thought of a second of which no way to ask has proven that all of it came.

        Args:
            verdict: by the usual order, or by the split.
            is_more: the other orders showed more.

        Raises:
            Incomplete: some of it may not have come.
        """
        if len({keys for keys in self.shown if len(keys) >= len(self.seen)}) > 1:
            return  # each of two orders shows everything; a cap would have cut off other records in the other one
        if not is_more and verdict is Verdict.SHORT:
            self._book(self.missing())  # every way agrees; only the count says more
        elif self.is_growing and self.questions.is_still_coming(self.second):
            self.questions.is_restless = True  # no bookmark passes it: the next run reads it when it is over
        elif is_more or verdict is not Verdict.OPEN:
            raise _incomplete(self.questions, self.second)

    def missing(self) -> int:
        """Return how many were not seen of those that the CRM counts."""
        return max(0, (self.total or 0) - len(self.seen))

    # Whether what ended as it should was cut off

    def _judge(self, others: list[str]) -> Verdict:
        """Judge a walk that ended as it should by what other questions show."""
        further = self._goes_further()
        if further is not None:
            return Verdict.PROVEN if further else Verdict.CUT_OFF
        if self.total is None and self.questions.splits:
            return Verdict.OPEN
        if any(self._shows_more(order) for order in others):
            return Verdict.CUT_OFF
        is_told = self.total is not None or bool(others) or self._is_one_page()
        return Verdict.PROVEN if is_told else Verdict.CUT_OFF

    def _is_one_page(self) -> bool:
        """Tell whether one answer has all of it, and the position behind that has nothing: a cap is several pages."""
        if len(self.seen) > self.page:
            return False
        return not self._ask(self.questions.order, len(self.seen), peek=True).rows

    def _goes_further(self) -> bool | None:
        """Tell whether the listing as a whole gives more rows than this second has; None if that cannot be told.

        Where it does not though there are more rows, the CRM gives no more than so many of any question.
        """
        questions, count = self.questions, len(self.seen)
        order = questions.listing.orders(questions.by)[0]
        if not self.by_position and (
            self.total is not None or questions.splits or len(questions.listing.orders("")) > ENDS
        ):
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
            answer = self.questions.ask(self.questions.whole, order, count)
            return (count if answer.start is None else answer.start) + len(answer.rows) > count
        answer = self.questions.ask(self.questions.whole, order)
        given = len(answer.rows)
        while given <= count and answer.after is not None and answer.rows:
            answer = self.questions.ask(self.questions.whole, order, answer.after)
            given += len(answer.rows)
        return given > count

    def _has_others(self, order: str) -> bool:
        """Tell whether the listing has more rows than this second."""
        questions = self.questions
        if not questions.is_outermost:
            return questions.ledger.distinct > len(self.seen)
        before, behind = Bound(questions.by, None, self.second - 1), Bound(questions.by, self.second + 1, None)
        try:
            rows = [row for bound in (before, behind) for row in questions.ask((*questions.outer, bound), order).rows]
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
            self.is_growing = self.is_growing or (walks > 1 and not quiet)
            if self.total is None and (quiet or walks >= MOST_WALKS):
                if walk.shuffled:
                    return Verdict.CUT_OFF
                self.shown.append(tuple(walk.keys))
                return Verdict.OPEN
            if quiet >= (QUIET_WALKS_WHEN_SHUFFLED if walk.shuffled else QUIET_WALKS) or walks >= (
                MOST_WALKS_WHEN_SHUFFLED if walk.shuffled else MOST_WALKS
            ):
                return Verdict.CUT_OFF if walk.shuffled or walk.bare else Verdict.SHORT

    def _is_trusted(self) -> bool:
        """Tell whether a count that is met is no cap: the CRM counts further than that, or further than it gives."""
        return max(self.questions.highest_total, self.total or 0) > min(self.total or 0, self.longest)

    def _reaches_the_cap(self) -> bool:
        reach = self.questions.listing.reach
        return reach is not None and len(self.seen) >= reach

    def _walk(self, order: str) -> _Walk | None:
        """Walk once; None if the CRM forgot how to go on."""
        walk = _Walk()
        no_news = NoNews(self.questions.listing.label, MOST_BARREN)
        answer = self._ask(order, None)
        self.page = 0 if answer.start is None else answer.size
        if self.better_split and (self.total or 0) > (self.questions.listing.reach or float("inf")):
            walk.whole = False  # it would be cut off: no need to try
            return walk
        while True:
            fresh = walk.take(answer)
            walk.bare = not fresh or len(answer.rows) >= answer.size
            if answer.total is not None:
                walk.total = max(answer.total, walk.total or 0)
            is_barren = no_news.is_too_much(is_new=bool(fresh))
            if answer.after is None or self._ends_without_a_word(answer, walk):
                return walk
            if is_barren:
                walk.whole = False
                return walk
            self.by_position = isinstance(answer.after, int)
            try:
                answer = self._go_on(order, answer, walk)
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
                walk.shuffled = walk.shuffled or not walk.is_followed_by(answer)
            else:  # a cursor shows nothing twice
                walk.shuffled = walk.shuffled or any(row.key in walk.keys for row in answer.rows)

    def _ends_without_a_word(self, answer: Answer, walk: _Walk) -> bool:
        """Tell whether a page without rows is the end, where nothing else tells it."""
        return not answer.rows and answer.total is None and bool(walk.keys) and not self.questions.listing.tells_end

    def _begin_anew(self) -> None:
        self.restarts += 1
        if self.restarts > MOST_RESTARTS:
            raise errors.Incomplete(
                f"{self.questions.listing.label}: the CRM forgot its cursor {self.restarts} times in one second's "
                f"records (epoch {self.second}); it answers too slowly"
            ) from None

    def _go_on(self, order: str, answer: Answer, walk: _Walk) -> Answer:
        """Ask for what comes next.

        A position moves when records leave. So a position is asked for with one record more, and where none of the
        answer is known from this walk, the walk steps back.
        """
        after, given = answer.after, len(answer.rows)
        if not isinstance(after, int) or given == 1:  # one row leaves no room for another
            return self._ask(order, after)
        position = after - 1 if given else after
        while True:
            answer = self._ask(order, position or None)
            if not position or not answer.rows or any(row.key in walk.keys for row in answer.rows):
                return answer
            position = max(0, position - max(1, given // 2))

    def _ask(self, order: str, after: Continuation | None, *, peek: bool = False) -> Answer:
        """Ask and emit what is new; an end without any record is asked for twice."""
        answer = self.questions.ask_for_rows(self.bounds, order, after)
        if not answer.rows and answer.after is None:
            answer = self.questions.ask(self.bounds, order, after)
        if answer.total is not None:
            self.total = max(answer.total, self.total or 0)
        self.questions.take(answer, self.found)
        keys = {row.key for row in answer.rows}
        self.found |= keys
        if not peek:
            self.seen |= keys
        return answer

    # Splitting

    def _split(self, verdict: Verdict) -> Verdict:
        """Walk the second along another time; return what is to be thought of it then."""
        self.better_split = False
        for time in self.questions.splits:
            inner = self.questions.along(time, self.bounds, self.found)
            before = len(self.found)
            try:
                self.read_all(inner)
            except (BoundIgnored, Unordered, errors.Refused):
                continue
            except errors.Incomplete:
                verdict = Verdict.CUT_OFF
                continue
            finally:
                self.found |= inner.keys
                self.seen |= inner.keys
                self.is_growing = self.is_growing or len(self.found) > before
                self.questions.is_restless = self.questions.is_restless or inner.is_restless
            # What left since the second was first counted was not to be found.
            self._book(min(self.missing(), max(0, inner.highest_total - len(inner.keys))))
            return Verdict.PROVEN
        return verdict

    def _book(self, missing: int) -> None:
        if self.questions.is_outermost:
            self.questions.ledger.add(unexplained=missing)
