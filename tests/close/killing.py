"""Kills a run in its middle, and reads what it wrote by then."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from tests.singer import Run, Tap, environment, parse
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox


def whole_lines(output: bytes) -> bytes:
    """Return the output without a line that a killed process did not finish: a target ignores that."""
    return output[: output.rfind(b"\n") + 1]


def _has_ended(run: WarmRun) -> bool:
    try:
        run.wait(0.002)
    except TimeoutError:
        return False
    return True


def killed(tap: Tap, app: CloseSandbox, answers: int, **how: Any) -> Run:  # noqa: ANN401 - as the command takes it
    """Run until so many requests arrived, then kill."""
    output = tap.folder / "killed.jsonl"
    with output.open("wb") as file, (tap.folder / "killed.log").open("wb") as log:
        run = WarmRun(tap.command(**how), environment(measured=False), file.fileno(), log.fileno())
        while app.stats.requests < answers and not _has_ended(run):
            pass
        run.send_signal(signal.SIGKILL)
        assert run.wait(60) in (0, -signal.SIGKILL)
        run.close()
    while app.stats.in_flight:  # what it asked for last has its effect, though nobody takes the answer
        time.sleep(0.002)
    return parse(whole_lines(output.read_bytes()))
