"""Shows subscriptions to people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tap_crm.inbox.subscribing.line import BAD, REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.inbox.subscribing.line import Line

#: Wide enough that nothing is cut, on a narrow terminal neither.
WIDE = 400


def write_table(report: dict[str, Any], lines: Sequence[Line], to: TextIO) -> None:
    """Write a line for each subscription, then what else there is to say."""
    console = Console(file=to, width=WIDE, highlight=False, emoji=False, markup=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("subscription", "state", "id", "note"):
        table.add_column(name, no_wrap=True)
    for line in lines:
        style = "bold red" if line.state in BAD else "dim" if line.state == REFUSED else "green"
        table.add_row(line.what, Text(line.state, style), line.id, line.note)
    if lines:
        console.print(table)
    counts = Counter(line.state for line in lines)
    said = ", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing"
    console.print(Text(f"{report['provider']}: {said}; last event: {report['last_event'] or 'none'}", "bold"))
    for alarm in report["alarms"]:
        console.print(f"alarm: {alarm}", soft_wrap=True)
