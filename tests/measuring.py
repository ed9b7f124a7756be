"""Switches the measurement of coverage in this process on and off: it doubles what the measured code takes."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.warm_tap import MEASURING

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def _coverage() -> Any:  # noqa: ANN401 - its type is that of a package that need not be there
    """Return what measures this process, if it is measured at all: it began before the first test."""
    coverage = sys.modules.get("coverage")
    return coverage.Coverage.current() if coverage else None


@contextmanager
def switched(*, on: bool) -> Iterator[None]:
    """Measure this process or not for a while; does nothing where the tests run without coverage."""
    coverage = _coverage()
    was_on = sys.gettrace() is not None
    if coverage is None or was_on == on:
        yield
        return
    _switch(coverage, on=on)
    try:
        yield
    finally:
        _switch(coverage, on=was_on)


def _switch(coverage: Any, *, on: bool) -> None:  # noqa: ANN401
    if not on:
        coverage.stop()
        return
    leave, variables = os._exit, {name: os.environ.get(name) for name in MEASURING}
    coverage.start()
    # Each start makes what ends a process, and what measures further ones, known once more: the first time is enough.
    os._exit = leave
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
