"""Says at the end of a run how to repeat each test that failed: whoever reads the log has nothing else of that run.

A test that is one of several workers' may fail only after others of that worker, so these are named, too. What a
property test has found is in its report, with the line that repeats it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

#: The report of a property test ends with the line that repeats its example, whatever was random in it.
settings.register_profile("tests", print_blob=True)
settings.load_profile("tests")


class Repeating:
    """A plugin of pytest that keeps which tests failed, and what ran before them in the same process."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}
        self._failed: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a part of a test."""
        worker = str(getattr(report, "worker_id", ""))
        file = report.nodeid.partition("::")[0]
        files = self._files.setdefault(worker, [])
        if file not in files:
            files.append(file)
        if report.failed:
            self._failed.setdefault(report.nodeid, worker)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say it."""
        if self._failed:
            terminalreporter.section("to repeat what failed")
            for line in self.lines():
                terminalreporter.write_line(line)

    def lines(self) -> Iterator[str]:
        """Yield a command for each test that failed, and one for each worker that had some."""
        for nodeid in self._failed:
            yield f"./scripts/run python -m pytest --no-cov {shlex.quote(nodeid)}"
        for worker in sorted({*self._failed.values()} - {""}):
            last = [nodeid.partition("::")[0] for nodeid, own in self._failed.items() if own == worker][-1]
            files = self._files[worker]
            before = files[: files.index(last) + 1]
            if len(before) > 1:
                yield f"if it passes alone, after what {worker} had run before it:"
                yield f"./scripts/run python -m pytest --no-cov {shlex.join(before)}"
