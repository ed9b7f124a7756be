"""Deliveries and a clock for tests of the inbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tap_crm.inbox.entries import Delivery

if TYPE_CHECKING:
    from tap_crm.inbox.entries import Event
    from tap_crm.inbox.spool import Spool

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def seconds(self) -> float:
        """Return the time as epoch seconds."""
        return self.time.timestamp()

    def move(self, **by: float) -> None:
        """Move it, by days, seconds or what else a timedelta takes."""
        self.time += timedelta(**by)


def delivery(body: str, provider: str = "copper", at: datetime = START, *, stale: bool = False) -> Delivery:
    """Return a delivery with this body."""
    return Delivery(provider, body.encode(), at, stale=stale)


def bodies(events: list[Event]) -> list[str]:
    """Return what events hold."""
    return [event.body.decode() for event in events]


def kept(spool: Spool, provider: str = "copper") -> list[str]:
    """Return what all events of a CRM hold."""
    found, after = [], 0
    while events := spool.read(provider, after, 100):
        found += bodies(events)
        after = events[-1].place
    return found
