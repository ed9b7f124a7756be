"""A run ends by itself when it has used its minutes or requests."""

from __future__ import annotations

import pytest

from tap_crm.ledger import Ledger
from tap_crm.sync.run_limit import LimitReached, RunLimit


class Clock:
    """A clock that tests move."""

    now = 1_000.0

    def __call__(self) -> float:
        """Return the present."""
        return self.now


def test_without_a_limit_a_run_goes_on_for_ever() -> None:
    """As it did before there were limits."""
    clock = Clock()
    limit = RunLimit(None, None, clock)
    clock.now += 1e9
    assert not limit.is_reached()
    assert limit.reached is None


@pytest.mark.parametrize("minutes", [1.0, 0.5])
def test_minutes_end_the_reading_and_a_tenth_later_the_writing(minutes: float) -> None:
    """What was read is written, unless the loader takes too long for it."""
    clock = Clock()
    limit = RunLimit(minutes, None, clock)
    clock.now = 1_000.0 + 60 * minutes - 0.1
    assert not limit.is_reached()
    clock.now = 1_000.0 + 60 * minutes
    assert limit.is_reached()
    assert limit.reached == f"`max_run_minutes` ({minutes:g}) is used up"
    clock.now = 1_000.0 + 66 * minutes
    with pytest.raises(LimitReached):
        limit.is_reached()


def test_requests_of_all_streams_count() -> None:
    """They have one rate limit in common."""
    ledgers = [Ledger(), Ledger()]
    limit = RunLimit(None, 10, Clock())
    limit.count(ledgers)
    ledgers[0].add(requests=9)
    assert not limit.is_reached()
    ledgers[1].add(requests=1)
    assert limit.is_reached()
    assert limit.reached == "`max_run_requests` (10) is used up"
