"""Rate limits: a rolling window, and fixed ones."""

from __future__ import annotations

import math
import time
from collections import deque
from email.utils import formatdate


class RollingWindow:
    """Admits at most `limit` requests in any `seconds`; those it refuses do not count."""

    def __init__(self) -> None:
        self._admitted: deque[float] = deque()

    def wait(self, limit: int, seconds: float, now: float | None = None) -> float:
        """Admit a request (0.0) or say how many seconds are left until one would be admitted."""
        if limit <= 0:
            return 0.0
        moment = time.monotonic() if now is None else now
        admitted = self._admitted
        while admitted and admitted[0] <= moment - seconds:
            admitted.popleft()
        if len(admitted) < limit:
            admitted.append(moment)
            return 0.0
        return max(admitted[len(admitted) - limit] + seconds - moment, 0.001)

    def left(self, limit: int, seconds: float, now: float | None = None) -> tuple[int, float]:
        """Say how many more would be admitted now, and in how many seconds the oldest one no longer counts."""
        moment = time.monotonic() if now is None else now
        admitted = self._admitted
        while admitted and admitted[0] <= moment - seconds:
            admitted.popleft()
        return max(limit - len(admitted), 0), admitted[0] + seconds - moment if admitted else 0.0

    def clear(self) -> None:
        """Forget what was admitted."""
        self._admitted.clear()


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


def retry_after(form: str, wait: float, now: float) -> list[tuple[bytes, bytes]]:
    """Give the `Retry-After` header in the form asked for: `none`, `seconds` or `date`."""
    if form == "none":
        return []
    value = str(math.ceil(wait)) if form == "seconds" else formatdate(math.ceil(now + wait), usegmt=True)
    return [(b"retry-after", value.encode())]
