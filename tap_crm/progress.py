"""Progress on a terminal: a line per stream, on stderr, only where that is a terminal."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

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
    """A live line per stream with its records, rate and time, and below how long the pacer waits.

    Args:
        waited: tells the seconds waited so far.
    """

    def __init__(self, waited: Callable[[], float]) -> None:
        from rich.console import Console  # noqa: PLC0415 - only where there is a terminal
        from rich.logging import RichHandler  # noqa: PLC0415
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        console = Console(stderr=True)
        self._waited = waited
        self._progress: Progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<24}"),
            TextColumn("{task.completed:>10,.0f} records"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[wait]}"),
            console=console,
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}
        root = logging.getLogger()
        root.handlers[:] = [RichHandler(console=console, show_path=False, markup=False)]
        self._progress.start()

    def begin(self, stream: str) -> None:
        """Add a line for the stream."""
        self._tasks[stream] = self._progress.add_task(stream, total=None, rate="", wait="")

    def advance(self, stream: str, records: int) -> None:
        """Count records that were written."""
        task = self._tasks.get(stream)
        if task is None:
            return
        self._progress.advance(task, records)
        speed = self._progress.tasks[task].speed
        rate = f"{speed:,.0f}/s" if speed else ""
        self._progress.update(task, rate=rate, wait=f"waited {self._waited():,.0f} s for the rate limit")

    def end(self, stream: str, *, complete: bool) -> None:
        """Mark the stream as finished."""
        task = self._tasks.get(stream)
        if task is not None:
            done = self._progress.tasks[task].completed
            self._progress.update(task, total=max(done, 1), completed=max(done, 1) if complete else done)

    def close(self) -> None:
        """Stop the live display."""
        self._progress.stop()


def make_progress(waited: Callable[[], float]) -> SilentProgress:
    """Return the progress that fits: live on a terminal, none elsewhere."""
    return TerminalProgress(waited) if sys.stderr.isatty() else SilentProgress()
