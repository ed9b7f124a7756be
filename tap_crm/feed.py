"""Reads the next streams while the present one is written, so that no slot of the rate limit stays unused."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeAlias

from tap_crm import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_crm.reading.page import Checkpoint, Emit, Item, Page

#: Pages that a stream may be ahead of the writer. Bounds the memory: a page is some hundred kilobytes.
PAGES_AHEAD = 12
#: Streams that are read at the same time, the one that is written included.
STREAMS_AT_ONCE = 4
#: Seconds between two looks at whether the run is ending.
GLANCE = 0.1


class _End:
    """The reading is over: well, or with an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


_Queue: TypeAlias = "queue.Queue[Page | Checkpoint | _End]"


class Feed:
    """One stream's reading, running in a thread of its own, at most some pages ahead of who takes them."""

    def __init__(self, read: Callable[[Emit], None], stopping: threading.Event, name: str) -> None:
        self._items: _Queue = queue.Queue(PAGES_AHEAD)
        self._read = read
        self._stopping = stopping
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-reading", daemon=True)
        self._thread.start()

    def items(self, glance: Callable[[], None]) -> Iterator[Item]:
        """Yield what the reading found, in its order; raise what it raised.

        ``glance`` is called at least every tenth of a second while waiting.
        """
        while True:
            glance()
            try:
                item = self._items.get(timeout=GLANCE)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def abandon(self) -> None:
        """Let the reading stop at its next page."""
        self._abandoned.set()

    def _emit(self, item: Page | Checkpoint | _End) -> None:
        while not (self._stopping.is_set() or self._abandoned.is_set()):
            try:
                self._items.put(item, timeout=GLANCE)
            except queue.Full:
                continue
            return
        raise errors.Cancelled

    def _run(self) -> None:
        try:
            self._read(self._emit)
        except errors.Cancelled:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the items are taken
            end = _End(error)
        else:
            end = _End()
        try:
            self._emit(end)
        except errors.Cancelled:
            return


class Feeds:
    """The readings of a run, a few of them under way at once, in the order in which they will be written."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._order: list[str] = []
        self._readers: dict[str, Callable[[Emit], None]] = {}
        self._running: dict[str, Feed] = {}

    def plan(self, readers: dict[str, Callable[[Emit], None]]) -> None:
        """Say which streams will be written, in order, and how each is read."""
        self._order = list(readers)
        self._readers = readers

    def stop(self) -> None:
        """Let every reading stop at its next page."""
        for feed in self._running.values():
            feed.abandon()

    def open(self, name: str, read: Callable[[Emit], None]) -> Feed:
        """Return the stream's reading, started now or before, and start the next ones."""
        if name in self._order:
            at = self._order.index(name)
            for ahead in self._order[at : at + STREAMS_AT_ONCE]:
                if ahead not in self._running:
                    self._running[ahead] = Feed(self._readers[ahead], self._stopping, ahead)
        feed = self._running.pop(name, None)
        if name in self._order:
            self._order.remove(name)
        return feed if feed is not None else Feed(read, self._stopping, name)
