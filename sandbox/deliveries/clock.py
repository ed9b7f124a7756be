"""A clock whose seconds may be shorter than those of the machine, and that can be advanced."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.deliveries.knobs import Events


class ScaledClock:
    """The time that delays, retries and limits of deliveries go by: seconds since 1970."""

    def __init__(self) -> None:
        self._moment = time.time()
        self._read = time.monotonic()

    def now(self, knobs: Events) -> float:
        """Read the clock."""
        read = time.monotonic()
        self._moment += (read - self._read) * knobs.time_scale
        self._read = read
        return self._moment

    def advance_to(self, moment: float, knobs: Events) -> None:
        """Set the clock to a later moment."""
        self._moment = max(self.now(knobs), moment)
