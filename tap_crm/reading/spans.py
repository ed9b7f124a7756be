"""Ranges of time that are walked side by side: cut where a lane is idle, given back where nothing was found."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.reading.answer import Answer

#: How many pages the near part of a span should have that is cut in two since a lane is idle.
FEWEST_PAGES, MOST_PAGES = 10, 40
#: Each cut costs about a page, the last one of the near part: it is made where that is two per cent of what is left.
FEWEST_LEFT = 50
#: Where no lane has as much left, it is made as well, so that the end of a long list does not wait for one lane: once
#: for so many pages of the whole list, and where each lane gets so many pages.
PAGES_FOR_A_LATE_CUT, FEWEST_PAGES_OF_A_LATE_CUT = 50, 5
#: Pages after which a span is cut: at once where a count tells what is left, else when there is likely to be more.
PAGES_BEFORE_A_CUT, PAGES_BEFORE_A_BLIND_CUT = 2, 16


@dataclass(slots=True)
class Span:
    """A range of seconds to walk from ``near`` to ``far``, both inclusive, open where None.

    Attributes:
        opening: the answer to its first question, if that was asked already.
        position: up to where it was walked.
        pages: so many were read.
        pages_when_cut: so many had been when its far part was cut off last.
        left: so many pages are still to be read, by the CRM's count; None where that is not known.
        finished: nothing is left.
        trail: the last seconds of its last pages.
    """

    near: int | None
    far: int | None
    opening: Answer | None = None
    position: int | None = None
    pages: int = 0
    pages_when_cut: int | None = None
    left: int | None = None
    finished: bool = False
    trail: deque[int] = field(default_factory=lambda: deque(maxlen=PAGES_BEFORE_A_BLIND_CUT))


class Spans:
    """The spans of one reading; safe to use from every lane.

    Args:
        ascending: the direction of the walk.
        lanes: how many spans are walked at once.
    """

    def __init__(self, *, ascending: bool, lanes: int) -> None:
        self._ascending = ascending
        self._sign = 1 if ascending else -1
        self._lanes = lanes
        self._lock = threading.Lock()
        self._spans: list[Span] = []
        self._most_left = 0
        self._late_cuts = 0

    def begin(self, low: int | None, high: int | None, opening: Answer | None) -> Span:
        """Return the one span of everything."""
        near, far = (low, high) if self._ascending else (high, low)
        self._spans = [Span(near, far, opening)]
        return self._spans[0]

    def is_behind(self, second: int, end: int) -> bool:
        """Tell whether a second comes later than another on the walk."""
        return (second - end) * self._sign > 0

    def is_over(self, span: Span, far: int | None) -> bool:
        """Tell whether a span that was read up to ``far`` is finished: a lane may have given its part back."""
        with self._lock:
            span.finished = span.finished or span.far == far
            return span.finished

    def give_back(self, span: Span) -> bool:
        """Let the span that this one was cut off from have it back: an answer without rows proves nothing by itself.

        That one reaches the same place with a record in hand which the answer must show.
        """
        with self._lock:
            for other in self._spans:
                beside = other.far is not None and other.far + self._sign == span.near
                if beside and not other.finished and span is not other:
                    other.far = span.far
                    self._spans.remove(span)
                    span.finished = True
                    return True
        return False

    def cut(self, span: Span, answer: Answer) -> Span | None:
        """Cut off the far part of a span for an idle lane, where enough seems to be left for two; return it."""
        with self._lock:
            span.left = _pages_left(answer)
            self._most_left = max(self._most_left, span.left or 0)
            if len(span.trail) < PAGES_BEFORE_A_CUT:
                return None
            unfinished = [other for other in self._spans if not other.finished]
            idle = self._lanes - len(unfinished)
            pages = self._pages_to_keep(span, unfinished, idle) if idle > 0 else None
            if pages is None:
                return None
            # The next pages are thought to cover as many seconds each as the last ones.
            covered = abs(span.trail[-1] - span.trail[0])
            cut = span.trail[-1] + self._sign * max(1, covered * pages // (len(span.trail) - 1))
            if span.far is not None and not self.is_behind(span.far, cut):
                return None
            behind = Span(cut + self._sign, span.far)
            span.far = cut
            span.pages_when_cut = span.pages
            self._spans.append(behind)
            self._late_cuts += span.left is not None and span.left < FEWEST_LEFT
            return behind

    def _pages_to_keep(self, span: Span, unfinished: Sequence[Span], idle: int) -> int | None:
        """Return how many pages a span should keep that is cut now for one of the idle lanes; None: it is not cut."""
        if all(other.left is not None and other.left < FEWEST_LEFT for other in unfinished):
            share = (span.left or 0) // (idle + 1)
            may_be_late = self._late_cuts < self._most_left // PAGES_FOR_A_LATE_CUT
            return share if may_be_late and share >= FEWEST_PAGES_OF_A_LATE_CUT else None
        if span.left is None:
            was_cut = span.pages_when_cut is not None and span.pages < span.pages_when_cut + MOST_PAGES
            return None if was_cut or span.pages < PAGES_BEFORE_A_BLIND_CUT else MOST_PAGES
        return None if span.left < FEWEST_LEFT else max(FEWEST_PAGES, min(MOST_PAGES, span.left // (idle + 1)))

    def complete(self) -> int | None:
        """Return the second up to which all spans are read, without a gap from the oldest on; None if there is none."""
        complete: int | None = None
        with self._lock:
            for span in sorted(self._spans, key=self._begin):
                if not span.finished:
                    if self._ascending and span.position is not None and span.position != span.near:
                        complete = span.position - 1
                    break
                complete = span.far if self._ascending else span.near
        return complete

    def are_over(self) -> bool:
        """Tell whether all are read."""
        with self._lock:
            return all(span.finished for span in self._spans)

    def _begin(self, span: Span) -> float:
        low = span.near if self._ascending else span.far
        return float("-inf") if low is None else low


def _pages_left(answer: Answer) -> int | None:
    """Return how many pages follow, each as large as this one, which may have fewer rows than were asked for."""
    if answer.total is None:
        return None
    return max(0, answer.total - len(answer.rows)) // max(1, len(answer.rows) or answer.size)
