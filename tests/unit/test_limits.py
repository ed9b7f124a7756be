"""A refusal counts as the pacer's fault unless a stall explains it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.limits import RUNS, none_refused
from tests.singer import Run, Tap
from tests.stalls import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.simulator import Simulator

#: No stall is longer, and each is.
NO_STALL_EXPLAINS, EACH_EXPLAINS = 3_600.0, 0.0


class App:
    """Stands in for a sandbox whose runs are refused so many of 100 requests."""

    def __init__(self, *refused: int) -> None:
        self.left = list(refused)
        self.stats: Any = SimpleNamespace(reset=lambda: None, refused=0, requests=100)

    def forget_limits(self) -> None:
        """Nothing to forget."""

    def sync(self) -> Run:
        """Return a run, in which the process stands still for a moment."""
        self.stats.refused = self.left.pop(0)
        time.sleep(0.02)
        return Run(0, "", [])


def judged(app: Any, folder: Path, slack: float) -> Run:  # noqa: ANN401 - the double stands in for a `Simulator`
    """Return what the judgement of a sandbox's runs is."""
    sandbox: Simulator = app
    return none_refused(sandbox, Tap(folder), slack, app.sync)


def test_a_run_without_a_refusal_counts_whatever_stood_still(tmp_path: Path) -> None:
    """The first one is enough."""
    app = App(0)
    judged(app, tmp_path, EACH_EXPLAINS)
    assert app.left == []


def test_a_refusal_without_a_stall_is_a_fault(tmp_path: Path) -> None:
    """It is not repeated."""
    with pytest.raises(AssertionError, match="1 of 100 refused"):
        judged(App(1, 0), tmp_path, NO_STALL_EXPLAINS)


def test_a_refusal_with_a_stall_is_asked_about_again(tmp_path: Path) -> None:
    """The next run counts."""
    app = App(1, 0, 1)
    judged(app, tmp_path, EACH_EXPLAINS)
    assert app.left == [1]


def test_many_refusals_are_a_fault_whatever_stood_still(tmp_path: Path) -> None:
    """A stall explains a few."""
    with pytest.raises(AssertionError, match="too many for a stall"):
        judged(App(6, 0), tmp_path, EACH_EXPLAINS)


def test_a_machine_that_always_stands_still_skips_the_test(tmp_path: Path) -> None:
    """By name, with the stall that was measured."""
    with pytest.raises(pytest.skip.Exception, match=r"\d\.\d{3} s$"):
        judged(App(*[1] * RUNS), tmp_path, EACH_EXPLAINS)


def test_a_stall_is_measured() -> None:
    """Python code that does not let other threads run is one."""
    with Watch() as watch:
        time.sleep(0.02)
        began = time.monotonic()
        while time.monotonic() - began < 0.3:
            sum(range(2_000_000))  # one call, in which no other thread gets a turn
    assert watch.longest > 0.005
