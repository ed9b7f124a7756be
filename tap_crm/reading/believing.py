"""Asks one question of a keyset walk as often as its answers are doubtful, and judges whether it was the last one.

An answer is never trusted alone. It must show a record of the one before; a shorter one than there should be is asked
for again; one that brings nothing new is gone on with, page by page, while the CRM's count, or the CRM itself, says
that there is more. The end is believed where the count is met, where the CRM says so, or where a question that begins
at the last record seen brings nothing, and neither does its next page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Row
from tap_crm.reading.listing import BoundIgnored, check_bound
from tap_crm.reading.no_news import MOST_WITHOUT_NEWS, NoNews, endless
from tap_crm.reading.part import Expired, Part, Unordered
from tap_crm.reading.questions import ATTEMPTS, ATTEMPTS_AT_NOTHING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tap_crm.reading.listing import Bound
    from tap_crm.reading.questions import Questions, ReadAll
    from tap_crm.reading.spans import Span, Spans


@dataclass(slots=True)
class Believed:
    """What one question brought, with all its attempts and pages.

    Attributes:
        part: the answer to go on from.
        rows: all rows that came.
        places: so many places of the CRM's list were looked at.
        ended: nothing follows.
    """

    part: Part
    rows: dict[int | str, Row] = field(default_factory=dict)
    places: int = 0
    ended: bool = False

    def take(self, part: Part) -> None:
        """Keep the rows of one more answer."""
        self.rows.update((row.key, row) for row in part.rows)
        first = self.places if part.start is None and part is not self.part else (part.start or 0)
        self.places = max(self.places, first + part.size)

    def lacking(self) -> int:
        """Return how many of the places that were looked at did not show a row, by the CRM's count."""
        total = self.part.total
        return 0 if total is None else max(0, min(self.places, total) - len(self.rows))


class Believing:
    """Asks questions until their answers can be believed.

    Args:
        questions: what is asked.
        spans: what is walked side by side.
        read_all: reads a part of the listing along another time.
    """

    def __init__(self, questions: Questions, spans: Spans, read_all: ReadAll) -> None:
        self._questions = questions
        self._spans = spans
        self._read_all = read_all
        self._listing = questions.listing
        self._usual: int | None = None

    def answer(self, span: Span, known: AbstractSet[int | str]) -> Believed:
        """Ask from the span's position on, emit what is new, and judge whether that was the end."""
        questions = self._questions
        bounds, order = questions.bounds(span.position, span.far), questions.order
        part = self._opening(span) or questions.ask(bounds, order)
        believed = Believed(part)
        for attempt in range(1, ATTEMPTS_AT_NOTHING + 1):
            fresh = questions.take(part, {*known, *believed.rows})
            believed.take(part)
            if (len(part.rows), part.after is not None) >= (len(believed.part.rows), believed.part.after is not None):
                believed.part = part
            quiet = attempt > 1 and part.rows and not fresh  # an answer without rows shows nothing
            if attempt >= self._attempts(believed, known) or quiet or not self._is_doubtful(believed, known):
                break
            if not believed.rows and part.after is None and self._spans.give_back(span):
                return believed
            part = questions.ask(bounds, order)
        self._go_on(believed, bounds, order, known)
        self._judge(believed, bounds, order, known)
        return believed

    def _attempts(self, believed: Believed, known: AbstractSet[int | str]) -> int:
        """Return how often a question is asked at most."""
        total = believed.part.total
        if believed.rows or total is None:
            return ATTEMPTS
        if total:
            return ATTEMPTS_AT_NOTHING
        return ATTEMPTS if known else 2  # where nothing is expected, a count of nothing is enough when it came twice

    def _opening(self, span: Span) -> Part | None:
        """Return the answer that was asked for before, if it serves as the first one of this span."""
        part, questions = span.opening, self._questions
        if part is None:
            return None
        if part.after is not None and (len(part.rows) < part.size or not questions.times_within(part, span.far)):
            return None  # what a short one leaves out could not be counted: its question was a wider one
        for bound in questions.bounds(span.near, span.far):
            # It was asked for without an end: what lies behind the span is no sign of anything.
            check_bound(replace(bound, high=None), part.rows, self._listing.times)
        return part

    def _is_doubtful(self, believed: Believed, known: AbstractSet[int | str]) -> bool:
        """Tell whether the same question may bring more."""
        part, count = believed.part, len(believed.rows)
        if known and known.isdisjoint(believed.rows):
            return True  # what was there a moment ago is gone: edited just now, or a broken answer
        if part.after is not None:
            if part.total is None and not self._listing.tells_end and count:
                return False  # the next question tells
            return count < min(part.size, self._usual or part.size)
        if part.total and count:
            return part.total > count and count < part.size
        return not count  # nothing to hold it against: where an answer is broken, so is its count

    # Going on with a question that brought nothing new

    def _go_on(self, believed: Believed, bounds: tuple[Bound, ...], order: str, known: AbstractSet[int | str]) -> None:
        """Ask for the next pages of a question while they bring nothing to begin the next question with."""
        restarts, no_news = 0, NoNews(self._listing.label)
        while believed.part.after is not None and known >= believed.rows.keys():
            part = believed.part
            if known and len(part.rows) >= part.size:
                return  # a page full of ties
            try:
                following = self._next(part, bounds, order)
            except errors.Refused:
                if part.start is None:
                    raise
                following = replace(part, rows=(), body=b"[]", after=None)  # there are no pages behind
            except Expired:
                restarts += 1
                self._check_restarts(restarts)
                following = self._questions.ask(bounds, order)
            if no_news.is_too_much(is_new=any(row.key not in believed.rows for row in following.rows)):
                following = self._give_up(following)
            self._questions.take(following, known | believed.rows.keys())
            believed.part = following
            believed.take(following)
            if not following.rows and following.total is None and not self._listing.tells_end:
                believed.ended = True
                return

    def _next(self, part: Part, bounds: tuple[Bound, ...], order: str) -> Part:
        """Return the next page; that nothing follows is asked twice."""
        following = self._questions.ask_for_rows(bounds, order, part.after)
        if not following.rows and following.after is None and self._listing.tells_end:
            following = self._questions.ask(bounds, order, part.after)
        return following

    def _check_restarts(self, restarts: int) -> None:
        if restarts > ATTEMPTS:
            raise errors.Incomplete(
                f"{self._listing.label}: the CRM forgot its cursor {restarts} times; it answers too slowly"
            ) from None

    def _give_up(self, part: Part) -> Part:
        """Take a page for the last one, after many that brought nothing.

        Raises:
            Incomplete: only the CRM's word says that there is more, and no count how much.
        """
        if part.total is None:
            raise endless(self._listing.label, MOST_WITHOUT_NEWS)
        return replace(part, after=None)

    # The end

    def _judge(self, believed: Believed, bounds: tuple[Bound, ...], order: str, known: AbstractSet[int | str]) -> None:
        """Decide whether the walk has ended."""
        part, count = believed.part, len(believed.rows)
        if believed.ended:
            return
        full = count >= part.size
        if part.after is not None:
            if part.total is not None or self._listing.tells_end:
                self._usual = None if full else count  # the CRM gives shorter pages than asked for
            return
        missing = 0 if part.total is None else part.total - count
        met = part.total is not None and missing <= 0
        if missing > 0 and not known >= believed.rows.keys():
            return  # the question that begins at the last row tells
        believed.ended = not full or met or missing > 0
        if missing > 0:
            self._seek(believed, bounds, order)

    def _seek(self, believed: Believed, bounds: tuple[Bound, ...], order: str) -> None:
        """Seek what the count promises by another order, and along another time; book what does not show."""
        if not self._questions.is_outermost:
            return
        for other in self._listing.orders(self._questions.by)[1:]:
            self._seek_by_order(believed, bounds, other)
            if not self._missing(believed):
                return
            if other == f"-{order}":
                break
        for time in self._questions.splits:
            inner = self._questions.along(time, bounds, believed.rows.keys())
            try:
                self._read_all(inner)
            except (BoundIgnored, Unordered, errors.Refused, errors.Incomplete):
                continue
            finally:
                timeless = (None,) * len(self._listing.times)
                believed.rows.update((key, Row(key, timeless)) for key in inner.keys - believed.rows.keys())
            break
        self._questions.ledger.add(unexplained=self._missing(believed))

    def _missing(self, believed: Believed) -> int:
        return max(0, (believed.part.total or 0) - len(believed.rows))

    def _seek_by_order(self, believed: Believed, bounds: tuple[Bound, ...], order: str) -> None:
        after = None
        while True:
            try:
                part = self._questions.ask(bounds, order, after)
            except (errors.Refused, BoundIgnored, Expired):
                return
            new = self._questions.take(part, believed.rows.keys())
            believed.rows.update((row.key, row) for row in part.rows)
            after = part.after
            if not new or after is None or not self._missing(believed):
                return
