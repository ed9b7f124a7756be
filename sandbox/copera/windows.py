"""Fixed windows that count requests."""

from __future__ import annotations


class FixedWindow:
    """Admits at most `limit` requests in each window; those it refuses do not count."""

    __slots__ = ("count", "start")

    def __init__(self) -> None:
        self.start = 0.0
        self.count = 0

    def wait(self, limit: int, seconds: float, now: float, *, by_clock: bool = False) -> float:
        """Admit a request (0.0) or say how many seconds are left of the window."""
        if not self.start <= now < self.start + seconds:
            self.start, self.count = now - now % seconds if by_clock else now, 0
        if self.count < limit:
            self.count += 1
            return 0.0
        return max(self.start + seconds - now, 0.001)

    def left(self, limit: int) -> int:
        """Say how many more are admitted in the present window."""
        return max(limit - self.count, 0)
