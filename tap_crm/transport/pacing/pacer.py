"""One pace, kept by every thread and every retry."""

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
#: by fewer where the limit is so low that they would exceed it, and by so much less that a network may jitter, too.
CATCH_UP, ROOM_FOR_JITTER = 2.0, 0.1


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
        self.interval = 0.0
        self._catch_up = 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._turn: float | None = None
        self._held_until = 0.0
        self.pace(per_minute, 60.0)

    def pace(self, limit: float, window: float, share: float = SHARE_OF_LIMIT) -> None:
        """Let that share of the limit go per window of so many seconds from now on; a limit of 0 lets all through."""
        with self._lock:
            self.interval = window / (limit * share) if limit else 0.0
            room = math.floor(limit) - limit * share - ROOM_FOR_JITTER
            self._catch_up = min(CATCH_UP, max(0.0, room))

    def wait(self) -> float:
        """Return when the caller may send its request; tells how many seconds it waited."""
        started = self._clock()
        while True:
            with self._lock:
                now = self._clock()
                turn = now if self._turn is None else self._turn + self.interval
                due = max(turn, self._held_until)
                if now >= due:
                    self._turn = max(due, now - self._catch_up * self.interval)
                    return now - started
            self._sleep(due - now)  # outside of the lock: others may look at the clock meanwhile

    @property
    def held_until(self) -> float:
        """The clock's time until which nobody may send."""
        with self._lock:
            return self._held_until

    def hold(self, seconds: float) -> None:
        """Let nobody send for so many seconds: what a 429 asks for."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)
