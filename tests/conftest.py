"""What all tests share."""

from __future__ import annotations

import gc
import logging
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from tests import in_process, measuring
from tests.warm_tap import MEASURING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer
    from xdist.scheduler import Scheduling


# A run's records are many objects and no garbage: looking through them again and again takes half of a test's time.
gc.set_threshold(100_000, 20, 100)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest where several workers share the tests."""
    if config.pluginmanager.hasplugin("xdist"):
        from tests.distribution import ordered  # noqa: PLC0415 - the tests run without xdist too

        items[:] = ordered(items, lambda item: item.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Share the tests as `tests.distribution` says."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.distribution import Distribution  # noqa: PLC0415 - the tests run without xdist too

    return Distribution(config, log)


@pytest.fixture(autouse=True)
def _handlers_of_signals() -> Iterator[None]:
    """Put back what SIGINT and SIGTERM do: a tap or a target that is made in this process sets them to its own."""
    with in_process.signal_handlers():
        yield


@pytest.fixture(autouse=True)
def _level_of_logs() -> Iterator[None]:
    """Put back how much is logged: each command that is called in this process says that anew."""
    log = logging.getLogger("tap-crm")
    level = log.level
    yield
    log.setLevel(level)


#: Tests of a file whose runs are measured.
MEASURED = 3
#: Cases of a test during which the pytest process itself is measured.
MEASURED_CASES = 3
_SEEN: defaultdict[str, set[str]] = defaultdict(set)
_CASES: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def _measure_some_cases(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure the coverage of this process during the first cases of each test, and of its runs in fewer of them.

    Measuring doubles what a test takes. Further cases of a test ask more of the same code, and so do the runs of
    further tests of a file: of all lines and branches that runs reach, nearly all are reached by the first ones, by
    those with `measured_runs`, and by the tests that call the code without a run.
    """
    test = request.node.nodeid.partition("[")[0]
    _CASES[test] += 1
    if "unmeasured_runs" not in request.fixturenames:
        seen = _SEEN[test.partition("::")[0]]
        enough = len(seen) >= MEASURED and "measured_runs" not in request.fixturenames
        if test in seen or enough:
            request.getfixturevalue("unmeasured_runs")
        else:
            seen.add(test)
    if _CASES[test] <= MEASURED_CASES:
        yield
        return
    with measuring.switched(on=False):
        yield


@pytest.fixture
def measured_runs() -> None:
    """Measure the runs of a test's first case, however many tests of its file came before."""


@pytest.fixture
def unmeasured_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not measure the coverage of a test's runs: they are long, and shorter ones reach the same lines."""
    for name in MEASURING:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def unmeasured() -> Iterator[None]:
    """Do not measure the coverage of this process during a test; of the runs of the tap, as ever.

    Apart from these, only the sandbox and the test itself run here. Tracing them takes as long as running them, and
    tells nothing: only the tap and the target are measured.
    """
    with measuring.switched(on=False):
        yield
