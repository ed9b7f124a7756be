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
from tap_crm.reading.answer import Answer, Expired, Unordered
from tap_crm.reading.listing import BoundExclusive, BoundIgnored, check_bound
from tap_crm.reading.no_news import MOST_WITHOUT_NEWS, NoNews, endless
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

    answer: Answer
    rows: dict[int | str, Row] = field(default_factory=dict)
    places: int = 0
    ended: bool = False

    def take(self, answer: Answer) -> None:
        """Keep the rows of one more answer."""
        self.rows.update((row.key, row) for row in answer.rows)
        first = self.places if answer.start is None and answer is not self.answer else (answer.start or 0)
        self.places = max(self.places, first + answer.size)

    def lacking(self) -> int:
        """Return how many of the places that were looked at did not show a row, by the CRM's count."""
        total = self.answer.total
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

    def ask(self, span: Span, known: AbstractSet[int | str]) -> Believed:
        """Ask from the span's position on, emit what is new, and judge whether that was the end."""
        questions = self._questions
        bounds, order = questions.bounds(span.position, span.far), questions.order
        answer = self._opening(span) or questions.ask(bounds, order)
        believed = Believed(answer)
        for attempt in range(1, ATTEMPTS_AT_NOTHING + 1):
            fresh = questions.take(answer, {*known, *believed.rows})
            believed.take(answer)
            best = believed.answer
            if (len(answer.rows), answer.after is not None) >= (len(best.rows), best.after is not None):
                believed.answer = answer
            quiet = attempt > 1 and answer.rows and not fresh  # an answer without rows shows nothing
            if attempt >= self._attempts(believed, known) or quiet or not self._is_doubtful(believed, known):
                break
            if not believed.rows and answer.after is None and self._spans.give_back(span):
                return believed
            answer = questions.ask(bounds, order)
        if questions.may_exclude and known and known.isdisjoint(believed.rows):
            self._check_start(span, known)
        self._go_on(believed, bounds, order, known)
        self._judge(believed, bounds, order, known)
        return believed

    def _check_start(self, span: Span, known: AbstractSet[int | str]) -> None:
        """See whether the records that a question should have shown again were left out by its bound.

        Raises:
            BoundExclusive: so they were; from a second earlier on, they are there.
        """
        assert span.position is not None  # noqa: S101 - it is the time of what is known
        questions = self._questions
        wider = questions.ask(questions.bounds(span.position - questions.sign, span.far), questions.order)
        if not known.isdisjoint(row.key for row in wider.rows):
            raise BoundExclusive

    def _attempts(self, believed: Believed, known: AbstractSet[int | str]) -> int:
        """Return how often a question is asked at most."""
        total = believed.answer.total
        if believed.rows or total is None:
            return ATTEMPTS
        if total:
            return ATTEMPTS_AT_NOTHING
        return ATTEMPTS if known else 2  # where nothing is expected, a count of nothing is enough when it came twice

    def _opening(self, span: Span) -> Answer | None:
        """Return the answer that was asked for before, if it serves as the first one of this span."""
        answer, questions = span.opening, self._questions
        if answer is None:
            return None
        is_short = len(answer.rows) < answer.size
        if answer.after is not None and (is_short or not questions.times_within(answer, span.far)):
            return None  # what a short one leaves out could not be counted: its question was a wider one
        for bound in questions.bounds(span.near, span.far):
            # It was asked for without an end: what lies behind the span is no sign of anything.
            check_bound(replace(bound, high=None), answer.rows, self._listing.times)
        return answer

    def _is_doubtful(self, believed: Believed, known: AbstractSet[int | str]) -> bool:
        """Tell whether the same question may bring more."""
        answer, count = believed.answer, len(believed.rows)
        if known and known.isdisjoint(believed.rows):
            return True  # what was there a moment ago is gone: edited just now, or a broken answer
        if answer.after is not None:
            if answer.total is None and not self._listing.tells_end and count:
                return False  # the next question tells
            return count < min(answer.size, self._usual or answer.size)
        if answer.total and count:
            return answer.total > count and count < answer.size
        return not count  # nothing to hold it against: where an answer is broken, so is its count

    # Going on with a question that brought nothing new

    def _go_on(self, believed: Believed, bounds: tuple[Bound, ...], order: str, known: AbstractSet[int | str]) -> None:
        """Ask for the next pages of a question while they bring nothing to begin the next question with."""
        restarts, no_news = 0, NoNews(self._listing.label)
        while believed.answer.after is not None and known >= believed.rows.keys():
            answer = believed.answer
            if known and len(answer.rows) >= answer.size:
                return  # a page full of ties
            try:
                following = self._next(answer, bounds, order)
            except errors.Refused:
                if answer.start is None:
                    raise
                following = replace(answer, rows=(), body=b"[]", after=None)  # there are no pages behind
            except Expired:
                restarts += 1
                self._check_restarts(restarts)
                following = self._questions.ask(bounds, order)
            if no_news.is_too_much(is_new=any(row.key not in believed.rows for row in following.rows)):
                following = self._give_up(following)
            self._questions.take(following, known | believed.rows.keys())
            believed.answer = following
            believed.take(following)
            if not following.rows and following.total is None and not self._listing.tells_end:
                believed.ended = True
                return

    def _next(self, answer: Answer, bounds: tuple[Bound, ...], order: str) -> Answer:
        """Return the next page; that nothing follows is asked twice."""
        following = self._questions.ask_for_rows(bounds, order, answer.after)
        if not following.rows and following.after is None and self._listing.tells_end:
            following = self._questions.ask(bounds, order, answer.after)
        return following

    def _check_restarts(self, restarts: int) -> None:
        if restarts > ATTEMPTS:
            raise errors.Incomplete(
                f"{self._listing.label}: the CRM forgot its cursor {restarts} times; it answers too slowly"
            ) from None

    def _give_up(self, answer: Answer) -> Answer:
        """Take a page for the last one, after many that brought nothing.

        Raises:
            Incomplete: only the CRM's word says that there is more, and no count how much.
        """
        if answer.total is None:
            raise endless(self._listing.label, MOST_WITHOUT_NEWS)
        return replace(answer, after=None)

    # The end

    def _judge(self, believed: Believed, bounds: tuple[Bound, ...], order: str, known: AbstractSet[int | str]) -> None:
        """Decide whether the walk has ended."""
        answer, count = believed.answer, len(believed.rows)
        if believed.ended:
            return
        full = count >= answer.size
        if answer.after is not None:
            if answer.total is not None or self._listing.tells_end:
                self._usual = None if full else count  # the CRM gives shorter pages than asked for
            return
        missing = 0 if answer.total is None else answer.total - count
        met = answer.total is not None and missing <= 0
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
        return max(0, (believed.answer.total or 0) - len(believed.rows))

    def _seek_by_order(self, believed: Believed, bounds: tuple[Bound, ...], order: str) -> None:
        after = None
        while True:
            try:
                answer = self._questions.ask(bounds, order, after)
            except (errors.Refused, BoundIgnored, Expired):
                return
            new = self._questions.take(answer, believed.rows.keys())
            believed.rows.update((row.key, row) for row in answer.rows)
            after = answer.after
            if not new or after is None or not self._missing(believed):
                return
