"""The present, told from this machine's clock and from the ``Date`` of the server's answers."""

from __future__ import annotations

import threading
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def http_date(text: str | None) -> float | None:
    """Return the epoch seconds of an HTTP date, or None if the text is none."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


class ServerClock:
    """Tells the present: the earlier of the server's clock and this machine's.

    Either may be ahead. What is read up to a present that has not come yet would count as read although it may still
    change; one that is too early costs a second reading only.

    Args:
        local: this machine's clock, in epoch seconds.
    """

    def __init__(self, local: Callable[[], float] | None = None) -> None:
        self._local = time.time if local is None else local
        self._offset: float | None = None
        self._lock = threading.Lock()

    @property
    def is_told(self) -> bool:
        """Whether any answer had a ``Date``; without one, nothing holds this machine's clock against another."""
        with self._lock:
            return self._offset is not None

    def note(self, date_header: str | None) -> float:
        """Learn from an answer that arrived just now; returns the present in epoch seconds."""
        told = http_date(date_header)
        if told is None:
            return self.now()
        local = self._local()
        with self._lock:
            self._offset = told - local
        return min(told, local)

    def now(self) -> float:
        """Return the present in epoch seconds: no later than either clock."""
        with self._lock:
            return self._local() + min(0.0, self._offset or 0.0)

    @property
    def ahead(self) -> float:
        """How many seconds the server's clock is ahead of this machine's; 0 until the first answer with a ``Date``."""
        with self._lock:
            return self._offset or 0.0

    def server(self) -> float:
        """Return what the server takes for the present, in epoch seconds: what it dates is to be held against it.

        Until the first answer, and where a server sends no ``Date``, it is this machine's clock.
        """
        return self._local() + self.ahead
