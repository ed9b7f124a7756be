"""The present, and waiting: one object, so that tests can let time pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


class Clock:
    """This machine's clock."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        """Wait; return at once when the run is ending."""
        stopping.wait(seconds)


class CrmClock(Clock):
    """The CRM's clock: what was sent is looked for by the times that the CRM gives its records.

    Args:
        own: this machine's clock, which may be wrong.
        ahead: tells how many seconds the CRM's clock is ahead of it, as far as its answers say.
    """

    def __init__(self, own: Clock, ahead: Callable[[], float]) -> None:
        self._own = own
        self._ahead = ahead

    @override
    def now(self) -> float:
        return self._own.now() + self._ahead()

    @override
    def wait(self, seconds: float, stopping: threading.Event) -> None:
        self._own.wait(seconds, stopping)
