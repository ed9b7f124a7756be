"""Walks a listing by keyset: each question begins where the last answer ended.

Nothing depends on a position in a list, so nothing that changes meanwhile can push a record out of sight. A record
that changes leaves for a later time, and the walk meets it there. Questions are bounded by whole seconds, both ends
inclusive: the last second of an answer is asked for again, and its records that came already are left out.

A question is never trusted alone. The next one must show a record of the last one again; where the CRM counts, the
count must agree; a page that is shorter than it should be is asked for again.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.reading.crowd import read_crowd
from tap_crm.reading.listing import Bound, BoundIgnored, Row, check_bound
from tap_crm.reading.no_news import NoNews
from tap_crm.reading.page import Checkpoint, Page
from tap_crm.reading.part import Expired, Unordered
from tap_crm.reading.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tap_crm.reading.page import Emit, Item
    from tap_crm.reading.part import Continuation, KeysetListing, Part
    from tap_crm.reading.spans import Span
    from tap_crm.transport.ledger import Ledger

#: How often a doubtful answer is asked for in all.
LOOKS = 3
#: Records of the answer before that the next one must begin with, where a crowd is followed by position.
RECORDS_TO_MEET_AGAIN = 5
#: Pages between two checkpoints: each is a line of state, and a flush.
PAGES_PER_CHECKPOINT = 10


@dataclass(slots=True)
class _Look:
    """What one question brought, asked as often as it was doubtful."""

    part: Part
    rows: dict[int | str, Row] = field(default_factory=dict)
    ended: bool = False


class KeysetReader:
    """Reads ``[low, high]`` of a listing completely, in several spans at once.

    Args:
        listing: what is read.
        by: the time that is walked along; the listing is ordered by it.
        emit: takes pages and checkpoints; called from several threads.
        ledger: counts.
        outer: further bounds of every question.
        splits: further times by which a second can be split that holds more than one question gives.
        lanes: how many spans at once.
        checkpoints: whether what is finished from the left moves the bookmark.
        seen: keys that were emitted before and must not be again.

    Attributes:
        keys: what was found, kept only when ``seen`` is given.
    """

    def __init__(  # noqa: PLR0913 - what a reading needs, handed over once
        self,
        listing: KeysetListing,
        by: str,
        emit: Emit,
        ledger: Ledger,
        *,
        outer: tuple[Bound, ...] = (),
        splits: tuple[str, ...] = (),
        lanes: int = 1,
        checkpoints: bool = False,
        seen: AbstractSet[int | str] | None = None,
    ) -> None:
        self.listing = listing
        self.by = by
        self.outer = outer
        self.splits = splits
        self.ledger = ledger
        self.keys: set[int | str] = set()
        self._sink = emit
        self._lanes = lanes
        self._checkpoints = checkpoints
        self._seen = seen
        self._index = listing.times.index(by)
        self._sign = 1 if listing.ascending else -1
        self._lock = threading.Lock()
        self._saying = threading.Lock()
        self._spans = Spans(ascending=listing.ascending, lanes=lanes)
        self._pool: ThreadPoolExecutor | None = None
        self._futures: set[Future[None]] = set()
        self._usual: int | None = None
        self._failed = False
        self._first_error: BaseException | None = None
        self._pages_since_checkpoint = 0

    def read(self, low: int | None, high: int | None, opening: Part | None = None) -> None:
        """Walk everything; ``opening`` is the answer to the first question, if that was asked already.

        Raises:
            BoundIgnored: the filter on this time has no effect.
            Unordered: the CRM does not sort by it.
            Incomplete: a second holds more records than the CRM gives and cannot be split.
        """
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
        span.position = span.near
        while True:
            far = span.far
            look = self._look(span, known)
            span.opening = None
            span.pages += 1
            edge = self._edge(look, span)
            if edge is not None and edge == span.position and not look.ended:
                look = self._follow(span, look, edge)
                edge = self._edge(look, span)
                if edge == span.position and not look.ended:
                    read_crowd(self, edge, known)
                    edge, look.rows = edge + self._sign, {}
            if edge is not None:
                known = {row.key for row in look.rows.values() if row.times[self._index] == edge}
                span.position = edge
            past_the_end = edge is None or (far is not None and self._spans.is_behind(edge, far))
            if (look.ended or past_the_end) and self._spans.is_over(span, far):
                break
            if edge is not None and look.rows:
                span.trail.append(edge)
                self._cut(span, look.part)
            self._progress()
        self.ledger.add(windows=1)
        self._progress(finished=True)

    def _follow(self, span: Span, look: _Look, second: int) -> _Look:
        """Go on with a question whose answer is all of one second, by position, while the list stands still.

        Each answer must begin with the last records of the one before; else the look is returned as it is.
        """
        bounds = self.bounds(span.position, span.far)
        order = self.listing.orders(self.by)[0]
        part, rows = look.part, dict(look.rows)
        while True:
            overlap = min(RECORDS_TO_MEET_AGAIN, len(part.rows) // 2)
            if not isinstance(part.after, int) or not overlap:
                return look
            try:
                following = self.ask(bounds, order, part.after - overlap)
            except errors.Refused:
                return look
            met = [row.key for row in following.rows[:overlap]] == [row.key for row in part.rows[-overlap:]]
            ended = following.after is None
            if not met or (not ended and len(following.rows) < following.size):
                return look
            part = following
            self.take(part, rows.keys())
            rows.update((row.key, row) for row in part.rows)
            times = self._within(part, span)
            if ended and self._may_lack_some(part, len(rows)):
                return look
            if ended or (times and times[-1] != second):
                return _Look(part, rows, ended)

    def _may_lack_some(self, last: Part, count: int) -> bool:
        """Tell whether the end of a walk may be a cap, or some of its rows were left out."""
        reach = self.listing.reach
        return (last.total is not None and last.total > count) or (reach is not None and count >= reach)

    def _within(self, part: Part, span: Span) -> list[int]:
        """Return the times of an answer that lie in the span, in the CRM's order.

        A record changed since the CRM looked it up shows a time behind the span; it says nothing of the order.
        """
        times = [at for row in part.rows if (at := row.times[self._index]) is not None]
        return times if span.far is None else [at for at in times if not self._spans.is_behind(at, span.far)]

    def _edge(self, look: _Look, span: Span) -> int | None:
        """Return the last time of the answer, in the direction of the walk."""
        times = self._within(look.part, span)
        if not times:
            return None
        # A record changed a moment ago may be listed by its old time where an index lags: it says nothing of order.
        settled = [at for at in times if at < look.part.server_time - BEHIND_THE_CLOCK]
        if any(self._spans.is_behind(before, after + self._sign) for before, after in pairwise(settled)):
            raise Unordered
        if span.position is not None and self._spans.is_behind(span.position, times[-1]):
            raise BoundIgnored(self.by)  # by a second, which is tolerated; but it leads nowhere
        return times[-1]

    def bounds(self, span_near: int | None, span_far: int | None) -> tuple[Bound, ...]:
        """Return the bounds of a question from one second to another, in the direction of the walk."""
        low, high = (span_near, span_far) if self.listing.ascending else (span_far, span_near)
        bound = Bound(self.by, low, high)
        return (*self.outer, bound) if bound else self.outer

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None = None) -> Part:
        """Ask, count the page, and check that the bounds were honoured.

        Raises:
            BoundIgnored: rows lie outside, or the question was refused because of the bounds.
        """
        try:
            part = self.listing.ask(bounds, order, after)
        except errors.Refused as refusal:
            if after is None and bounds:
                raise BoundIgnored(bounds[-1].time, refusal) from refusal
            raise
        self.ledger.add(pages=1)
        for bound in bounds:
            check_bound(bound, part.rows, self.listing.times)
        return part

    def _look(self, span: Span, known: AbstractSet[int | str]) -> _Look:
        """Ask from the position on, again while the answer is doubtful; emit what is new."""
        bounds = self.bounds(span.position, span.far)
        order = self.listing.orders(self.by)[0]
        part = self._open(span) or self.ask(bounds, order)
        look = _Look(part)
        for number in range(1, LOOKS + 1):
            fresh = self.take(part, {*known, *look.rows})
            look.rows.update((row.key, row) for row in part.rows)
            if (len(part.rows), part.after is not None) >= (len(look.part.rows), look.part.after is not None):
                look.part = part
            quiet = number > 1 and part.rows and not fresh  # an answer without rows shows nothing
            if number == LOOKS or quiet or not self._is_doubtful(look, known):
                break
            if not look.rows and part.after is None and self._spans.give_back(span):
                return look
            part = self.ask(bounds, order)
        self._go_over_nothing(look, span, bounds, order)
        self._settle(look)
        return look

    def _open(self, span: Span) -> Part | None:
        """Return the answer that was asked for before, if it serves as the first one of this span."""
        part = span.opening
        if part is None or (part.after is not None and (len(part.rows) < part.size or not self._within(part, span))):
            return None  # what a short one leaves out could not be counted: its question was a wider one
        for bound in self.bounds(span.near, span.far):
            # It was asked for without an end: what lies behind the span is no sign of anything.
            check_bound(replace(bound, high=None), part.rows, self.listing.times)
        return part

    def _go_over_nothing(self, look: _Look, span: Span, bounds: tuple[Bound, ...], order: str) -> None:
        """Go on with a question whose answer holds nothing to begin the next one with, and yet is not the end."""
        restarts = 0
        no_news = NoNews(self.listing.label)
        while look.part.after is not None and not self._within(look.part, span):
            try:
                part = self.ask(bounds, order, look.part.after)
                if not part.rows and part.after is None:
                    part = self.ask(bounds, order, look.part.after)
            except Expired:
                restarts += 1
                if restarts > LOOKS:
                    raise errors.Incomplete(
                        f"{self.listing.label}: the CRM forgot its cursor {restarts} times; it answers too slowly"
                    ) from None
                part = self.ask(bounds, order)
            look.part = part
            no_news.heed(is_new=any(row.key not in look.rows for row in part.rows))
            self.take(part, look.rows.keys())
            look.rows.update((row.key, row) for row in part.rows)

    def _is_doubtful(self, look: _Look, known: AbstractSet[int | str]) -> bool:
        """Tell whether the same question may bring more."""
        part, count = look.part, len(look.rows)
        if known and known.isdisjoint(look.rows):
            return True  # what was there a moment ago is gone: edited just now, or a broken answer
        if part.after is not None:
            return count < min(part.size, self._usual or part.size)
        if part.total and count:
            return part.total > count and count < part.size
        return not count  # nothing to hold it against: where an answer is broken, so is its count

    def _settle(self, look: _Look) -> None:
        """Decide whether the walk has ended."""
        part, count = look.part, len(look.rows)
        full = count >= part.size
        if part.after is not None:
            self._usual = None if full else count  # the CRM gives shorter pages than asked for
            return
        missing = 0 if part.total is None else part.total - count
        look.ended = not full or (part.total is not None and missing <= 0)
        if look.ended and missing > 0:
            self.ledger.add(unexplained=missing)

    def take(self, part: Part, known: AbstractSet[int | str]) -> int:
        """Emit what is new in an answer; returns how many rows that were."""
        seen = self._seen
        new = [at for at, row in enumerate(part.rows) if row.key not in known]
        if seen is not None:
            self.keys.update(row.key for row in part.rows)
            new = [at for at in new if part.rows[at].key not in seen]
        if new:
            self.ledger.add(distinct=len(new))
            self.emit(Page(body=part.body, keep=None if len(new) == len(part.rows) else new))
        return len(new)

    def emit(self, item: Item) -> None:
        """Hand something over, unless another lane has failed."""
        if self._failed:
            raise errors.Cancelled
        self._sink(item)

    def along(self, time: str, outer: tuple[Bound, ...], seen: AbstractSet[int | str]) -> KeysetReader:
        """Return a reader of a part of the same listing that walks along another time."""
        splits = tuple(other for other in self.splits if other != time)
        return KeysetReader(self.listing, time, self.emit, self.ledger, outer=outer, splits=splits, seen=seen)

    # Several spans

    def _cut(self, span: Span, part: Part) -> None:
        """Give the far part of a span to an idle lane, if there is one."""
        if self._pool is None:
            return
        with self._lock:
            behind = self._spans.cut(span, part)
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
                self.emit(Checkpoint(complete))
