"""One pace, kept by every thread and every retry."""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_left
from typing import TYPE_CHECKING

from tap_crm.transport.pacing.lateness import Lateness
from tap_crm.transport.pacing.sent import OwnTimes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.transport.pacing.sent import SentTimes
    from tap_crm.transport.pacing.window import Window

#: The part of the limit that is used. A rolling window counts both of its ends, and requests reach the server
#: a little later or earlier than they were sent: two per cent below the limit never meets a 429.
SHARE_OF_LIMIT = 0.98

#: A thread that woke up late may be made up for by this many requests, so that the rate is kept without bursts;
#: by fewer where the limit is so low that they would exceed it, and by so much less that a network may jitter, too.
CATCH_UP, ROOM_FOR_JITTER = 2.0, 0.1

#: Seconds that no clock tells apart.
AS_GOOD_AS_NOW = 1e-6


class Pacer:
    """Lets requests go one by one, just under a limit: evenly spaced, or in a burst where the window is known.

    Args:
        per_minute: the documented limit in requests per minute; 0 lets everything through at once.
        clock: seconds that only go forward.
        sleep: waits so many seconds.
        sent: what was sent under the limit so far; None if that is not known, so that there are no bursts.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        sent: SentTimes | None = None,
    ) -> None:
        self.interval = 0.0
        self.sent = sent or OwnTimes()
        self._window: Window | None = None
        self._is_even = True
        self._lateness = Lateness()
        self._reach = 0.0
        self._knows = self._bursting = self._may_burst = sent is not None
        self._catch_up = 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._turn: float | None = None
        self._held_until = 0.0
        self.pace(per_minute, 60.0)

    def pace(
        self,
        limit: float,
        window: float,
        share: float = SHARE_OF_LIMIT,
        *,
        whole: Window | None = None,
        is_even: bool = False,
    ) -> None:
        """Let that share of the limit go per window of so many seconds from now on; a limit of 0 lets all through.

        Args:
            limit: how many requests.
            window: within how many seconds.
            share: the part of the limit that is used where requests are evenly spaced.
            whole: the window, if that is known: then what was not used is made up for.
            is_even: requests are evenly spaced all the same; the window only has never one too many.
        """
        with self._lock:
            self._window, self._is_even = whole, is_even or whole is None
            self._reach = max(self._reach, whole.reach if whole else window)
            self.interval = window / (limit * share) if limit else 0.0
            room = math.floor(limit) - limit * share - ROOM_FOR_JITTER
            self._catch_up = min(CATCH_UP, max(0.0, room))

    def wait(self) -> float:
        """Return when the caller may send its request; tells how many seconds it waited."""
        started = self._clock()
        return self.turn() - started

    def turn(self) -> float:
        """Return when the caller may send its request: the clock's time, by which the request is known."""
        while True:
            with self._lock:
                now = self._clock()
                due = self._held_until if now < self._held_until else self._take(now)
                if due - now <= AS_GOOD_AS_NOW:
                    return now
            self._sleep(due - now)  # outside of the lock: others may look at the clock meanwhile

    def answered(self, turn: float, path: str) -> None:
        """Note that a request was answered: one that was held up on its way counts for longer.

        Args:
            turn: what :meth:`turn` returned.
            path: the request's path.
        """
        with self._lock:
            if self._window is None:
                return
            slack = self._window.reach - self._window.seconds
            late = self._lateness.of(path, self._clock() - turn, slack)
            if late:
                self.sent.postpone(turn, late)

    def _take(self, now: float) -> float:
        """Take the next turn if it has come; return when it does."""
        if self._is_even or self._window is None:
            return self._take_evenly(now)
        with self.sent.taken(now, self._reach) as times:
            if self._may_burst and self._window.may_begin_burst(times, now):
                self._bursting = True
            elif self._window.ends_burst(times, now):
                self._bursting = False
            due = self._window.due(times, now, bursting=self._bursting)
            if due - now <= AS_GOOD_AS_NOW:
                times.append(now)
                self._turn = now
        return due

    def _take_evenly(self, now: float) -> float:
        turn = now if self._turn is None else self._turn + self.interval
        due = max(turn, self._held_until)
        if due - now > AS_GOOD_AS_NOW:
            return due
        if self.interval:
            with self.sent.taken(now, self._reach) as times:
                free = now if self._window is None else self._window.free(times, now)
                if free - now > AS_GOOD_AS_NOW:
                    return free
                times.append(now)
        self._turn = max(due, now - self._catch_up * self.interval)
        return due

    @property
    def knows_window(self) -> bool:
        """Whether it is known what was sent before this process."""
        return self._knows

    def sent_within(self, seconds: float) -> int:
        """Return how many requests of the last seconds are known to have been sent under this limit."""
        with self._lock:
            now = self._clock()
            with self.sent.taken(now, self._reach) as times:
                return len(times) - bisect_left(times, now - seconds)

    def calm(self) -> None:
        """Begin no burst any more: a 429 came though there was room, so something else counts, too."""
        with self._lock:
            self._bursting = self._may_burst = False

    @property
    def held_until(self) -> float:
        """The clock's time until which nobody may send."""
        with self._lock:
            return self._held_until

    def hold(self, seconds: float) -> None:
        """Let nobody send for so many seconds: what a 429 asks for."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)
