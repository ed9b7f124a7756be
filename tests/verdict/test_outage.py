"""A CRM that is down is waited for once, whatever the number of streams."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.faults import Kind
    from tests.verdict.conftest import Start

PATIENCE = 3
STREAMS = {
    "copper": ("account", "pipelines", "people", "companies", "leads", "tasks", "activities", "users", "webhooks"),
    "close": (
        "leads",
        "contacts",
        "opportunities",
        "tasks",
        "notes",
        "calls",
        "users",
        "roles",
        "outcomes",
        "webhooks",
    ),
    "copera": ("workspace", "members", "teams", "channels", "documents", "drive_files", "bookings", "notifications"),
}


@pytest.mark.parametrize(("crm", "kind"), [("copper", "503"), ("close", "html"), ("copera", "503")])
def test_a_run_without_any_answer_ends_after_the_time_for_retries(
    start: Start, catalogs: Callable[[str], dict[str, Any]], crm: str, kind: Kind
) -> None:
    """All streams of the CRM."""
    _, tap = start(crm, faults=[FaultRule([kind], every=1)])
    began = time.monotonic()
    run = tap.sync(catalog=catalogs(crm), expect=1, retry_seconds=PATIENCE)
    assert time.monotonic() - began < 3 * PATIENCE
    assert "Traceback" not in run.log


@pytest.mark.parametrize("crm", sorted(STREAMS))
def test_streams_that_were_complete_before_the_outage_stay_so(start: Start, crm: str) -> None:
    """The CRM goes down when the first answers of a run were given."""
    app, tap = start(crm, *STREAMS[crm])
    tap.sync()
    asked = app.stats.requests
    app.stats.reset()
    app.behaviour.faults = [FaultRule(["503"], at=list(range(asked // 2, 10_000)))]
    began = time.monotonic()
    run = tap.sync(expect=1, retry_seconds=PATIENCE)
    assert time.monotonic() - began < 3 * PATIENCE
    complete = [name for name, row in run.audit().items() if row["complete"]]
    assert complete
    assert len(complete) < len(STREAMS[crm])
    assert "the CRM has not answered anything" in run.log


def test_one_endpoint_that_is_down_costs_its_own_stream_only(start: Start) -> None:
    """However long it is waited for."""
    app, tap = start("copper", *STREAMS["copper"])
    app.behaviour.faults = [FaultRule(["503"], every=1, path="leads")]
    run = tap.sync(expect=1, retry_seconds=PATIENCE)
    assert [name for name, row in run.audit().items() if not row["complete"]] == ["leads"]
