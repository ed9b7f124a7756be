"""What was asked of a sandbox, and when."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.exchange import Record

_IDS = re.compile(r"(?<=/)(?:\d+|[a-z]+_[0-9A-Za-z]{20,}|[0-9a-fA-F]{24})(?=/|$)")


@dataclass(slots=True, frozen=True)
class Answered:
    """One finished exchange; `status` 0 means that the connection was closed without an answer."""

    number: int
    arrived: float
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    status: int
    fault: str | None
    refused: bool
    sent: int
    write: bool = False


@dataclass(slots=True)
class Stats:
    """A log of the exchanges and the figures drawn from it."""

    log: list[Answered] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    in_flight: int = 0
    max_in_flight: int = 0
    _lock: Lock = field(default_factory=Lock)

    def arrive(self, moment: float) -> None:
        """Note a request's arrival."""
        with self._lock:
            self.arrivals.append(moment)
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def leave(self) -> None:
        """Note that a request is over, answered or not."""
        with self._lock:
            self.in_flight -= 1

    def note(self, exchange: Answered) -> None:
        """Note an answer."""
        with self._lock:
            self.log.append(exchange)

    def reset(self) -> None:
        """Forget everything but the requests under way."""
        with self._lock:
            self.log.clear()
            self.arrivals.clear()
            self.max_in_flight = self.in_flight

    @property
    def requests(self) -> int:
        """How many requests arrived, refused ones included."""
        return len(self.arrivals)

    @property
    def refused(self) -> int:
        """How many requests the rate limit refused."""
        return sum(1 for one in list(self.log) if one.refused)

    @property
    def by_path(self) -> dict[str, int]:
        """Answers by path, ids replaced by `{id}`."""
        return dict(Counter(_IDS.sub("{id}", one.path) for one in list(self.log)))

    @property
    def writes(self) -> dict[str, int]:
        """Requests to create, change or delete, by method and path, ids replaced by `{id}`; refused ones included."""
        asked = (f"{one.method} {_IDS.sub('{id}', one.path)}" for one in list(self.log) if one.write)
        return dict(Counter(asked))

    @property
    def by_status(self) -> dict[str, int]:
        """Answers by status, as text; `0` where the connection was closed without one."""
        return dict(Counter(str(one.status) for one in list(self.log)))

    @property
    def faults(self) -> dict[str, int]:
        """How often each kind of fault was served."""
        return dict(Counter(one.fault for one in list(self.log) if one.fault))

    def most_within(self, seconds: float) -> int:
        """Give the greatest number of requests that arrived within any rolling `seconds`."""
        return most_within(self.arrivals, seconds)

    def summary(self, window: float) -> Record:
        """All figures as JSON."""
        times = sorted(self.arrivals)
        return {
            "requests": len(times),
            "refused": self.refused,
            "by_path": self.by_path,
            "writes": self.writes,
            "by_status": self.by_status,
            "faults": self.faults,
            "bytes": sum(one.sent for one in list(self.log)),
            "window": window,
            "max_in_window": self.most_within(window),
            "max_in_flight": self.max_in_flight,
            "first": times[0] if times else None,
            "last": times[-1] if times else None,
            "times": times,
        }


def most_within(moments: Iterable[float], seconds: float) -> int:
    """Give the greatest number of moments that lie within any rolling `seconds`."""
    times = sorted(moments)
    return max((i + 1 - bisect_right(times, at - seconds) for i, at in enumerate(times)), default=0)
