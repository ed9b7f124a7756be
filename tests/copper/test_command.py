"""A run forked from a warm process, or in the test's own, is the command: output, exit codes, signals, coverage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from tests import warm_tap
from tests.copper.conftest import FEW
from tests.singer import Run, Tap, environment, parse
from tests.started import run as run_program

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.simulator import Moment
    from tests.copper.conftest import Start

pytestmark = pytest.mark.skipif(not warm_tap.POSSIBLE, reason="every run is the real command here")
COMMAND = [sys.executable, "-m", "tap_crm"]


def lines(run: Run) -> list[str]:
    """Return the messages without what differs from run to run, in any order."""
    return sorted(
        json.dumps(
            {name: value for name, value in message.items() if name not in ("time_extracted", "version")}, default=str
        )
        for message in run.messages
        if message["type"] != "STATE" and message.get("stream") != "sync_audit"
    )


def test_a_run_writes_what_the_command_writes(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record, the catalog, the exit code."""
    for name in warm_tap.MEASURING:  # other tests measure the same
        monkeypatch.delenv(name, raising=False)
    _, tap = start({**FEW, "people": 210})
    cold = Tap(tap.folder, **tap.config)
    cold.warm = False
    expected, catalog = lines(cold.sync()), cold.discover()[0]
    for tap.inside in (False, True):
        assert lines(tap.sync()) == expected
        assert tap.discover()[0] == catalog


@pytest.mark.parametrize("arguments", [["--bogus"], ["--config", "no-such-file.json"]], ids=" ".join)
def test_the_command_line_answers_as_the_command_does(arguments: list[str]) -> None:
    """Byte by byte, errors and exit codes too; log lines but for their time."""
    command = [*COMMAND, *arguments]
    warm = warm_tap.execute(command, environment(), 60)
    cold = run_program(command, variables=environment(measured=False))
    assert (warm.returncode, warm.stdout) == (cold.returncode, cold.stdout)
    assert _without_time(warm.stderr) == _without_time(cold.stderr)


def _without_time(log: bytes) -> list[str]:
    return [line.partition(" | ")[2] or line for line in log.decode().splitlines()]


@pytest.mark.parametrize("inside", [False, True])
def test_nothing_is_left_for_the_next_run(
    start_some: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, inside: bool
) -> None:
    """Neither the environment nor the folder, the logging or what was read."""
    _, tap = start_some(("people",), {"people": 210})
    tap.inside = inside
    before = tap.sync()
    monkeypatch.setenv("LOGLEVEL", "DEBUG")
    monkeypatch.chdir(tmp_path)
    assert "| DEBUG " in tap.sync().log
    monkeypatch.undo()
    after = tap.sync()
    assert "| DEBUG " not in after.log
    assert lines(after) == lines(before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_reaches_the_run(start_some: Start, number: int, code: int) -> None:
    """By its process id, as the real command."""
    app, tap = start_some(("people",), {"people": 400}, page_cap=20, latency_ms=20)

    def interrupt(moment: Moment) -> None:
        if moment.when == "after" and moment.request.number == 15:
            run.send_signal(number)

    app.on_answer(interrupt)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as log:
        run = warm_tap.WarmRun(tap.command(), environment(), output.fileno(), log.fileno())
        assert run.wait(60) == code
        run.close()
        output.seek(0)
        written = output.read()
    if number != signal.SIGKILL:
        assert parse(written).messages[-1]["type"] == "STATE"


def test_a_run_that_takes_too_long_is_killed(start_some: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one is none the worse."""
    app, tap = start_some(("people",), {"people": 5}, latency_ms=1_000)
    tap.inside = False
    begun: list[warm_tap.WarmRun] = []

    class Noted(warm_tap.WarmRun):
        def __init__(self, *arguments: Any) -> None:  # noqa: ANN401
            super().__init__(*arguments)
            begun.append(self)

    monkeypatch.setattr(warm_tap, "WarmRun", Noted)
    with pytest.raises(subprocess.TimeoutExpired):
        tap.call(tap.command(), timeout=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0].pid, 0)
    app.behaviour.latency_ms = 0
    assert tap.sync().count("people") > 0


def test_a_run_is_measured_where_the_environment_asks_for_it(tmp_path: Path) -> None:
    """Its own data file, with the lines that it ran."""
    coverage = pytest.importorskip("coverage")
    settings = tmp_path / "coveragerc"
    settings.write_text(
        f"[run]\nbranch = true\nsource = tap_crm\nparallel = true\ndata_file = {tmp_path / 'measured'}\n"
    )
    plain = {name: value for name, value in environment().items() if name not in warm_tap.MEASURING}
    warm_tap.execute([*COMMAND, "--version"], plain, 60)
    assert not list(tmp_path.glob("measured*"))
    warm_tap.execute([*COMMAND, "--version"], {**plain, "COVERAGE_PROCESS_START": str(settings)}, 60)
    (file,) = tmp_path.glob("measured*")
    data = coverage.CoverageData(str(file))
    data.read()
    assert data.has_arcs()
    assert any(name.endswith("__main__.py") for name in data.measured_files())
