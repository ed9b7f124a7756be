"""The keys with which events may be signed: those that the inbox keeps, read again now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.inbox.spool import Spool

#: How long keys are used before they are read again, and how often that is done at most for one that is missing.
FRESH_SECONDS, SOONEST_SECONDS = 10.0, 1.0


class Keys:
    """The keys of every CRM; usable by several threads.

    Args:
        spool: where `subscribe` puts them, maybe in another process.
        further: one that the spool does not know; None if there is none.
        clock: returns seconds.
    """

    def __init__(self, spool: Spool, further: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._spool = spool
        self._further = () if further is None else (further,)
        self._clock = clock
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}

    def fresh(self, provider: str) -> tuple[str, ...] | None:
        """Return the keys of a CRM if they were read lately; None if not. Asks nothing."""
        read_at, keys = self._known.get(provider, (None, ()))
        return keys if read_at is not None and self._clock() - read_at < FRESH_SECONDS else None

    def read(self, provider: str) -> tuple[str, ...]:
        """Return the keys of a CRM, read anew unless that was done a moment ago.

        Raises:
            SpoolError: they cannot be read.
        """
        read_at, keys = self._known.get(provider, (None, ()))
        now = self._clock()
        if read_at is None or now - read_at >= SOONEST_SECONDS:
            found = [one.signature_key for one in self._spool.subscriptions(provider)]
            keys = (*(key for key in found if key is not None), *self._further)
            self._known[provider] = now, keys
        return keys
