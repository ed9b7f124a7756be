"""What can be told of a run while it goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.sync.run import AuditedStream, Run

#: From this share of the rate limit on, it is the limit that the run waits for.
BUSY = 0.9


class Outlook:
    """Looks at a run from another thread.

    Args:
        run: the run.
        selected: the streams that it is to read.
    """

    def __init__(self, run: Run, selected: Sequence[AuditedStream]) -> None:
        self._run = run
        self._streams = {stream.name: stream for stream in selected}
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds since the run began."""
        return time.monotonic() - self._began

    def requests(self, stream: str) -> int:
        """Return how many requests were sent for a stream."""
        return self._streams[stream].ledger.requests if stream in self._streams else 0

    def total(self, stream: str) -> int | None:
        """Return how many records the CRM counts of what is being read; None where it does not count."""
        return self._streams[stream].ledger.source_total if stream in self._streams else None

    def heading(self) -> str:
        """Return one line on the run as a whole."""
        every = self._streams.values()
        done = sum(stream.complete for stream in every)
        rows, requests = (sum(getattr(one.ledger, name) for one in every) for name in ("records", "requests"))
        minutes, seconds = divmod(int(self.seconds), 60)
        used = self._run.limit_used()
        limit = "" if used is None else f" · {used:.0%} of the rate limit"
        return (
            f"{self._run.provider.title}: {done} of {len(every)} streams · {rows:,} rows · {requests:,} requests"
            f"{limit} · {minutes}:{seconds:02}"
        )

    def waiting(self) -> str | None:
        """Return what the run waits for; None where it goes on."""
        why = self._run.transport.waiting()
        used = self._run.limit_used() or 0.0
        return why or ("the rate limit: requests go out as fast as it allows" if used >= BUSY else None)
