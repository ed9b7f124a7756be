"""Stops a run in its middle, and reads what it wrote by then."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from tests.singer import Run, Tap, environment, parse
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from sandbox.simulator import Moment, Simulator


def stopped(app: Simulator, tap: Tap, answers: int, number: int = signal.SIGKILL, **how: Any) -> Run:  # noqa: ANN401 - as the command takes it
    """Run until so many answers were given, then send a signal.

    What is written is read at once, less a line that a killed process did not finish: a target ignores that.
    """
    app.stats.reset()
    sent: list[int] = []

    def interrupt(moment: Moment) -> None:
        # The run has asked for this answer, so it is there, and `process` is set: its first request waits for it.
        if moment.when == "before" and app.stats.requests >= answers and not sent:
            sent.append(number)
            process.send_signal(number)

    command = tap.command(**how)
    reading, writing = os.pipe()
    with (tap.folder / "stopped.log").open("wb") as log, os.fdopen(reading, "rb") as output:
        process = WarmRun(command, environment(measured=number != signal.SIGKILL), writing, log.fileno())
        os.close(writing)
        end = app.on_answer(interrupt)
        text = output.read()
        process.shown(text)
        code = process.wait(60)
        process.close()
        end()
    return parse(text[: text.rfind(b"\n") + 1], code, (tap.folder / "stopped.log").read_text())
