"""Progress on a terminal: a line per stream, on stderr, only where that is a terminal."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID


class SilentProgress:
    """Shows nothing: in a scheduled job, the log lines are enough."""

    def begin(self, stream: str) -> None:
        """Begin a stream."""

    def advance(self, stream: str, records: int) -> None:
        """Count records that were written."""

    def end(self, stream: str, *, complete: bool) -> None:
        """Finish a stream."""

    def close(self) -> None:
        """Leave the terminal as it should be."""


class TerminalProgress(SilentProgress):
    """A live line per stream with its records, rate and time, and how long the run has waited for the rate limit.

    Args:
        waited: tells the seconds waited so far.
    """

    def __init__(self, waited: Callable[[], float]) -> None:
        from rich.console import Console  # noqa: PLC0415 - only where there is a terminal
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        console = Console(stderr=True)
        self._waited = waited
        self._progress: Progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<21}"),
            TextColumn("{task.completed:>9,.0f} records"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[wait]}"),
            console=console,
            refresh_per_second=4,
            redirect_stdout=False,  # records go there
        )
        self._tasks: dict[str, TaskID] = {}
        self._stderr = sys.stderr
        self._progress.start()
        _move_logs(self._stderr, sys.stderr)  # which prints above the live lines now; redaction stays in place

    @override
    def begin(self, stream: str) -> None:
        """Add a line for the stream."""
        self._tasks[stream] = self._progress.add_task(stream, total=None, rate="", wait="")

    @override
    def advance(self, stream: str, records: int) -> None:
        """Count records that were written."""
        task = self._tasks.get(stream)
        if task is None:
            return
        self._progress.advance(task, records)
        speed = self._progress.tasks[task].speed
        rate = f"{speed:,.0f}/s" if speed else ""
        self._progress.update(task, rate=rate, wait=f"waited {self._waited():,.0f} s")

    @override
    def end(self, stream: str, *, complete: bool) -> None:
        """Mark the stream as finished."""
        task = self._tasks.get(stream)
        if task is None:
            return
        if complete:
            self._progress.update(task, total=self._progress.tasks[task].completed)
        else:
            self._progress.stop_task(task)
            self._progress.update(task, wait="[red]not complete")

    @override
    def close(self) -> None:
        """Stop the live display."""
        shown = sys.stderr
        self._progress.stop()
        _move_logs(shown, self._stderr)


def _move_logs(away_from: TextIO, to: TextIO) -> None:
    """Let the log handlers that write to one stream write to another one."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is away_from:
            handler.setStream(to)


def make_progress(waited: Callable[[], float]) -> SilentProgress:
    """Return the progress that fits: live on a terminal, none elsewhere."""
    return TerminalProgress(waited) if sys.stderr.isatty() else SilentProgress()
