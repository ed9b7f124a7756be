"""A clock that goes forward only when somebody sleeps."""

from __future__ import annotations

import threading


class FakeTime:
    """Stands in for ``time.monotonic`` and ``time.sleep``; sleeping costs nothing, but is remembered."""

    def __init__(self, overshoot: float = 0.0) -> None:
        """Begin at some moment; every sleep takes longer by ``overshoot``."""
        self.now = 1_000.0
        self.slept: list[float] = []
        self._overshoot = overshoot
        self._lock = threading.Lock()

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds + self._overshoot
