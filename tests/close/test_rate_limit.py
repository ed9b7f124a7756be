"""The whole rate limit is used, and hardly ever exceeded, though nobody tells the tap what it is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import ACTIVITIES, CHANGING
from tests.limits import none_refused, slack_of, used, used_undisturbed

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from tests.close.conftest import Start

ENOUGH = 0.9
#: 429s in the first seconds, in which nothing is known of the limit, nor of how many buckets there are.
FEW = {"group": 5, "key": 10}
FEW_RECORDS = {"opportunities": 20, "tasks": 20, "custom_fields": 2}
BY_GROUP = {**FEW_RECORDS, "leads": 100, "contacts": 100, "activities": 1_250, "events": 60}
BY_KEY = {**FEW_RECORDS, "leads": 150, "contacts": 150, "activities": 500, "events": 600}
STRETCH = 80
#: Pages are small here: requests are what is measured.
PAGES = {"activity": 10, "data/search": 20}


def busiest(app: CloseSandbox) -> list[float]:
    """Return when the requests of the busiest group arrived."""
    groups = Counter(_group(one.path) for one in app.stats.log)
    name = groups.most_common(1)[0][0]
    return sorted(one.arrived for one in app.stats.log if _group(one.path) == name)


def _group(path: str) -> str:
    return path if path.startswith("data") else path.partition("/")[0]


@pytest.mark.parametrize(
    ("scope", "knobs"),
    [
        pytest.param("group", {"rate_limit": 10, "rate_window": 1.0, "rate_header": "comma"}, id="each-10 a second"),
        pytest.param("key", {"rate_limit": 80, "rate_window": 8.0, "rate_header": "semicolon"}, id="all-80 in 8 s"),
    ],
)
def test_nine_tenths_of_a_limit_that_answers_tell_are_used(
    start: Start, monkeypatch: pytest.MonkeyPatch, scope: str, knobs: dict[str, Any]
) -> None:
    """At 150 ms, without `requests_per_minute`; of the busiest group, or of the one bucket that all draw on.

    How much is used depends on the machine, too: the better of two runs counts, none is traced.
    """
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    app, tap = start(
        BY_KEY if scope == "key" else BY_GROUP, rate_scope=scope, latency_ms=150, limit_caps=PAGES, **knobs
    )
    tap.inside = False  # the server must answer in time, whatever the tap does
    del tap.config["requests_per_minute"]
    best = 0.0
    for _ in range(2):
        app.stats.reset()
        app.forget_limits()
        tap.sync()
        arrivals = sorted(app.stats.arrivals) if scope == "key" else busiest(app)
        assert app.stats.refused <= FEW[scope]
        best = max(best, used_undisturbed(arrivals, knobs["rate_limit"] / knobs["rate_window"], STRETCH))
        if best >= ENOUGH:
            break
    assert best >= ENOUGH, best


@pytest.mark.parametrize("scope", ["group", "key"])
def test_a_limit_that_only_429s_tell_of_is_kept_and_nothing_is_lost(start_some: Start, scope: str) -> None:
    """No header says what the limit is; `Retry-After` says when to come back."""
    shape = {**FEW_RECORDS, "leads": 40, "contacts": 40, "activities": 150, "events": 60}
    limit: dict[str, Any] = {"rate_limit": 10, "rate_window": 1.0, "rate_header": "none", "rate_scope": scope}
    app, tap = start_some((*CHANGING, *ACTIVITIES), shape, latency_ms=50, **limit)
    del tap.config["requests_per_minute"]
    run = tap.sync()
    assert len(run.keys("emails")) == len(app.account.ids("emails"))
    assert sum(row["rate_limited"] for row in run.audit().values()) == app.stats.refused


def test_a_ceiling_of_the_users_own_holds_over_all_groups(start: Start) -> None:
    """`requests_per_minute` is for all groups together, whatever the limit of each."""
    shape = {**FEW_RECORDS, "leads": 100, "contacts": 100, "activities": 400}
    app, tap = start(shape, rate_limit=160, rate_window=8.0, limit_caps=PAGES)
    none_refused(app, tap, slack_of(160, 8.0), lambda: tap.sync(requests_per_minute=1_500))
    arrivals = sorted(app.stats.arrivals)
    assert used(arrivals, 1_500 / 60) <= 1.02
    assert app.stats.most_within(1.0) <= 1_500 / 60 + 3
