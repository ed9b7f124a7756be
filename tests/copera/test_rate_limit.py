"""Limits hold for each route: they are learned from the answers, and every way of saying "wait" is honoured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.copera.conftest import choosing
from tests.copera.truth import table_differences
from tests.limits import none_refused, slack_of
from tests.target import Target

if TYPE_CHECKING:
    from tests.copera.conftest import Start

#: Fourteen tables and forty rows: more questions on the busiest routes than a window admits.
SHAPE = {"boards": 3, "tables": 14, "rows": 120}
WAITS: dict[str, dict[str, Any]] = {
    "the body's retryAfter": {"limit_body": "retryAfter", "rate_headers": False},
    "a header in seconds": {"limit_body": "code", "reset_form": "delta"},
    "a header as an epoch": {"limit_body": "code", "reset_form": "epoch"},
    "Retry-After in seconds": {"limit_body": "code", "rate_headers": False, "retry_after": "seconds"},
    "Retry-After as a date": {"limit_body": "code", "rate_headers": False, "retry_after": "date"},
}


@pytest.mark.parametrize("how", WAITS)
def test_a_429_is_waited_out_as_long_as_it_says(start: Start, how: str) -> None:
    """Without pacing, so that there are some: after one 429 on a route, nothing is asked there before its time."""
    app, tap = start(SHAPE, rate_limit=6, rate_window=1.0, **WAITS[how])
    tap.config["requests_per_minute"] = 0
    run = tap.sync()
    assert table_differences(app.account, run, Target(run)) == {}
    # One window of rows admits six: the fifteen tables need three, and whoever was under way may be refused.
    assert app.stats.refused <= 4 * 3
    audit = run.audit().values()
    assert sum(row["rate_limited"] for row in audit) <= app.stats.refused
    assert app.most_per_route(0.99)["board/{boardId}/table/{tableId}/rows"] <= 6 + 4


@pytest.mark.parametrize(
    "knobs", [{"reset_form": "epoch"}, {"reset_form": "delta"}, {"window_start": "clock"}], ids=str
)
def test_paced_requests_meet_no_limit(start: Start, knobs: dict[str, Any]) -> None:
    """Zero 429s, on every route by itself."""
    app, tap = start(SHAPE, rate_limit=10, rate_window=1.0, **knobs)
    tap.config["requests_per_minute"] = 580
    run = none_refused(app, tap, slack_of(10, 1.0), tap.sync)
    assert table_differences(app.account, run, Target(run)) == {}
    assert sum(row["rate_limited"] for row in run.audit().values()) == 0


def test_routes_do_not_wait_for_each_other(start: Start) -> None:
    """Texts of rows, texts of cells and comments are three routes: together they take as long as one."""
    app, tap = start({"boards": 1, "tables": 4, "rows": {"Leads": 40, "Companies": 2}}, rate_limit=20, rate_window=1.0)
    catalog = choosing(tap, "row_comments", "row_descriptions", "rich_text_cells")
    del tap.config["requests_per_minute"]
    run = none_refused(app, tap, slack_of(20, 1.0), lambda: tap.sync(catalog=catalog))
    arrived = [one.arrived for one in app.stats.log]
    asked = len(arrived)
    assert asked > 120
    assert max(arrived) - min(arrived) < asked / 10 * 0.75  # ten a second on one route would take much longer
    assert len(run.keys("row_descriptions")) == len(app.account.records("row_descriptions"))
