"""What all tests share."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from tests.warm_tap import MEASURING

if TYPE_CHECKING:
    from collections.abc import Iterator


# A run's records are many objects and no garbage: looking through them again and again takes half of a test's time.
gc.set_threshold(100_000, 20, 100)


_SEEN: set[str] = set()


@pytest.fixture(autouse=True)
def _measure_runs_of_first_cases(request: pytest.FixtureRequest) -> None:
    """Measure the coverage of processes that the first case of each test starts, not of those of its other cases.

    Measuring doubles what a run takes, and further cases reach few lines that the first one and unit tests do not.
    """
    test = request.node.nodeid.partition("[")[0]
    if test in _SEEN:
        request.getfixturevalue("unmeasured_runs")
    _SEEN.add(test)


@pytest.fixture
def unmeasured_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not measure the coverage of a test's runs: they are long, and shorter ones reach the same lines."""
    for name in MEASURING:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def unmeasured() -> Iterator[None]:
    """Do not measure the coverage of this process during a test; of the processes that it starts, as ever.

    Where the tap runs in processes of its own, only the sandbox and the test itself run here. Tracing them takes as
    long as running them, and tells nothing: `tap_crm` alone is measured.
    """
    coverage = sys.modules.get("coverage")
    measuring = coverage.Coverage.current() if coverage else None
    if measuring is None:
        yield
        return
    measuring.stop()
    yield
    measuring.start()
