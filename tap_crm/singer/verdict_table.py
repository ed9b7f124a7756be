"""Shows at the end of a run what became of it: a table, coloured on a terminal, else plain lines of the log."""

from __future__ import annotations

import logging
import sys
import textwrap
from typing import TYPE_CHECKING

from tap_crm.config.redaction import redacted
from tap_crm.singer.logs import TABLE
from tap_crm.singer.terminal import is_capable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from tap_crm.sync.verdict import Outcome, Verdict

_log = logging.getLogger(TABLE)

HEADS = ("stream", "rows", "new", "changed", "deleted", "requests", "waited", "")
#: With more streams than these, those that are complete and have the fewest rows share a few lines.
MOST_ROWS = 25
WIDTH = 100
UNKNOWN = "-"
#: A space at which no line ends.
_HELD = "\0"


def show(verdict: Verdict) -> None:
    """Show it on standard error: always if something is not complete, else unless INFO is switched off."""
    level = logging.INFO if verdict.is_complete else logging.WARNING
    if not _log.isEnabledFor(level):
        return
    if is_capable(sys.stderr):
        try:
            show_on(_terminal(), verdict)
        except (OSError, ValueError):  # the terminal was closed
            return
    else:
        for line in lines(verdict):
            _log.log(level, "%s", line)


def lines(verdict: Verdict) -> list[str]:
    """Return the table as plain lines."""
    shown, folded = _parted(verdict.outcomes)
    rows = [HEADS, *map(_cells, shown), _cells(verdict.total())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    found = [_aligned(row, widths) for row in rows]
    return [*found[:-1], *_folded(folded), found[-1], *reasons(verdict), facts(verdict)]


def facts(verdict: Verdict) -> str:
    """Return the line below the table."""
    minutes, seconds = divmod(round(verdict.seconds), 60)
    parts = [f"{verdict.crm}: {minutes} min {seconds} s" if minutes else f"{verdict.crm}: {verdict.seconds:.1f} s"]
    if verdict.limit_used is not None:
        parts.append(f"{verdict.limit_used:.0%} of the rate limit used")
    if verdict.reconcile is not None:
        parts.append(f"next reconcile: {verdict.reconcile}")
    return "; ".join(parts)


def reasons(verdict: Verdict) -> list[str]:
    """Return a line for each stream that failed."""
    return [redacted(f"{one.stream}: {one.why}") for one in verdict.outcomes if one.why is not None]


def _parted(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Return the streams with a row of their own, and those that share a few lines."""
    plain = sorted((one for one in outcomes if one.is_complete and not one.deleted), key=lambda one: one.rows)
    folded = {one.stream for one in plain[: max(0, len(outcomes) - MOST_ROWS)]}
    return [one for one in outcomes if one.stream not in folded], [one for one in outcomes if one.stream in folded]


def _folded(outcomes: Sequence[Outcome]) -> list[str]:
    if not outcomes:
        return []
    each = ", ".join(f"{one.stream}{_HELD}{one.rows:,}" for one in outcomes)
    found = textwrap.wrap(f"{len(outcomes)} more, complete: {each}", WIDTH, subsequent_indent="  ")
    return [line.replace(_HELD, " ") for line in found]


def _cells(one: Outcome) -> tuple[str, ...]:
    new, changed = (UNKNOWN if count is None else f"{count:,}" for count in (one.new, one.changed))
    waited = f"{one.waited:,.0f} s" if one.waited >= 1 else ""
    return (one.stream, f"{one.rows:,}", new, changed, f"{one.deleted:,}", f"{one.requests:,}", waited, one.word)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Align numbers to the right, the name and the last word to the left."""
    cells = zip(row[1:-1], widths[1:-1], strict=True)
    return "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in cells), row[-1]]).rstrip()


def _terminal() -> Console:
    from rich.console import Console  # noqa: PLC0415 - only where there is a terminal: it takes time to load

    return Console(stderr=True, highlight=False)


def show_on(console: Console, verdict: Verdict) -> None:
    """Print it as a terminal shows it."""
    shown, folded = _parted(verdict.outcomes)
    console.print(table(shown, verdict.total()))
    for line, style in [
        *((line, "dim") for line in _folded(folded)),
        *((line, "red") for line in reasons(verdict)),
        (facts(verdict), ""),
    ]:
        console.print(line, markup=False, soft_wrap=True, style=style)


def table(outcomes: Sequence[Outcome], total: Outcome) -> Table:
    """Return the table as a terminal shows it."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    foot = _cells(total)
    for head, last in zip(HEADS, foot, strict=True):
        is_word = head in ("stream", "")
        made.add_column(head, footer=last, justify="left" if is_word else "right", no_wrap=not is_word)
    for one in outcomes:
        cells = [Text(cell) for cell in _cells(one)]
        cells[-1].stylize("green" if one.is_complete else "bold red" if one.why else "yellow")
        for place, count in ((2, one.new), (3, one.changed), (4, one.deleted)):
            cells[place].stylize("bold" if count else "dim")
        made.add_row(*cells)
    return made
