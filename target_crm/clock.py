"""The present, and waiting: one object, so that tests can let time pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class Clock:
    """This machine's clock."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        """Wait; return at once when the run is ending."""
        stopping.wait(seconds)
