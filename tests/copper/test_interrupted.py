"""Killed, terminated or blocked: what was written is whole, and the next run goes on from the last STATE."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import Shape, copper_app
from sandbox.server import running
from tests.copper.conftest import PLAIN, SMALL, config_of
from tests.copper.killing import stopped
from tests.copper.truth import expected
from tests.singer import Run, SelectiveTap, environment, merged, only, parse
from tests.truth import compared
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.copper import CopperSandbox
    from sandbox.simulator import Moment
    from tests.singer import Key, Record, Tap

STREAMS = ("people", "companies", "activities")
#: More than a window of people, so that a run has a bookmark in the middle of them.
SHAPE = {"people": 5_400, "activities": 450}
#: As many answers as a run of these streams has, at least.
ANSWERS = 32


@dataclass
class Account:
    """An account that no test changes.

    Attributes:
        app: it.
        url: where it is served.
        truth: the records of each stream.
    """

    app: CopperSandbox
    url: str
    truth: dict[str, dict[Key, Record]]

    def assert_loaded(self, first: Run, second: Run) -> None:
        """A target that took both runs holds the truth."""
        if not first.schemas.keys() >= set(STREAMS):  # it did not even get to its SCHEMA
            first = Run(first.code, first.log, [*second.schemas.values(), *first.messages])
        for stream in STREAMS:
            assert compared(self.truth[stream], merged(stream, first, second)) == {}, stream


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """Serve the account."""
    app = copper_app(Shape(**{**SMALL, **PLAIN, **SHAPE}), rate_limit=0)
    with running(app) as url:
        yield Account(app, url, {stream: expected(app.world, stream) for stream in STREAMS})


@pytest.fixture
def tap(account: Account, tmp_path: Path, catalog: dict[str, Any], unmeasured: None) -> Tap:  # noqa: ARG001 - the tap runs elsewhere
    """Give a tap for it."""
    account.app.stats.reset()
    raw = {**config_of(account.url), "custom_fields": "raw"}
    return SelectiveTap(tmp_path, only(catalog, *STREAMS, "sync_audit"), **raw)


@pytest.mark.parametrize("place", range(10))
def test_a_killed_run_and_the_next_one_load_everything(account: Account, tap: Tap, place: int) -> None:
    """SIGKILL at ten places of the run; the target has what was written, the state is the last STATE in it."""
    first = stopped(account.app, tap, 1 + place * ANSWERS // 10)
    assert first.code == -signal.SIGKILL
    account.assert_loaded(first, tap.sync(state=first.state))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_writes_the_state_and_says_so_by_the_exit_code(
    account: Account, tap: Tap, number: int, code: int
) -> None:
    """The last line is a STATE; together with the next run everything is there."""
    sent: list[int] = []

    def interrupt(moment: Moment) -> None:
        if moment.when == "before" and account.app.stats.requests >= 20 and not sent:
            sent.append(number)
            os.kill(process.pid, number)

    end = account.app.on_answer(interrupt)
    process = subprocess.Popen(tap.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    output, log = process.communicate(timeout=60)
    end()
    assert process.returncode == code, log.decode()[-2000:]
    first = parse(output)
    assert first.messages[-1]["type"] == "STATE"
    assert first.count("people") < 5_400
    account.assert_loaded(first, tap.sync(state=first.state))


class Blocked:
    """A run that stands still, since nobody reads what it writes.

    Args:
        command: its command line.
        log: a file for its log.

    Attributes:
        process: it.
        output: the pipe, which is full.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        reading, writing = os.pipe()
        self.output = os.fdopen(reading, "rb")
        with log.open("wb") as file:
            self.process = WarmRun(command, environment(), writing, file.fileno())
        self._until(lambda: not select.select([], [writing], [], 0)[1])
        os.close(writing)

    def terminate(self) -> None:
        """Send SIGTERM, and wait until the run has taken note of it: two at once are one."""
        self.process.send_signal(signal.SIGTERM)
        self._until(lambda: "SIGTERM" in self._log.read_text())

    @staticmethod
    def _until(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def blocked(tap: Tap) -> Iterator[Blocked]:
    """Give a run whose target does not read."""
    run = Blocked(tap.command(), tap.folder / "blocked.log")
    with run.output:
        yield run
    run.process.close()


def test_a_signal_while_the_target_does_not_read_still_ends_with_a_state(blocked: Blocked) -> None:
    """The pipe is full when SIGTERM comes; once the target reads on, it gets whole lines and the STATE."""
    blocked.terminate()
    with pytest.raises(TimeoutError):
        blocked.process.wait(0.3)
    output = blocked.output.read()
    assert blocked.process.wait(30) == 143
    assert parse(output).messages[-1]["type"] == "STATE"


def test_a_second_signal_ends_a_run_whose_target_never_reads_again(blocked: Blocked) -> None:
    """Nobody has to wait for a dead pipe."""
    blocked.terminate()
    blocked.process.send_signal(signal.SIGTERM)
    assert blocked.process.wait(10) == 143


def test_a_target_that_dies_ends_the_run_with_an_error(tap: Tap) -> None:
    """A closed pipe is no success."""
    process = subprocess.Popen(tap.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.stderr is not None
    log = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 1
    assert b"the target stopped reading" in log
