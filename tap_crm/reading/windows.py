"""Cuts the time since the last run into closed windows and walks several of them at once.

The cuts cost nothing: a page far into the listing is read, its last second becomes the end of a window, and the
page itself is the last one of that window. So windows hold so many pages, not so many days, and none comes near the
number of records that one question can give.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from tap_crm import errors
from tap_crm.reading.last_page import find_last_page
from tap_crm.reading.listing import Bound, BoundIgnored
from tap_crm.reading.page import Checkpoint
from tap_crm.reading.walk import Walk, Wall, Window
from tap_crm.transport.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.reading.listing import Answer, Slice
    from tap_crm.reading.page import Emit, Item

_log = logging.getLogger("tap-crm.reading")

Seen: TypeAlias = "dict[int | str, tuple[int | None, ...]]"

#: A window of fewer pages is not worth its own last, half-empty page; one of more makes checkpoints rare.
FEWEST_PAGES, MOST_PAGES = 20, 50
#: What is left may be so much larger than a window before it is cut again.
LEFTOVER = 1.25
#: How far below its reach a search is used: totals are estimates.
REACH_USED = 0.9


@dataclass(frozen=True, slots=True)
class Lanes:
    """How many windows are walked at once, and how many pages the smallest and the largest have."""

    count: int = 1
    fewest_pages: int = FEWEST_PAGES
    most_pages: int = MOST_PAGES


def open_listing(part: Slice, low: int | None, high: int | None, ledger: Ledger) -> Answer:
    """Return the first page; an empty one without a total is believed when it came twice."""
    answer = part.ask(low, high, 1)
    ledger.add(pages=1)
    doubts = 2 if low is None else 1  # of everything, nothing is less likely
    while doubts and not answer.rows and answer.total is None:
        answer = part.ask(low, high, 1)
        ledger.add(pages=1)
        doubts -= 1
    return answer


class WindowReader:
    """Reads ``[low, high]`` of a slice completely.

    Args:
        part: the listing, and the time along which it is cut.
        emit: takes pages and checkpoints; called from several threads.
        ledger: counts.
        lanes: how many windows at once.
        seen: what was emitted already, when a crowd inside of another window is read.
        splits: further times by which a second can be split that holds more than one page.
        checkpoints: whether finished windows move the bookmark.
        followed: the caller reads on behind the last window, from :attr:`go_on_from`.
        shared: what was emitted of the seconds in which windows meet.

    Attributes:
        go_on_from: where the CRM stopped giving records, or may have, when ``followed``.
        keys: what was found, kept only when ``seen`` is given.
    """

    def __init__(  # noqa: PLR0913 - what a reading needs, handed over once
        self,
        part: Slice,
        emit: Emit,
        ledger: Ledger,
        *,
        lanes: Lanes | None = None,
        seen: Seen | None = None,
        splits: tuple[str, ...] = (),
        checkpoints: bool = True,
        followed: bool = False,
        shared: Seen | None = None,
    ) -> None:
        self._shared: Seen = {} if shared is None else shared
        self.go_on_from: Wall | None = None
        self.keys: set[int | str] = set()
        self._followed = followed
        self._part = part
        self._sink = emit
        self._ledger = ledger
        self._lanes = lanes or Lanes()
        self._seen = seen
        self._splits = splits
        self._checkpoints = checkpoints
        self._size = part.listing.page_size
        self._failed = False

    def read(self, low: int | None, high: int | None, first: Answer | None = None) -> None:
        """Walk everything; checkpoints follow the unbroken run of finished windows from the left.

        Raises:
            BoundIgnored: the filter on this slice's time does not work.
            Incomplete: a second holds more records than the CRM gives and cannot be split.
        """
        windows = self._plan(low, high, first)
        if self._lanes.count == 1:
            for window in windows:
                self._finish(window, self._walk(window))
            return
        with ThreadPoolExecutor(self._lanes.count, thread_name_prefix=f"{self._part.listing.label}-window") as pool:
            try:
                self._run_lanes(pool, windows)
            except BaseException:
                self._failed = True  # the other lanes stop at their next page
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _run_lanes(self, pool: ThreadPoolExecutor, windows: Iterator[Window]) -> None:
        """Keep every lane busy; finish windows from left to right."""
        pending: deque[tuple[Window, Future[Wall | None]]] = deque()
        for window in windows:
            pending.append((window, pool.submit(self._walk, window)))
            running = [future for _, future in pending if not future.done()]
            while len(running) >= self._lanes.count:
                wait(running, return_when=FIRST_COMPLETED)
                running = [future for future in running if not future.done()]
            while pending and pending[0][1].done():
                done, future = pending.popleft()
                self._finish(done, future.result())
        for done, future in pending:
            self._finish(done, future.result())

    # One window

    def _emit(self, item: Item) -> None:
        if self._failed:
            raise errors.Cancelled
        self._sink(item)

    def _walk(self, window: Window) -> Wall | None:
        walk = Walk(
            self._part,
            window,
            self._emit,
            self._ledger,
            crowd=self._reread_crowd,
            seen=self._seen,
            shared=self._shared,
        )
        wall = walk.run()
        if self._seen is not None:
            self.keys |= walk.keys
        return wall

    def _finish(self, window: Window, wall: Wall | None) -> None:
        """Read what lies behind a wall, then say that everything up to the window's end is complete."""
        if wall is not None and not wall.certain:
            self.go_on_from = wall
            return
        if wall is not None:
            self._read_behind(window, wall)
        if self._checkpoints and window.high is not None:
            self._emit(Checkpoint(window.high))

    def _read_behind(self, window: Window, wall: Wall) -> None:
        """Go on where the CRM stopped giving records, in windows that stay below what it gave."""
        if wall.reach < self._part.reach:
            self._lower_reach(wall.reach)
        low, high = (wall.second, window.high) if self._part.listing.ascending else (window.low, wall.second)
        if wall.second == (window.low if self._part.listing.ascending else window.high):
            # All that the CRM gave of this window is one second: read that, then the rest without it.
            self.keys |= self._read_crowd(wall.second, {} if self._seen is None else self._seen, self._ledger)
            low, high = (wall.second + 1, high) if self._part.listing.ascending else (low, wall.second - 1)
            if low is not None and high is not None and low > high:
                return
        inner = WindowReader(
            self._part,
            self._emit,
            self._ledger,
            seen=self._seen,
            splits=self._splits,
            checkpoints=False,
            shared=self._shared,
        )
        inner.read(low, high)
        self.keys |= inner.keys

    def _reread_crowd(self, second: int, seen: Seen) -> set[int | str]:
        """Read a crowded second of a window that counts its records itself."""
        return self._read_crowd(second, seen, Ledger())

    def _read_crowd(self, second: int, seen: Seen, ledger: Ledger) -> set[int | str]:
        """Read a second with more than one page: split by another time, else walked until its count is met.

        Returns the keys found.
        """
        by = self._part.by
        if by is None:
            return set()
        for time in self._splits:
            part = self._part.within(Bound(by, second, second), time)
            others = tuple(name for name in self._splits if name != time)
            inner = WindowReader(part, self._emit, ledger, seen=seen, splits=others, checkpoints=False)
            try:
                inner.read(None, None)
            except BoundIgnored:
                continue
            return inner.keys
        walk = Walk(self._part, Window(second, second), self._emit, ledger, seen=seen)
        if walk.run() is not None:
            raise errors.Incomplete(
                f"{self._part.listing.label}: more records share one second (epoch {second}) than the CRM gives for "
                "one question, and no other filter splits them"
            )
        return walk.keys

    # Planning

    def _plan(self, low: int | None, high: int | None, first: Answer | None) -> Iterator[Window]:
        """Yield windows from left to right, each below the reach."""
        if self._part.by is None:
            yield Window(None, None, guess=self._pages(first), first=first)
        elif self._part.listing.ascending:
            yield from self._plan_oldest_first(low, high, first)
        else:
            yield from self._plan_newest_first(low, high, first)

    def _ask(self, low: int | None, high: int | None, page: int) -> Answer:
        self._ledger.add(pages=1)
        return self._part.ask(low, high, page)

    def _pages(self, answer: Answer | None) -> int:
        return 1 if answer is None or answer.total is None else max(1, -(-answer.total // self._size))

    def _window_pages(self, total: int | None) -> int:
        """Return how many pages a window gets: enough windows for the lanes, none near the reach."""
        even = 0 if total is None else -(-total // (self._size * self._lanes.count))
        return min(self._most_pages(), max(self._lanes.fewest_pages, even))

    def _most_pages(self) -> int:
        return max(1, min(self._lanes.most_pages, int(self._part.reach * REACH_USED) // self._size))

    def _fits_one_window(self, total: int | None) -> bool:
        if total is None:
            return False
        return total <= self._window_pages(total) * self._size * LEFTOVER and total < self._part.reach

    def _plan_oldest_first(self, low: int | None, high: int | None, first: Answer | None) -> Iterator[Window]:
        """Cut a listing in ascending order: its page number N holds the end of a window of N pages."""
        first = first or open_listing(self._part, low, high, self._ledger)
        if not first.rows:
            return
        total = self._estimate(low, high, first)
        if self._fits_one_window(total):
            yield Window(low, high, guess=-(-total // self._size), first=first, followed=self._followed)
            return
        pages = self._window_pages(total)
        while not self._fits_one_window(total):
            pages = min(pages, self._most_pages())  # a shorter reach may have been learned meanwhile
            probe = self._ask(low, high, pages)
            times = [at for row in probe.rows if (at := self._part.at(row)) is not None]
            if len(times) < self._size // 2:
                if self._learn_reach(low, high, pages, probe):
                    continue
                break  # what is left is less than a window
            self._check_order(times)
            start, last = min(times), max(times)
            if low is None or last - 1 > low:
                # Older than the page's last second means on this page or before it, however ties are listed.
                end, known = last - 1, start < last
                yield Window(low, end, guess=pages, last=(pages, probe) if known else None, shares_high=True)
            else:
                end = last + 1  # from `low` on, one second fills all these pages
                yield Window(low, end, guess=pages, shares_high=True)
            low = end
            left = total if probe.total is None else probe.total
            total = max(1, left - (pages - 1) * self._size)
        yield Window(low, high, guess=-(-total // self._size), followed=self._followed)

    def _estimate(self, low: int | None, high: int | None, first: Answer) -> int:
        """Return about how many records there are: by the total, or by looking for the last page."""
        if first.total is not None:
            return first.total
        return self._count_pages(low, high, first) * self._size

    def _learn_reach(self, low: int | None, high: int | None, page: int, probe: Answer) -> bool:
        """Learn that the CRM gives fewer records than documented: its total says more, but the page is empty."""
        if probe.rows or page == 1 or (probe.total is not None and probe.total <= (page - 1) * self._size):
            return False
        reach = self._count_pages(low, high, None, guess=page - 1) * self._size
        if reach >= self._part.reach or probe.total is None or probe.total <= reach * LEFTOVER + self._size:
            return False  # a total that says a little too much is no cap
        self._lower_reach(reach)
        return True

    def _lower_reach(self, reach: int) -> None:
        _log.warning(
            "%s: the CRM stops giving records after %d of them; reading smaller windows",
            self._part.listing.label,
            reach,
        )
        self._part = replace(self._part, learned_reach=min(self._part.reach, reach))

    def _check_order(self, times: list[int]) -> None:
        if times[0] > times[-1]:
            raise errors.Incomplete(
                f"{self._part.listing.label}: the CRM does not sort by {self._part.by} as asked; "
                "the stream cannot be read exactly"
            )

    def _plan_newest_first(self, low: int | None, high: int | None, first: Answer | None) -> Iterator[Window]:
        """Cut a listing that comes newest first: the oldest window is at its end, so the count leads there."""
        first = first or open_listing(self._part, low, high, self._ledger)
        if not first.rows:
            return
        count = -(-self._estimate(low, high, first) // self._size)
        pages = self._window_pages(count * self._size)
        cuts = 0
        while count > pages * LEFTOVER or count * self._size >= self._part.reach:
            cut = self._cut_newest_first(low, high, count - pages + 1)
            if cut is None:
                break
            yield Window(low, cut, guess=pages, shares_high=True)
            low, count, cuts = cut, max(1, count - pages + 1), cuts + 1
        yield Window(low, high, guess=count, first=None if cuts else first)

    def _count_pages(self, low: int | None, high: int | None, first: Answer | None, guess: int = 2) -> int:
        """Return how many pages a listing without totals gives; ``first`` is its first page, if that is known."""
        found = find_last_page(
            lambda number: first if number == 1 and first is not None else self._ask(low, high, number),
            lambda answer: bool(answer.rows),
            guess,
            says=lambda _: None,
        )
        return found[0] if found is not None else 1

    def _cut_newest_first(self, low: int | None, high: int | None, page: int) -> int | None:
        """Return a second near the start of that page, or None if it makes no window of its own."""
        probe = self._ask(low, high, min(page, max(1, int(self._part.reach * REACH_USED) // self._size)))
        times = sorted((at for row in probe.rows if (at := self._part.at(row)) is not None), reverse=True)
        for at in times[len(times) // 10 :]:
            if (low is None or at > low) and (high is None or at < high):
                return at
        return None


def _after(second: int | None) -> int | None:
    return None if second is None else second + 1
