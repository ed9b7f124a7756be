"""Threads in a time of their own: it goes forward when all of them sleep, and one runs at a time."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class VirtualTime:
    """Stands in for ``time.monotonic`` and ``time.sleep`` of several threads; hours take seconds."""

    def __init__(self) -> None:
        """Begin at some moment."""
        self.now = 1_000.0
        # Only the thread whose turn it is touches these: no lock is needed.
        self._sleepers: list[tuple[float, int, threading.Lock]] = []
        self._count = 0

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let others run meanwhile."""
        end = self.now + max(0.0, seconds)
        if not self._sleepers or end < self._sleepers[0][0]:
            self.now = end  # it would be the next one's turn again: no thread has to be switched to
            return
        turn = self._queue(end)
        self._wake()
        turn.acquire()

    def run(self, *works: Callable[[], None]) -> None:
        """Return when all have returned; raises what one of them raised."""
        faults: list[BaseException] = []

        def begin(work: Callable[[], None], turn: threading.Lock) -> None:
            turn.acquire()
            try:
                work()
            except BaseException as fault:  # noqa: BLE001 - raised below, in the test's own thread
                faults.append(fault)
            self._wake()

        threads = [threading.Thread(target=begin, args=(work, self._queue(self.now)), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        self._wake()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    def _queue(self, end: float) -> threading.Lock:
        turn = threading.Lock()
        turn.acquire()
        self._count += 1
        heapq.heappush(self._sleepers, (end, self._count, turn))
        return turn

    def _wake(self) -> None:
        if self._sleepers:
            self.now, _, turn = heapq.heappop(self._sleepers)
            turn.release()
