"""The server's clock, read from the ``Date`` of its answers."""

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
    """Tells the server's time, so that windows never end in a future or a past that only this machine sees.

    Until the first answer, and where a server sends no ``Date``, it is this machine's clock.
    """

    def __init__(self, local: Callable[[], float] = time.time) -> None:
        self._local = local
        self._offset = 0.0
        self._lock = threading.Lock()

    def note(self, date_header: str | None) -> float:
        """Learn from an answer that arrived just now; returns its server time in epoch seconds."""
        told = http_date(date_header)
        if told is None:
            return self.now()
        with self._lock:
            self._offset = told - self._local()
        return told

    def now(self) -> float:
        """Return the server's time in epoch seconds."""
        with self._lock:
            return self._local() + self._offset
