"""How fast records arrive, over a time that is long enough to mean something, and when they will all be there."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that a rate is of: pages arrive in bursts, and a limit is mostly counted by the minute.
WINDOW = 60.0


class Rate:
    """Counts records of one stream.

    Args:
        clock: returns seconds.

    Attributes:
        records: all of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.began = clock()
        self.records = 0
        self._passed: deque[tuple[float, int]] = deque([(self.began, 0)])

    @property
    def seconds(self) -> float:
        """The seconds since it began."""
        return self._clock() - self.began

    def add(self, records: int) -> None:
        """Count records that have just arrived."""
        now = self._clock()
        self.records += records
        self._passed.append((now, self.records))
        while len(self._passed) > 2 and self._passed[1][0] <= now - WINDOW:  # noqa: PLR2004 - the last one before it
            self._passed.popleft()

    def per_second(self) -> float:
        """Return the records a second of late; 0 before there is enough to tell."""
        at, records = self._passed[0]
        seconds = self._clock() - at
        return (self.records - records) / seconds if seconds >= 1 else 0.0

    def left(self, total: int | None) -> float | None:
        """Return the seconds until so many will have arrived; None where that cannot be told."""
        rate = self.per_second()
        if total is None or total <= self.records or not rate:
            return None
        return (total - self.records) / rate


def in_words(seconds: float) -> str:
    """Return a time that is left, roughly."""
    if seconds < 90:  # noqa: PLR2004 - then minutes mean more
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - then hours do
