"""Time that passes where somebody waits for it, and costs none: hours of retries take a moment."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

_REAL_EVENT = threading.Event


class VirtualTime:
    """The clocks of this process, ahead of the machine's by what was waited for.

    Threads wait side by side: what one of them waits for is no time that another one lost. So each thread has its own
    clock, which begins where the latest one is; the main thread's is always the latest one, since it waits for the
    others.

    Attributes:
        passed: seconds that were waited for in vain.
    """

    def __init__(self) -> None:
        """Begin with the machine's time."""
        self.passed = 0.0
        self._lock = threading.Lock()
        self._own = threading.local()
        self._machine = time.time, time.monotonic, time.sleep

    def wait(self, seconds: float) -> None:
        """Let time pass, and other threads run."""
        with self._lock:
            self._own.passed = self._ahead() + max(0.0, seconds)
            self.passed = max(self.passed, self._own.passed)
        self._machine[2](0)

    def time(self) -> float:
        """Stand in for ``time.time``."""
        return self._machine[0]() + self._ahead()

    def monotonic(self) -> float:
        """Stand in for ``time.monotonic``."""
        return self._machine[1]() + self._ahead()

    def _ahead(self) -> float:
        if threading.current_thread() is threading.main_thread():
            return self.passed
        if not hasattr(self._own, "passed"):
            self._own.passed = self.passed
        return float(self._own.passed)


@contextmanager
def virtual_time() -> Iterator[VirtualTime]:
    """Let ``time.sleep`` and waits for an event that have an end cost nothing, in every thread of this process."""
    clock = VirtualTime()

    class Event(_REAL_EVENT):
        """An event for which nobody waits long."""

        @override
        def wait(self, timeout: float | None = None) -> bool:
            if timeout is None:
                return super().wait()
            if not self.is_set():
                clock.wait(timeout)
            return self.is_set()

    known = time.time, time.monotonic, time.sleep
    time.time, time.monotonic = clock.time, clock.monotonic
    time.sleep = clock.wait  # type: ignore[assignment]
    threading.Event = Event  # type: ignore[misc]
    try:
        yield clock
    finally:
        time.time, time.monotonic, time.sleep = known
        threading.Event = _REAL_EVENT  # type: ignore[misc]
