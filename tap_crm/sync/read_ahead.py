"""Reads the next streams while the present one is written, so that no slot of the rate limit stays unused."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from tap_crm.messages import Emit, Item

#: Bytes of pages that may wait to be written, over all streams: bounds the memory.
BYTES_AHEAD = 40_000_000
#: Of these, the stream that is being written may always have so many, however far the others have read ahead.
BYTES_OF_ITS_OWN = 8_000_000
#: Streams that are being read at the same time under one limit, and in all, the one that is written included.
STREAMS_AT_ONCE, STREAMS_IN_ALL = 4, 10
#: Streams that may have been read before their turn comes; most of these are small lists, and where one that takes long
#: is before them, they are not to be left to the end, when nothing else uses the limit.
STREAMS_AHEAD = 64
#: Seconds between two looks at whether the run is ending.
POLL_SECONDS = 0.1
#: What a page of decoded records is reckoned as, each.
BYTES_OF_A_RECORD = 500


class _End:
    """The reading is over: well, or with an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class StreamAhead:
    """One stream's reading, running in threads of its own, ahead of who takes its pages."""

    def __init__(self, read_ahead: ReadAhead, read: Callable[[Emit], None], name: str) -> None:
        self._all = read_ahead
        self._items: deque[Item | _End] = deque()
        self._read = read
        self._abandoned = False
        self.waiting_bytes = 0
        self.is_reading = True
        self._thread = threading.Thread(target=self._run, name=f"{name}-reading", daemon=True)
        self._thread.start()

    def items(self, check_signals: Callable[[], None]) -> Iterator[Item]:
        """Yield what the reading found, in its order; raise what it raised.

        ``check_signals`` is called at least every tenth of a second while waiting.

        Raises:
            Cancelled: the reading was ended; all that it had found was yielded.
        """
        while True:
            check_signals()
            with self._all.changed:
                if not self._items:
                    if self._abandoned:
                        raise errors.Cancelled
                    self._all.changed.wait(POLL_SECONDS)
                    continue
                item = self._items.popleft()
                self.waiting_bytes -= _size(item)
                self._all.changed.notify_all()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def abandon(self) -> None:
        """Let the reading stop at its next page."""
        self._abandoned = True

    def _emit(self, item: Item | _End) -> None:
        with self._all.changed:
            while not self._all.has_room(self):
                self._all.changed.wait(POLL_SECONDS)
                self._check()
            self._check()
            self._items.append(item)
            self.waiting_bytes += _size(item)
            self._all.changed.notify_all()

    def _check(self) -> None:
        if self._abandoned or self._all.stopping.is_set():
            raise errors.Cancelled

    def _run(self) -> None:
        end = _End()
        try:
            self._read(self._emit)
        except errors.Cancelled:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the items are taken
            end = _End(error)
        finally:
            self.is_reading = False
            self._all.start_next()
        try:
            self._emit(end)
        except errors.Cancelled:
            return


class ReadAhead:
    """The readings of a run, a few of them under way at once, in the order in which they will be written.

    Args:
        stopping: set when the run ends.
    """

    def __init__(self, stopping: threading.Event) -> None:
        self.stopping = stopping
        self.changed = threading.Condition(threading.RLock())
        self._waiting: list[str] = []
        self._readers: dict[str, Callable[[Emit], None]] = {}
        self._groups: Mapping[str, str] = {}
        self._opened: dict[str, StreamAhead] = {}
        self._written: StreamAhead | None = None
        self._ended = False

    def plan(
        self,
        readers: Mapping[str, Callable[[Emit], None]],
        groups: Mapping[str, str] | None = None,
        first: Collection[str] = (),
    ) -> None:
        """Say which streams will be written, in order, and how each is read.

        Args:
            readers: what reads them, by their names.
            groups: under which limit their requests are; the same one for those that are not named.
            first: those whose reading begins before that of the others.
        """
        self._readers = dict(readers)
        self._groups = groups or {}
        self._waiting = sorted(readers, key=lambda name: name not in first)

    def open(self, name: str, read: Callable[[Emit], None]) -> StreamAhead:
        """Return the stream's reading, started now or before; while it is written, the next ones are read.

        Raises:
            Cancelled: it was not started before the reading was ended.
        """
        with self.changed:
            if self._ended and name not in self._opened:
                raise errors.Cancelled
            if name in self._waiting:
                self._waiting.remove(name)
            if name not in self._opened:
                self._opened[name] = StreamAhead(self, read, name)
            self._written = self._opened[name]
            self.changed.notify_all()
        self.start_next()
        return self._written

    def close(self, name: str) -> None:
        """Forget a stream that is written, or that nobody wants to be written to its end."""
        with self.changed:
            stream = self._opened.pop(name, None)
            if stream is not None:
                stream.abandon()
            self.changed.notify_all()

    def end(self) -> None:
        """Begin no further reading, and let those under way stop at their next page; what they found can be written."""
        with self.changed:
            self._ended = True
            self._waiting.clear()
            for stream in self._opened.values():
                stream.abandon()
            self.changed.notify_all()

    def has_room(self, stream: StreamAhead) -> bool:
        """Tell whether a reading may hand over another page."""
        if stream is self._written and stream.waiting_bytes < BYTES_OF_ITS_OWN:
            return True
        return sum(other.waiting_bytes for other in self._opened.values()) < BYTES_AHEAD

    def start_next(self) -> None:
        """Start as many readings as may run; called whenever one ends.

        Each limit has its own: what is long under one of them leaves no other one unused.
        """
        with self.changed:
            while self._waiting and not self.stopping.is_set() and len(self._opened) < STREAMS_AHEAD:
                reading = Counter(self._groups.get(name) for name, one in self._opened.items() if one.is_reading)
                free = (name for name in self._waiting if reading[self._groups.get(name)] < STREAMS_AT_ONCE)
                name = next(free, None)
                if name is None or reading.total() >= STREAMS_IN_ALL:
                    return
                self._waiting.remove(name)
                self._opened[name] = StreamAhead(self, self._readers[name], name)


def _size(item: Item | _End) -> int:
    if not isinstance(item, Page):
        return 0
    return len(item.body) if item.body is not None else BYTES_OF_A_RECORD * len(item.records or ())
