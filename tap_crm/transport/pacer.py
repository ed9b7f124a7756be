"""One pacer per account, used by every thread and every retry."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The part of the limit that is used. A rolling window counts both of its ends, and requests reach the server
#: a little later or earlier than they were sent: two per cent below the limit never meets a 429.
SHARE_OF_LIMIT = 0.98

#: A thread that woke up late may be made up for by this many requests, so that the rate is kept without bursts;
#: by fewer where the limit is so low that they would exceed it.
CATCH_UP = 2


class Pacer:
    """Lets requests go one by one, evenly spaced, just under a limit.

    Args:
        per_minute: the documented limit in requests per minute; 0 lets everything through at once.
        clock: seconds that only go forward.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.interval = 60.0 / (per_minute * SHARE_OF_LIMIT) if per_minute else 0.0
        self._catch_up = max(0, min(CATCH_UP, math.floor(per_minute) - 1 - math.floor(per_minute * SHARE_OF_LIMIT)))
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0
        self._held_until = 0.0

    def wait(self) -> float:
        """Return when the caller may send its request; tells how many seconds it waited."""
        started = self._clock()
        while True:
            with self._lock:
                now = self._clock()
                due = max(self._next, self._held_until)
                if now >= due:
                    earliest = now - self._catch_up * self.interval
                    self._next = max(self._next, self._held_until, earliest) + self.interval
                    return now - started
            self._sleep(due - now)  # outside of the lock: others may look at the clock meanwhile

    def hold(self, seconds: float) -> None:
        """Let nobody send for so many seconds: what a 429 asks for."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)
