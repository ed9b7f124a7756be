"""The whole rate limit is used, and never exceeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.limits import none_refused, used_undisturbed

if TYPE_CHECKING:
    from tests.copper.conftest import Start

#: Copper's 180 requests a minute, six times as fast.
LIMIT, SECONDS = 90, 5.0
ENOUGH = 0.9
STRETCH = 80
#: What the tap is told: a window of five seconds has no room for two requests that are made up for, as a minute has.
PER_MINUTE = 1_060
#: Of which so many seconds of jitter remain.
SLACK = (LIMIT - 0.98 * PER_MINUTE / 60 * SECONDS - 2) * 60 / (0.98 * PER_MINUTE)


def test_nine_tenths_of_the_limit_are_used_at_150_ms_without_a_429(
    start_some: Start,
) -> None:
    """A rolling window as documented; the tap is told nearly that limit.

    Never a 429. How much is used depends on the machine too: the best stretch of three runs counts.
    """
    app, tap = start_some(
        ("people", "companies", "activities"),
        {"people": 1_200, "companies": 250, "activities": 500},
        page_cap=20,
        rate_limit=LIMIT,
        rate_window=SECONDS,
        latency_ms=150,
    )
    used = 0.0
    for _ in range(3):
        run = none_refused(app, tap, SLACK, lambda: tap.sync(requests_per_minute=PER_MINUTE))
        assert all(row["rate_limited"] == 0 for row in run.audit().values())
        used = max(used, used_undisturbed(sorted(app.stats.arrivals), LIMIT / SECONDS, STRETCH))
        if used >= ENOUGH:
            break
    assert used >= ENOUGH, used


def test_a_limit_that_others_use_up_is_waited_for(start_some: Start) -> None:
    """The tap believes in a higher limit than it gets: 429s hold it back, nothing is lost."""
    app, tap = start_some(
        ("people", "companies", "tags"), {"people": 400, "companies": 210}, page_cap=20, rate_limit=20, rate_window=1.0
    )
    run = tap.sync(requests_per_minute=3_000)
    assert app.stats.refused > 0
    assert len(run.keys("people")) == 400
    assert sum(row["rate_limited"] for row in run.audit().values()) == app.stats.refused
