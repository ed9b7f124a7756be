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
    "leads": 60,
    "contacts": 40,
    "opportunities": 40,
    "tasks": 30,
    "activities": {"emails": 30, "notes": 24},
    "events": 20,
    "custom_fields": 3,
}
FEW = {**SHAPE, "leads": 15, "contacts": 10, "opportunities": 10, "tasks": 10, "activities": 60}
#: Small ones, so that a small account has many.
PAGES = {"activity": 5, "data/search": 5, "opportunity": 5, "task": 5}
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
        app.account.edit(stream, count=20)
    app.stats.reset()
    app.behaviour.latency_ms = 3
    second = killed(tap, app, 20, state=first.state)
    third = tap.sync(state=second.state or first.state)
    assert_complete(app, first, second, third)


#: What may be forbidden, and the stream that is read from it.
RESOURCES = {"task": "tasks", "activity/call": "calls", "group": "groups", "export": "exports"}


@pytest.mark.parametrize("forbidden", [RESOURCES, {"event": "events"}], ids=["lists", "the event log"])
def test_a_forbidden_stream_that_the_catalog_selects_fails_by_name(
    start_some: Start, forbidden: dict[str, str]
) -> None:
    """Exit code 1; the others are complete."""
    compared = (*COMPARED, "users")
    app, tap = start_some((*compared, "calls", "events", "groups", "exports"), FEW, forbidden=[*forbidden])
    run = tap.sync(expect=1)
    audit = run.audit()
    (last,) = [line for line in run.log.splitlines() if "are not complete: " in line]
    named = last.partition("are not complete: ")[2].partition(".")[0]
    assert sorted(named.split(", ")) == sorted(forbidden.values())
    for stream in forbidden.values():
        assert "403" in audit[stream]["error"], stream
    for other in compared:
        if other not in forbidden.values():
            assert differences(app.account, other, merged(other, run)) == {}, other
            assert audit[other]["complete"], other
