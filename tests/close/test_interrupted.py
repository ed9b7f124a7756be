"""Killed, terminated or blocked: what was written is whole, and the next run goes on from the last STATE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.close.killing import killed
from tests.close.truth import CHANGING, differences
from tests.singer import merged
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from tests.close.conftest import Start
    from tests.singer import Run

SHAPE: dict[str, Any] = {
    "leads": 180,
    "contacts": 120,
    "opportunities": 120,
    "tasks": 90,
    "activities": {"emails": 90, "notes": 70},
    "events": 40,
    "custom_fields": 3,
}
FEW = {**SHAPE, "leads": 40, "contacts": 30, "opportunities": 30, "tasks": 30, "activities": 120}
#: Small ones, so that a small account has many.
PAGES = {"activity": 15, "data/search": 15, "opportunity": 15, "task": 15}
#: One of each way in which streams are read.
COMPARED = (*CHANGING, "emails", "notes")


def assert_complete(app: CloseSandbox, *runs: Run) -> None:
    """What the runs wrote together is the truth; what the log told of as deleted is marked."""
    target = Target(*runs)
    for stream in COMPARED:
        assert differences(app.account, stream, target.living(stream)) == {}, stream


def test_a_killed_incremental_run_and_the_next_one_load_every_change(start_some: Start) -> None:
    """Also what the event log told, and was still to be asked for by id."""
    app, tap = start_some(COMPARED, SHAPE, limit_caps=PAGES)
    first = tap.sync()
    for stream in COMPARED:
        app.account.edit(stream, count=60)
    app.stats.reset()
    app.behaviour.latency_ms = 3
    second = killed(tap, app, 20, state=first.state)
    third = tap.sync(state=second.state or first.state)
    assert_complete(app, first, second, third)


@pytest.mark.parametrize(
    ("resource", "stream"),
    [("task", "tasks"), ("activity/call", "calls"), ("event", "events"), ("group", "groups"), ("export", "exports")],
)
def test_a_forbidden_stream_that_the_catalog_selects_fails_by_name(
    start_some: Start, resource: str, stream: str
) -> None:
    """Exit code 1; the others are complete."""
    compared = (*COMPARED, "calls", "users")
    app, tap = start_some((*compared, "events", "groups", "exports"), FEW, forbidden=[resource])
    run = tap.sync(expect=1)
    assert f"streams are not complete: {stream}." in run.log
    assert "403" in run.audit()[stream]["error"]
    for other in compared:
        if other != stream:
            assert differences(app.account, other, merged(other, run)) == {}, other
            assert run.audit()[other]["complete"], other
