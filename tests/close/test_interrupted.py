"""Killed, terminated or blocked: what was written is whole, and the next run goes on from the last STATE."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close import API_KEY, SECOND_KEY
from tests.close.killing import killed
from tests.close.truth import CHANGING, differences
from tests.singer import environment, merged, parse
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
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
#: About as many answers as a run of this account has.
ANSWERS = 60
#: Small ones, so that a small account has many.
PAGES = {"activity": 15, "data/search": 15, "opportunity": 15, "task": 15}
#: One of each way in which streams are read.
COMPARED = (*CHANGING, "emails", "notes")


def assert_complete(app: CloseSandbox, *runs: Run) -> None:
    """What the runs wrote together is the truth; what the log told of as deleted is marked."""
    target = Target(*runs)
    for stream in COMPARED:
        assert differences(app.world, stream, target.living(stream)) == {}, stream


@pytest.mark.parametrize("place", range(10))
def test_a_killed_run_and_the_next_one_load_everything(start_some: Start, place: int) -> None:
    """SIGKILL at ten places of the run; the target has what was written, the state is the last STATE in it."""
    app, tap = start_some(COMPARED, SHAPE, limit_caps=PAGES, latency_ms=3)
    first = killed(tap, app, 3 + place * (ANSWERS // 10))
    second = tap.sync(state=first.state)
    assert_complete(app, first, second)


def test_a_killed_incremental_run_and_the_next_one_load_every_change(start_some: Start) -> None:
    """Also what the event log told, and was still to be asked for by id."""
    app, tap = start_some(COMPARED, SHAPE, limit_caps=PAGES)
    first = tap.sync()
    for stream in COMPARED:
        app.world.edit(stream, count=60)
    app.stats.reset()
    app.behaviour.latency_ms = 3
    second = killed(tap, app, 20, state=first.state)
    third = tap.sync(state=second.state or first.state)
    assert_complete(app, first, second, third)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_writes_the_state_and_says_so_by_the_exit_code(start_some: Start, number: int, code: int) -> None:
    """The last line is a STATE; together with the next run everything is there."""
    app, tap = start_some(COMPARED, SHAPE, limit_caps=PAGES, latency_ms=10)
    sent: list[int] = []

    def interrupt(moment: Moment) -> None:
        if moment.when == "after" and moment.request.number >= 30 and not sent:
            sent.append(number)
            os.kill(process.pid, number)

    app.on_answer(interrupt)
    process = subprocess.Popen(tap.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    output, log = process.communicate(timeout=60)
    assert process.returncode == code, log.decode()[-2000:]
    first = parse(output)
    assert first.messages[-1]["type"] == "STATE"
    second = tap.sync(state=first.state)
    assert_complete(app, first, second)


def test_a_key_revoked_mid_run_ends_it_and_the_next_run_completes(start_some: Start) -> None:
    """Exit code 1 at once, nothing more is asked; a good key and the state bring the rest."""
    app, tap = start_some(COMPARED, SHAPE, limit_caps=PAGES)
    app.revoke(API_KEY, after=25)
    first = tap.sync(expect=1)
    assert "refused the credentials (401)" in first.log
    assert API_KEY not in first.log
    assert app.stats.requests <= 25 + 12  # what was under way when the key was revoked
    second = tap.sync(state=first.state, api_key=SECOND_KEY)
    assert_complete(app, first, second)


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
            assert differences(app.world, other, merged(other, run)) == {}, other
            assert run.audit()[other]["complete"], other


def test_without_a_catalog_a_forbidden_stream_is_left_out(start: Start) -> None:
    """The plan or the role does not have it: that is no error."""
    app, tap = start(FEW, forbidden=["dialer", "activity/sms"])
    run = tap.sync()
    assert "stream `dialers` is left out" in run.log
    assert not {"dialers", "sms"} & run.audit().keys()
    assert differences(app.world, "leads", merged("leads", run)) == {}
