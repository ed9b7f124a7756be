"""Ends a run in time by itself, so that the loader empties its buffers and confirms what it was given."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_crm.ledger import Ledger

#: What was read when the limit was reached may still be written, for so much longer, as a share of the limit.
GRACE = 0.1


class LimitReached(Exception):  # noqa: N818 - it is no failure
    """The run has used what it may use."""


class RunLimit:
    """What a run may use: ``max_run_minutes`` and ``max_run_requests``.

    Args:
        minutes: from now on; None for no limit.
        requests: of all streams; None for no limit.
        clock: returns seconds.

    Attributes:
        reached: which limit was reached, in words; None before.
    """

    def __init__(
        self, minutes: float | None, requests: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = None if minutes is None else minutes * 60
        self._minutes, self._requests = minutes, requests
        self._clock, self._began = clock, clock()
        self._ledgers: Sequence[Ledger] = ()
        self.reached: str | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return self._seconds is not None or self._requests is not None

    def count(self, ledgers: Sequence[Ledger]) -> None:
        """Say whose requests are counted."""
        self._ledgers = ledgers

    def is_reached(self) -> bool:
        """Tell whether nothing more is to be read.

        Raises:
            LimitReached: nothing more is to be written either.
        """
        if not self.is_set:
            return False
        used = 0.0 if self._seconds is None else self._clock() - self._began
        if self.reached is None:
            if self._seconds is not None and used >= self._seconds:
                self.reached = f"`max_run_minutes` ({self._minutes:g}) is used up"
            elif self._requests is not None and sum(one.requests for one in self._ledgers) >= self._requests:
                self.reached = f"`max_run_requests` ({self._requests}) is used up"
        if self._seconds is not None and used >= self._seconds * (1 + GRACE):
            raise LimitReached
        return self.reached is not None
