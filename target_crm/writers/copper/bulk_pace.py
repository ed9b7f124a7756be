"""The pace of bulk requests: Copper takes three within a second, besides its limit for all (bulk-create-people)."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_crm.transport.pacing.pacer import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BULK_A_SECOND, SHARE_OF_BULK = 3, 0.97
WINDOW = 1.0
#: What is made up for of a late arrival: more would leave too much of the limit unused.
MOST_LATE, _GLANCE = 0.06, 0.01
#: Where answers usually take longer, that one is missing says nothing.
_QUICK = 0.5


class _Sent:
    """A request on its way: when it was sent and answered."""

    __slots__ = ("answered", "sent")

    def __init__(self, sent: float) -> None:
        self.sent = sent
        self.answered: float | None = None


class BulkPace:
    """Lets bulk requests go, evenly spaced, so that no four of them reach Copper within a second.

    When a request arrived is not known; its answer tells how much later than the quickest one it can have been. That
    is made up for, up to a limit.

    Args:
        is_paced: False if the user switched pacing off.
        clock: seconds that only go forward.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        *,
        is_paced: bool,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._is_paced = is_paced
        self._clock, self._sleep = clock, sleep
        self._pacer = Pacer(0, clock=clock, sleep=sleep)
        self._pacer.pace(BULK_A_SECOND, WINDOW, share=SHARE_OF_BULK)
        self._turn = threading.Lock()
        self._last: deque[_Sent] = deque(maxlen=BULK_A_SECOND)
        self._quickest = WINDOW

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Wait for a turn; what is within is the request, up to its answer."""
        if not self._is_paced:
            yield
            return
        with self._turn:
            self._pacer.wait()
            self._wait_for_room()
            own = _Sent(self._clock())
            self._last.append(own)
        try:
            yield
        finally:
            own.answered = self._clock()
            self._quickest = min(self._quickest, own.answered - own.sent)

    def _wait_for_room(self) -> None:
        if len(self._last) < BULK_A_SECOND:
            return
        first = self._last[0]
        until = first.sent + WINDOW + MOST_LATE
        while first.answered is None and self._quickest < _QUICK and self._clock() < until:
            self._sleep(_GLANCE)
        late = 0.0 if first.answered is None else first.answered - first.sent - self._quickest
        self._sleep(max(0.0, first.sent + min(late, MOST_LATE) + WINDOW - self._clock()))
