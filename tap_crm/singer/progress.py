"""How far a run is: one live display on a terminal, elsewhere a line of the log for each stream that takes time."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Protocol, TextIO

from typing_extensions import override

from tap_crm.config.redaction import redacted
from tap_crm.singer.rate import Rate, in_words
from tap_crm.singer.terminal import is_capable, is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType
    from rich.table import Table

_log = logging.getLogger("tap-crm")

#: A stream that takes no longer, in seconds, has its line in the table at the end only.
WORTH_A_LINE = 1.0
#: Seconds until a stream that goes on says so; each time after twice as long, but no longer than the last.
FIRST_WORD, LONGEST_SILENCE = 60.0, 600.0
#: Lines of streams that are shown at a time: those that were finished last, and the present one.
LINES = 12


class Sight(Protocol):
    """What is known of all that is read, beside the records that arrive."""

    def heading(self) -> str:
        """Return one line on the whole."""

    def total(self, stream: str) -> int | None:
        """Return how many records there are of a stream; None where that is not known."""

    def requests(self, stream: str) -> int:
        """Return how many requests were sent for a stream."""

    def waiting(self) -> str | None:
        """Return what is waited for; None where nothing is."""


class NoSight:
    """Knows of nothing else."""

    def heading(self) -> str:
        """Return nothing."""
        return ""

    def total(self, stream: str) -> int | None:  # noqa: ARG002 - what it is asked for
        """Return that it is not known."""
        return None

    def requests(self, stream: str) -> int:  # noqa: ARG002
        """Return none."""
        return 0

    def waiting(self) -> str | None:
        """Return nothing."""
        return None


class SilentProgress:
    """Shows nothing."""

    def begin(self, stream: str) -> None:
        """Begin a stream."""

    def advance(self, stream: str, records: int) -> None:
        """Count records that were written."""

    def end(self, stream: str, *, complete: bool) -> None:
        """Finish a stream."""

    def close(self) -> None:
        """Leave the terminal as it should be."""


class LogProgress(SilentProgress):
    """A line for each stream that takes time, when it ends, and now and then while it goes on.

    Args:
        sight: what else is known.
        make_rate: begins to count a stream.
    """

    def __init__(self, sight: Sight, make_rate: Callable[[], Rate] = Rate) -> None:
        self._sight, self._make_rate = sight, make_rate
        self._rates: dict[str, Rate] = {}
        self._due: dict[str, float] = {}

    @override
    def begin(self, stream: str) -> None:
        """Begin to count."""
        self._rates[stream], self._due[stream] = self._make_rate(), FIRST_WORD

    @override
    def advance(self, stream: str, records: int) -> None:
        """Count, and say how far the stream is where that was not said for long."""
        rate = self._rates.get(stream)
        if rate is None:
            return
        rate.add(records)
        if rate.seconds >= self._due[stream]:
            self._due[stream] = rate.seconds + min(LONGEST_SILENCE, self._due[stream])
            waiting = self._sight.waiting()
            _log.info("%s: %s%s", stream, _so_far(rate, self._sight.total(stream)), _after(waiting))

    @override
    def end(self, stream: str, *, complete: bool) -> None:
        """Say what came of a stream; why one is not complete is said elsewhere."""
        rate = self._rates.pop(stream, None)
        if rate is not None and complete and rate.seconds >= WORTH_A_LINE:
            requests = self._sight.requests(stream)
            _log.info("%s: %s rows, %s requests, %s", stream, f"{rate.records:,}", requests, in_words(rate.seconds))


def _so_far(rate: Rate, total: int | None) -> str:
    if total is None or total < rate.records:
        return f"{rate.records:,} rows so far, {rate.per_second():,.0f} a second"
    left = rate.left(total)
    return f"{rate.records:,} of {total:,} rows ({rate.records / total:.0%})" + (
        f", about {in_words(left)} left" if left is not None else ""
    )


def _after(waiting: str | None) -> str:
    return "" if waiting is None else f"; waits for {waiting}" if waiting.startswith("the ") else f"; {waiting}"


class TerminalProgress(SilentProgress):
    """One live display: the run, the stream that is being written, those before it, and what is waited for.

    Warnings of the log appear above it; what is said in passing does not, since it is shown.

    Args:
        sight: what else is known.
        stays: it is left on the terminal at the end.
    """

    def __init__(self, sight: Sight, *, stays: bool = True) -> None:
        from rich.console import Console  # noqa: PLC0415 - only where there is a terminal: it takes time to load
        from rich.live import Live  # noqa: PLC0415

        self._sight, self._stays = sight, stays
        self._rates: dict[str, Rate] = {}
        self._took: dict[str, float] = {}
        self._failed: set[str] = set()
        self._stderr = sys.stderr
        self._live = Live(
            console=Console(stderr=True, highlight=False),
            get_renderable=self._shown,
            refresh_per_second=4,
            transient=not stays,
            redirect_stdout=False,  # records go there
        )
        self._live.start()
        self._quiet = _is_worth_a_line if not stays else None
        _move_logs(self._stderr, sys.stderr, self._quiet)  # which prints above the display now, redacted as before

    @override
    def begin(self, stream: str) -> None:
        """Add a line for the stream."""
        self._rates[stream] = Rate()

    @override
    def advance(self, stream: str, records: int) -> None:
        """Count records that were written."""
        if stream in self._rates:
            self._rates[stream].add(records)

    @override
    def end(self, stream: str, *, complete: bool) -> None:
        """Mark the stream as finished."""
        if stream in self._rates:
            self._took[stream] = self._rates[stream].seconds
            if not complete:
                self._failed.add(stream)

    @override
    def close(self) -> None:
        """Stop the live display."""
        shown = sys.stderr
        self._live.stop()
        _move_logs(shown, self._stderr, None)
        self._release()

    def _release(self) -> None:
        for handler in logging.getLogger().handlers:
            handler.removeFilter(_is_worth_a_line)

    def _shown(self) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        parts: list[RenderableType] = [self._table()]
        if heading := self._sight.heading():
            parts.append(Text(heading, style="bold", no_wrap=True, overflow="ellipsis"))
        if waiting := self._sight.waiting():
            parts.append(Text(redacted(f"waiting: {waiting}"), style="yellow", no_wrap=True, overflow="ellipsis"))
        return Group(*parts)

    def _table(self) -> Table:
        from rich.table import Table  # noqa: PLC0415

        table = Table.grid(padding=(0, 1))
        for justify in ("left", "left", "right", "right", "right", "left"):
            table.add_column(justify=justify, no_wrap=True)
        for stream in list(self._rates)[-LINES:] if not self._stays else list(self._rates):
            table.add_row(*self._row(stream))
        return table

    def _row(self, stream: str) -> tuple[RenderableType, ...]:
        from rich.text import Text  # noqa: PLC0415

        rate, took = self._rates[stream], self._took.get(stream)
        name, rows = Text(stream), f"{rate.records:,} records"
        if stream in self._failed:
            return Text("✗", "red"), name, rows, "", "", Text("not complete", "red")
        if took is not None:
            return Text("✓", "green"), name, rows, "", in_words(took), ""
        total, left = self._sight.total(stream), None
        percent = ""
        if total is not None and total >= rate.records > 0:
            rows, percent, left = f"{rate.records:,} of {total:,}", f"{rate.records / total:.0%}", rate.left(total)
        speed = f"{rate.per_second():,.0f}/s" if rate.per_second() else ""
        rest = "" if left is None else f"about {in_words(left)} left"
        return Text("•", "cyan"), name, rows, percent, speed, rest


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Tell whether a log line may come between a display that shows the rest."""
    return record.levelno > logging.INFO or logging.getLogger().level <= logging.DEBUG


def _move_logs(away_from: TextIO, to: TextIO, quiet: Callable[[logging.LogRecord], bool] | None) -> None:
    """Let the log handlers that write to one stream write to another one, and leave out what is said in passing."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is away_from:
            handler.setStream(to)
            if quiet is not None:
                handler.addFilter(quiet)


def make_progress(sight: Sight) -> SilentProgress:
    """Return the progress of a run that fits: live on a terminal, lines of the log elsewhere.

    Where records go to a terminal, too, they would tear the display.
    """
    is_live = is_capable(sys.stderr) and not is_terminal(sys.stdout)
    return TerminalProgress(sight, stays=False) if is_live else LogProgress(sight)


def make_list_of_streams() -> SilentProgress:
    """Return the progress of a command that shows its own result: live on a terminal, none elsewhere."""
    return TerminalProgress(NoSight()) if is_capable(sys.stderr) else SilentProgress()
