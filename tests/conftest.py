"""What all tests share."""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

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


#: Tests of a file whose runs are measured.
MEASURED = 7
_SEEN: defaultdict[str, set[str]] = defaultdict(set)


@pytest.fixture(autouse=True)
def _measure_some_runs(request: pytest.FixtureRequest) -> None:
    """Measure the coverage of processes that the first tests of each file start, and of these the first case.

    Measuring doubles what a run takes. Of all lines and branches that runs reach, 99 % are reached by these and by the
    tests with `measured_runs`: further ones ask more of the same code, and unit tests are measured anyway.
    """
    if "unmeasured_runs" in request.fixturenames:
        return
    test = request.node.nodeid.partition("[")[0]
    seen = _SEEN[test.partition("::")[0]]
    enough = len(seen) >= MEASURED and "measured_runs" not in request.fixturenames
    if test in seen or enough:
        request.getfixturevalue("unmeasured_runs")
    else:
        seen.add(test)


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
