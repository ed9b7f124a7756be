"""Killed, terminated or blocked: what was written is whole, and the next run goes on from the last STATE."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.copper.truth import SEARCHED, differences
from tests.singer import Run, environment, merged, parse

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.copper.conftest import Start

SHAPE = {"people": 5_400, "activities": 1_000}
COMPARED = ("people", "companies", "activities")
#: About as many answers as a run of this account has.
ANSWERS = 75


def whole_lines(output: bytes) -> bytes:
    """Return the output without a line that a killed process did not finish: a target ignores that."""
    return output[: output.rfind(b"\n") + 1]


@pytest.mark.parametrize("place", range(10))
def test_a_killed_run_and_the_next_one_load_everything(start: Start, place: int) -> None:
    """SIGKILL at ten places of the run; the target has what was written, the state is the last STATE in it."""
    app, tap = start(SHAPE, latency_ms=3)
    output = tap.folder / "killed.jsonl"
    with output.open("wb") as file:
        process = subprocess.Popen(
            tap.command(), stdout=file, stderr=subprocess.DEVNULL, env=environment(measured=False)
        )
        deadline = time.monotonic() + 60
        while app.stats.requests < 3 + place * (ANSWERS // 10) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.kill()
        process.wait()
    first = parse(whole_lines(output.read_bytes()))
    second = tap.sync(state=first.state)
    for stream in COMPARED:
        assert differences(app.world, stream, merged(stream, *_with_schemas(first, second))) == {}, stream


def _with_schemas(first: Run, second: Run) -> tuple[Run, ...]:
    """Leave a first run out that did not even get to its SCHEMA."""
    return (first, second) if first.schemas.keys() >= set(SEARCHED) else (_padded(first, second), second)


def _padded(first: Run, second: Run) -> Run:
    return Run(first.code, first.log, [*second.schemas.values(), *first.messages])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_writes_the_state_and_says_so_by_the_exit_code(start: Start, number: int, code: int) -> None:
    """The last line is a STATE; together with the next run everything is there."""
    app, tap = start(SHAPE, latency_ms=20)
    sent: list[int] = []

    def interrupt(moment: Moment) -> None:
        if moment.when == "after" and moment.request.number >= 40 and not sent:
            sent.append(number)
            os.kill(process.pid, number)

    app.on_answer(interrupt)
    process = subprocess.Popen(tap.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    output, log = process.communicate(timeout=60)
    assert process.returncode == code, log.decode()[-2000:]
    first = parse(output)
    assert first.messages[-1]["type"] == "STATE"
    second = tap.sync(state=first.state)
    for stream in COMPARED:
        assert differences(app.world, stream, merged(stream, *_with_schemas(first, second))) == {}, stream


def test_a_signal_while_the_target_does_not_read_still_ends_with_a_state(start: Start) -> None:
    """The pipe is full when SIGTERM comes; once the target reads on, it gets whole lines and the STATE."""
    app, tap = start(SHAPE)
    process = subprocess.Popen(tap.command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment())
    assert process.stdout is not None
    quiet = 0
    before = -1
    while quiet < 10:  # until the tap stands still, since nobody reads
        time.sleep(0.2)
        quiet = quiet + 1 if app.stats.requests == before and before > 0 else 0
        before = app.stats.requests
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None
    output = process.stdout.read()
    assert process.wait(timeout=30) == 143
    process.stdout.close()
    run = parse(output)
    assert run.messages[-1]["type"] == "STATE"


def test_a_second_signal_ends_a_run_whose_target_never_reads_again(start: Start) -> None:
    """Nobody has to wait for a dead pipe."""
    app, tap = start(SHAPE)
    process = subprocess.Popen(tap.command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment())
    before = -1
    while app.stats.requests != before or before < 1:
        before = app.stats.requests
        time.sleep(1)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 143
    assert process.stdout is not None
    process.stdout.close()


def test_a_target_that_dies_ends_the_run_with_an_error(start: Start) -> None:
    """A closed pipe is no success."""
    _, tap = start(SHAPE)
    process = subprocess.Popen(tap.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.stderr is not None
    log = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 1
    assert b"the target stopped reading" in log
