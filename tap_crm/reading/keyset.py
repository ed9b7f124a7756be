"""Walks a listing by keyset: each question begins where the last answer ended.

Nothing depends on a position in a list, so nothing that changes meanwhile can push a record out of sight. A record
that changes leaves for a later time, and the walk meets it there. Questions are bounded by whole seconds, both ends
inclusive: the last second of an answer is asked for again, and its records that came already are left out.

How often a question is asked, and when its answer is the last one, is told in :mod:`tap_crm.reading.believing`; a
second that holds more records than an answer in :mod:`tap_crm.reading.ties`.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Checkpoint, Page
from tap_crm.reading.believing import ATTEMPTS_AT_NOTHING, OVERLAP, Believed, Believing
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.reading.listing import Bound, BoundIgnored, check_bound
from tap_crm.reading.part import Expired, Unordered
from tap_crm.reading.spans import Spans
from tap_crm.reading.ties import read_ties

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Item
    from tap_crm.reading.listing import Row
    from tap_crm.reading.part import Continuation, KeysetListing, Part
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
        listing: what is read.
        by: the time that is walked along; the listing is ordered by it.
        emit: takes pages and checkpoints; called from several threads.
        ledger: counts.
        outer: further bounds of every question.
        splits: further times by which a second can be split that holds more than one question gives.
        lanes: how many spans at once.
        checkpoints: whether what is finished from the left moves the bookmark.
        seen: keys that were emitted before and must not be again; given to a reader of a part of what another reads.
        wanted: tells which rows to emit; None: all.
        present: the second that was the present when the reading began. A walk that follows what changes since, page
            after page, stops some time and says so in ``is_restless``.
        root: the bounds of the listing of which this reads a part; ``outer``, if it reads no part.

    Attributes:
        keys: what was found, kept only when ``seen`` is given.
        highest_total: the highest count that the CRM told of any question here.
        is_restless: records changed faster than they could be read.
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
        wanted: Callable[[Row], bool] | None = None,
        present: int | None = None,
        root: tuple[Bound, ...] | None = None,
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
        self._wanted = wanted
        self._present = present
        self.root = outer if root is None else root
        self.highest_total = ledger.source_total or 0
        self.is_restless = False
        self._index = listing.times.index(by)
        self._sign = 1 if listing.ascending else -1
        self._lock = threading.Lock()
        self._saying = threading.Lock()
        self._spans = Spans(ascending=listing.ascending, lanes=lanes)
        self._pool: ThreadPoolExecutor | None = None
        self._futures: set[Future[None]] = set()
        self._believing = Believing(self)
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
        if opening is not None:
            self.note_total(opening)
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

    @property
    def is_outermost(self) -> bool:
        """Whether this is no reader of a part of what another one reads."""
        return self._seen is None

    # One span

    def _walk(self, span: Span) -> None:
        known: set[int | str] = set()
        before: _Counted | None = None
        late = 0
        span.position = span.near
        while True:
            far = span.far
            believed = self._believing.answer(span, known)
            span.opening = None
            span.pages += 1
            if before is not None:
                self.ledger.add(unexplained=before.hidden(believed.part.total, far))
            last = self._last_time(believed, span)
            is_tied = last is not None and last == span.position and not believed.ended
            if is_tied and last is not None:
                believed = self._follow(span, believed, last)
                last = self._last_time(believed, span)
                if last is not None and last == span.position and not believed.ended:
                    read_ties(self, last, known | believed.rows.keys())
                    last, believed.rows = last + self._sign, {}
            before = None if is_tied or last is None else self._counted(believed, last, far)
            if last is not None:
                known = {row.key for row in believed.rows.values() if row.times[self._index] == last}
                span.position = last
                late += self._present is not None and last > self._present
            past_the_end = last is None or (far is not None and self._spans.is_behind(last, far))
            if (believed.ended or past_the_end) and self._spans.is_over(span, far):
                break
            if late > MOST_LATE_PAGES:
                self.is_restless = True
                break
            if last is not None and believed.rows:
                span.trail.append(last)
                if before is None:
                    self._cut(span, believed.part)
            self._progress()
        self.ledger.add(windows=1)
        self._progress(finished=True)

    def _counted(self, believed: Believed, last: int, far: int | None) -> _Counted | None:
        """Return what a question left open; None if it left nothing."""
        lacking = 0 if believed.ended else believed.lacking()
        if not lacking:
            return None
        times = [row.times[self._index] for row in believed.rows.values()]
        shown = sum(at is None or self._spans.is_behind(last, at) for at in times)
        return _Counted(far, lacking, believed.part.total, shown)

    def _follow(self, span: Span, believed: Believed, second: int) -> Believed:
        """Go on with a question whose answer is all of one second, while the list stands still.

        Each answer must begin with the last records of the one before; else what was believed is returned as it is.
        A list that knows no upper bound has no other way through a second of many records.
        """
        bounds, order = self.bounds(span.position, span.far), self.listing.orders(self.by)[0]
        part = believed.part
        followed = Believed(part, believed.rows, believed.places)  # what it brings is found in any case
        while part.after is not None:
            overlap = min(OVERLAP, len(part.rows) // 2) if isinstance(part.after, int) else 0
            if not overlap and self.listing.knows_until:
                return believed
            try:
                following = self.ask(bounds, order, part.after - overlap if isinstance(part.after, int) else part.after)
            except (errors.Refused, Expired):
                return believed
            fresh = _behind(part, following, overlap)
            is_short = following.after is not None and len(following.rows) < following.size
            if not fresh or is_short or not followed.rows.keys().isdisjoint(row.key for row in fresh):
                return believed  # the list moves, or its ties come in another order each time
            part = followed.part = following
            self.take(part, followed.rows.keys())
            followed.take(part)
            times = self.within(part, span)
            if times and times[-1] != second:
                # Whether that was the end, the next question tells: it may have been a cap.
                return followed if self._is_counted(followed, second) else believed
        total = part.total
        followed.ended = (
            self.highest_total > total <= len(followed.rows) if total is not None else not self.listing.knows_until
        )
        return followed if followed.ended else believed

    def _is_counted(self, followed: Believed, second: int) -> bool:
        """Tell whether as many records of a second came as the CRM counts, if it does."""
        if followed.part.total is None or not self.listing.knows_until:
            return True
        part = self.ask(self.bounds(second, second), self.listing.orders(self.by)[0])
        self.take(part, followed.rows.keys())
        keys = {row.key for row in followed.rows.values() if row.times[self._index] == second}
        return part.total is None or len(keys | {row.key for row in part.rows}) >= part.total

    def within(self, part: Part, span: Span) -> list[int]:
        """Return the times of an answer that lie in the span, in the CRM's order.

        A record changed since the CRM looked it up shows a time behind the span; it says nothing of the order.
        """
        times = [at for row in part.rows if (at := row.times[self._index]) is not None]
        return times if span.far is None else [at for at in times if not self._spans.is_behind(at, span.far)]

    def _last_time(self, believed: Believed, span: Span) -> int | None:
        """Return the last time of the answer, in the direction of the walk."""
        times = self.within(believed.part, span)
        if not times:
            return None
        # A record changed a moment ago may be listed by its old time where an index lags: it says nothing of order.
        settled = [at for at in times if at < believed.part.server_time - BEHIND_THE_CLOCK]
        if any(self._spans.is_behind(before, after + self._sign) for before, after in pairwise(settled)):
            raise Unordered
        if span.position is not None and self._spans.is_behind(span.position, times[-1]):
            raise BoundIgnored(self.by)  # by a second, which is tolerated; but it leads nowhere
        return times[-1]

    def bounds(self, span_near: int | None, span_far: int | None) -> tuple[Bound, ...]:
        """Return the bounds of a question from one second to another, in the direction of the walk."""
        low, high = (span_near, span_far) if self.listing.ascending else (span_far, span_near)
        bound = Bound(self.by, low, high if self.listing.knows_until else None)
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
        self.note_total(part)
        for bound in bounds:
            check_bound(bound, part.rows, self.listing.times)
        return part

    def ask_for_rows(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Part:
        """Ask, again where an answer has no row though its own count says that there should be some."""
        part = self.ask(bounds, order, after)
        for _ in range(ATTEMPTS_AT_NOTHING - 1):
            if part.rows or part.total is None or part.start is None or part.start >= part.total:
                break
            part = self.ask(bounds, order, after)
        return part

    def note_total(self, part: Part) -> None:
        """Keep the highest count: one that is lower than that was not cut off."""
        self.highest_total = max(self.highest_total, part.total or 0)

    def give_back(self, span: Span) -> bool:
        """Let the span that this one was cut off from have it back, if that is under way."""
        return self._spans.give_back(span)

    def take(self, part: Part, known: AbstractSet[int | str]) -> int:
        """Emit what is new in an answer; returns how many rows that were."""
        seen = self._seen
        new = [at for at, row in enumerate(part.rows) if row.key not in known]
        if seen is not None:
            self.keys.update(row.key for row in part.rows)
            new = [at for at in new if part.rows[at].key not in seen]
        wanted = self._wanted
        kept = new if wanted is None else [at for at in new if wanted(part.rows[at])]
        if kept:
            self.ledger.add(distinct=len(kept))
            self.emit(Page(body=part.body, keep=None if len(kept) == len(part.rows) else kept))
        return len(new)

    def emit(self, item: Item) -> None:
        """Hand something over, unless another lane has failed."""
        if self._failed:
            raise errors.Cancelled
        self._sink(item)

    def along(self, time: str, outer: tuple[Bound, ...], seen: AbstractSet[int | str]) -> KeysetReader:
        """Return a reader of a part of the same listing that walks along another time."""
        splits = tuple(other for other in self.splits if other != time)
        return KeysetReader(
            self.listing,
            time,
            self.emit,
            self.ledger,
            outer=outer,
            splits=splits,
            seen=seen,
            wanted=self._wanted,
            root=self.root,
        )

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


def _behind(part: Part, following: Part, overlap: int) -> tuple[Row, ...] | None:
    """Return the rows of an answer behind those that it shares with the one before; None if it does not show them."""
    if not overlap:
        return following.rows
    shared, keys = [row.key for row in part.rows[-overlap:]], [row.key for row in following.rows]
    if shared[0] not in keys:
        return None
    first = keys.index(shared[0])
    return following.rows[first + overlap :] if keys[first : first + overlap] == shared else None
