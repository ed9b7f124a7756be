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
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._count = 0
        self._lock = threading.Lock()

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let others run meanwhile."""
        turn = self._queue(seconds)
        self._wake()
        turn.wait()

    def run(self, *works: Callable[[], None]) -> None:
        """Return when all have returned; raises what one of them raised."""
        faults: list[BaseException] = []

        def begin(work: Callable[[], None], turn: threading.Event) -> None:
            turn.wait()
            try:
                work()
            except BaseException as fault:  # noqa: BLE001 - raised below, in the test's own thread
                faults.append(fault)
            self._wake()

        threads = [threading.Thread(target=begin, args=(work, self._queue(0)), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        self._wake()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    def _queue(self, seconds: float) -> threading.Event:
        turn = threading.Event()
        with self._lock:
            self._count += 1
            heapq.heappush(self._sleepers, (self.now + max(0.0, seconds), self._count, turn))
        return turn

    def _wake(self) -> None:
        with self._lock:
            if self._sleepers:
                self.now, _, turn = heapq.heappop(self._sleepers)
                turn.set()
