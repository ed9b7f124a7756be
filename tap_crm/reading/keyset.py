"""Walks a listing by keyset: each question begins where the last answer ended.

Nothing depends on a position in a list, so nothing that changes meanwhile can push a record out of sight. A record
that changes leaves for a later time, and the walk meets it there. Questions are bounded by whole seconds, both ends
inclusive: the last second of an answer is asked for again, and its records that came already are left out.

What is asked is in :mod:`tap_crm.reading.questions`; how often, and when an answer is the last one, is told in
:mod:`tap_crm.reading.believing`; a second that holds more records than an answer in :mod:`tap_crm.reading.ties`.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Checkpoint
from tap_crm.reading.believing import Believed, Believing
from tap_crm.reading.following import follow
from tap_crm.reading.spans import Spans
from tap_crm.reading.ties import read_ties

if TYPE_CHECKING:
    from tap_crm.messages import Item
    from tap_crm.reading.answer import Answer
    from tap_crm.reading.questions import Questions
    from tap_crm.reading.spans import Span

#: Pages between two checkpoints: each is a line of state, and a flush.
PAGES_PER_CHECKPOINT = 10
#: So many pages of what changed since the reading began are followed, where that goes on and on.
MOST_LATE_PAGES = 10


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a question left open: places without a row, the CRM's count, and the rows shown before the next question."""

    far: int | None
    lacking: int
    total: int | None
    shown: int

    def hidden(self, total: int | None, far: int | None) -> int:
        """Return how many rows were counted but never given, by the count of the next question.

        Two answers never describe the same moment; so it is not more than the places that were seen to be empty.
        """
        if self.total is None or total is None or far != self.far:
            return 0
        return max(0, min(self.lacking, self.total - total - self.shown))


class KeysetReader:
    """Reads ``[low, high]`` of a listing completely, in several spans at once.

    Args:
        questions: what is asked, along which time, and who takes what is found.
        lanes: how many spans at once.
        checkpoints: whether what is finished from the left moves the bookmark.
        follows: the walk follows what changes since the reading began, page after page. It stops some time, and the
            questions say then that they are restless.
    """

    def __init__(
        self, questions: Questions, *, lanes: int = 1, checkpoints: bool = False, follows: bool = False
    ) -> None:
        self.questions = replace(questions, emit=self._emit)
        self.listing = questions.listing
        self.ledger = questions.ledger
        self._sink = questions.emit
        self._lanes = lanes
        self._checkpoints = checkpoints
        self._latest = questions.present if follows else None
        self._lock = threading.Lock()
        self._saying = threading.Lock()
        self._spans = Spans(ascending=self.listing.ascending, lanes=lanes)
        self._pool: ThreadPoolExecutor | None = None
        self._futures: set[Future[None]] = set()
        self._believing = Believing(self.questions, self._spans, _read_all)
        self._failed = False
        self._first_error: BaseException | None = None
        self._pages_since_checkpoint = 0

    @property
    def is_restless(self) -> bool:
        """Whether records changed faster than they could be read."""
        return self.questions.is_restless

    def read(self, low: int | None, high: int | None, opening: Answer | None = None) -> None:
        """Walk everything; ``opening`` is the answer to the first question, if that was asked already.

        Raises:
            BoundIgnored: the filter on this time has no effect.
            Unordered: the CRM does not sort by it.
            Incomplete: a second holds more records than the CRM gives and cannot be split.
        """
        if opening is not None:
            self.questions.note_total(opening)
        span = self._spans.begin(low, high, opening)
        if self._lanes == 1:
            self._walk(span)
            return
        with ThreadPoolExecutor(self._lanes, thread_name_prefix=f"{self.listing.label}-span") as pool:
            self._pool = pool
            with self._lock:  # the first lane may give work to another before this line ends
                self._futures.add(pool.submit(self._walk_in_lane, span))
            try:
                while running := self._running():
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    with self._lock:
                        self._futures -= done
            except BaseException as error:  # noqa: BLE001 - raised, or the one that came before it
                self._failed = True
                pool.shutdown(wait=False, cancel_futures=True)
                raise self._first_error or error from None

    def _running(self) -> set[Future[None]]:
        with self._lock:
            return set(self._futures)

    def _walk_in_lane(self, span: Span) -> None:
        try:
            self._walk(span)
        except BaseException as error:
            with self._lock:
                self._first_error = self._first_error or error
                self._failed = True  # the other lanes stop at their next page
            raise

    # One span

    def _walk(self, span: Span) -> None:
        known: set[int | str] = set()
        before: _Counted | None = None
        late = 0
        span.position = span.near
        while True:
            far = span.far
            believed = self._believing.ask(span, known)
            span.opening = None
            span.pages += 1
            if before is not None:
                self.ledger.add(unexplained=before.hidden(believed.answer.total, far))
            believed, last, is_tied = self._through_ties(span, believed, known)
            before = None if is_tied or last is None else self._counted(believed, last, far)
            if last is not None:
                index = self.questions.index
                known = {row.key for row in believed.rows.values() if row.times[index] == last}
                span.position = last
                late += self._latest is not None and last > self._latest
            if self._is_past_the_end(believed, last, far) and self._spans.is_over(span, far):
                break
            if late > MOST_LATE_PAGES:
                self.questions.is_restless = True
                break
            if last is not None and believed.rows:
                span.trail.append(last)
                if before is None:
                    self._cut(span, believed.answer)
            self._progress()
        self.ledger.add(windows=1)
        self._progress(finished=True)

    def _through_ties(self, span: Span, believed: Believed, known: set[int | str]) -> tuple[Believed, int | None, bool]:
        """Get past a second that an answer is full of.

        Returns:
            From where to go on, the last time that came, and whether there was such a second.
        """
        last = self._last_time(believed, span)
        if last is None or last != span.position or believed.ended:
            return believed, last, False
        believed = follow(self.questions, believed, last, span.far)
        last = self._last_time(believed, span)
        if last is not None and last == span.position and not believed.ended:
            read_ties(self.questions, last, known | believed.rows.keys(), _read_all)
            last, believed.rows = last + self.questions.sign, {}
        return believed, last, True

    def _last_time(self, believed: Believed, span: Span) -> int | None:
        return self.questions.last_time(believed.answer, span.position, span.far)

    def _is_past_the_end(self, believed: Believed, last: int | None, far: int | None) -> bool:
        return believed.ended or last is None or (far is not None and self.questions.is_behind(last, far))

    def _counted(self, believed: Believed, last: int, far: int | None) -> _Counted | None:
        """Return what a question left open; None if it left nothing."""
        lacking = 0 if believed.ended else believed.lacking()
        if not lacking:
            return None
        times = [row.times[self.questions.index] for row in believed.rows.values()]
        shown = sum(at is None or self.questions.is_behind(last, at) for at in times)
        return _Counted(far, lacking, believed.answer.total, shown)

    def _emit(self, item: Item) -> None:
        """Hand something over, unless another lane has failed."""
        if self._failed:
            raise errors.Cancelled
        self._sink(item)

    # Several spans

    def _cut(self, span: Span, answer: Answer) -> None:
        """Give the far part of a span to an idle lane, if there is one."""
        if self._pool is None:
            return
        with self._lock:
            behind = self._spans.cut(span, answer)
            if behind is not None:
                self._futures.add(self._pool.submit(self._walk_in_lane, behind))

    def _progress(self, *, finished: bool = False) -> None:
        """Say up to where everything is complete, now and then."""
        with self._saying:  # one lane at a time, so that no checkpoint comes after a later one
            with self._lock:
                self._pages_since_checkpoint += 1
                if not self._checkpoints or not (finished or self._pages_since_checkpoint >= PAGES_PER_CHECKPOINT):
                    return
                self._pages_since_checkpoint = 0
            complete = self._spans.complete()
            if complete is not None:
                self._emit(Checkpoint(complete, is_last=finished and self._spans.are_over()))


def _read_all(questions: Questions) -> None:
    """Read everything that these questions ask for."""
    reader = KeysetReader(questions)
    try:
        reader.read(None, None)
    finally:  # they know what was found
        questions.keys |= reader.questions.keys
        questions.highest_total = max(questions.highest_total, reader.questions.highest_total)
        questions.is_restless = reader.questions.is_restless
