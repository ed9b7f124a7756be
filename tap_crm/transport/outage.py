"""Whether the CRM as a whole answers: one circuit for all streams and threads of a run.

One endpoint that fails is waited for by whoever needs it. Where nothing at all is answered any more, waiting for each
question anew would take hours; so that is waited for once.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Where the CRM never answered in this run: so many endpoints must have failed, so often each.
FEWEST_ENDPOINTS, FEWEST_FAILURES = 2, 3


class Outage:
    """What is known of the CRM's silence.

    Args:
        answers: asks once more what was answered before, and tells whether it is answered now; None of the questions
            that were asked so far got an answer, where it returns None.
        clock: seconds, as ``time.monotonic`` has them.
    """

    def __init__(self, answers: Callable[[], bool | None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._answers, self._clock = answers, clock
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._since: float | None = None
        self._failures: Counter[str] = Counter()
        self.seconds = 0.0
        self.is_over_all = False

    def note_answer(self) -> None:
        """Note that the CRM answered, whoever asked and whatever it said."""
        with self._lock:
            self._since = None
            self._failures.clear()

    def note_failure(self, endpoint: str) -> None:
        """Note an attempt that brought no answer."""
        with self._lock:
            self._failures[endpoint] += 1
            if self._since is None:
                self._since = self._clock()

    def lasts(self, patience: float) -> bool:
        """Tell whether the CRM as a whole is down, and has been for so many seconds; then it stays so for this run.

        Before that is believed, something is asked that was answered before.
        """
        if not self.is_over_all and self._is_long(patience):
            with self._asking:  # one thread asks, the others take what it found out
                self._find_out(patience)
        return self.is_over_all

    def _find_out(self, patience: float) -> None:
        if self.is_over_all or not self._is_long(patience):
            return
        answered = self._answers()
        if answered:
            self.note_answer()
        elif answered is False or self._is_everywhere():
            self.seconds = self._lasted()
            self.is_over_all = True

    def _is_long(self, patience: float) -> bool:
        with self._lock:
            failing = self._since is not None
        return failing and self._lasted() >= patience

    def _lasted(self) -> float:
        with self._lock:
            return 0.0 if self._since is None else self._clock() - self._since

    def _is_everywhere(self) -> bool:
        """Tell whether several endpoints failed, none of them by chance only."""
        with self._lock:
            return sum(count >= FEWEST_FAILURES for count in self._failures.values()) >= FEWEST_ENDPOINTS
