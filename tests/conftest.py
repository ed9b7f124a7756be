"""What all tests share."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

import pytest

from tests import in_process, measuring
from tests.repeating import Repeating

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from xdist.remote import Producer
    from xdist.scheduler import Scheduling


# A run's records are many objects and no garbage: looking through them again and again takes half of a test's time.
gc.set_threshold(100_000, 20, 100)


def pytest_configure(config: pytest.Config) -> None:
    """Have the process that tells of the run say how to repeat what failed."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Repeating(), "repeating")


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the coverage of some tests only, with the fixtures that they need: `tests.measuring` says of which."""
    with measuring.only_some(item.nodeid):
        return (yield)


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


@pytest.fixture(scope="session", autouse=True)
def _own_forms_of_logs() -> dict[logging.Handler, logging.Formatter | None]:
    """Return how pytest's handlers write lines before any fixture, of whatever scope, has run a command."""
    return {one: one.formatter for one in logging.getLogger().handlers}


@pytest.fixture(autouse=True)
def _forms_of_logs(_own_forms_of_logs: dict[logging.Handler, logging.Formatter | None]) -> Iterator[None]:
    """Put back how pytest's handlers write lines: a command in this process has them hide its secrets."""
    _put_back(_own_forms_of_logs)
    yield
    _put_back(_own_forms_of_logs)


def _put_back(forms: dict[logging.Handler, logging.Formatter | None]) -> None:
    for one, form in forms.items():
        one.formatter = form


@pytest.fixture
def unmeasured() -> Iterator[None]:
    """Measure no coverage of this process during a test, other than that of the tap's runs in it.

    Apart from these, only the sandbox and the test itself run here. Tracing them takes as long as running them, and
    tells nothing: only the tap and the target are measured.
    """
    with measuring.switched(on=False):
        yield
