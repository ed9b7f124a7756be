"""Tables and a plot, and the page of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence  # noqa: TC003  (read at run time, where tables are decoded)
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

COLOURS = ("#1f6feb", "#9a6700", "#1a7f37", "#8250df")
SIZE = (340, 180)
INTRODUCTION = (
    "Made by `./scripts/bench`, on the local servers. Ways take turns, round by round in one run. CPU is user and "
    "system time of the measured process; the servers are not counted. Where other programs are at work, walls say "
    "little; CPU seconds side by side still compare."
)
IMAGE = "![CPU by records, and requests over a run against the limit](speed.svg)"
#: Points of a line, by its name.
Lines: TypeAlias = "dict[str, list[tuple[float, float]]]"


@dataclass(frozen=True)
class Table:
    """A table with its heading, and sentences below it."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as Markdown."""
        lines = [f"## {self.title}", "", _row(self.head), _row(["---"] * len(self.head)), *map(_row, self.rows)]
        if self.notes:
            lines += [line for note in self.notes for line in ("", note)]
        return "\n".join(lines)


@dataclass
class Found:
    """What a part measured: tables, and lines for the two plots.

    Attributes:
        tables: of the part.
        cpu: lines of CPU by records.
        sent: lines of requests by seconds.
        made: by which command, and where.
    """

    tables: list[Table] = field(default_factory=list[Table])
    cpu: Lines = field(default_factory=dict[str, list[tuple[float, float]]])
    sent: Lines = field(default_factory=dict[str, list[tuple[float, float]]])
    made: str = ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def seconds(values: Sequence[float], off: float = 0.0) -> str:
    """Return the median of CPU seconds with the least and the most, something taken off."""
    low, middle, high = min(values) - off, statistics.median(values) - off, max(values) - off
    return f"{middle:.2f} ({low:.2f} to {high:.2f})" if len(values) > 1 else f"{middle:.2f}"


def ratio(number: float, to: float) -> str:
    """Return how many times as much one is as another."""
    return f"{number / to:.2f}" if to > 0 else "-"


def plot(lines: Lines, left: int, title: str, axes: str) -> Iterator[str]:
    """Yield one plot of lines as parts of an SVG."""
    wide, high = SIZE
    most_x = max((x for line in lines.values() for x, _ in line), default=1.0) or 1.0
    most_y = max((y for line in lines.values() for _, y in line), default=1.0) or 1.0
    yield f'<text x="{left}" y="18" font-weight="bold">{title}</text><text x="{left}" y="258">{axes}</text>'
    yield f'<path d="M{left} 30V220H{left + wide}" fill="none" stroke="#888"/>'
    yield f'<text x="{left + wide + 5}" y="224">{_said(most_x)}</text>'
    yield f'<text x="{left + 4}" y="34">{_said(most_y)}</text>'
    for place, (name, line) in enumerate(lines.items()):
        points = " ".join(f"{left + wide * x / most_x:.1f},{220 - high * y / most_y:.1f}" for x, y in line)
        colour = COLOURS[place % len(COLOURS)]
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{left + 12 + 118 * place}" y="240" fill="{colour}">{name}</text>'


def _said(number: float) -> str:
    """Return a number as people write it at an axis."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"  # noqa: PLR2004 - decimals say nothing there


def picture(found: Sequence[Found]) -> str:
    """Return both plots as one SVG."""
    cpu: Lines = {name: line for one in found for name, line in one.cpu.items()}
    sent: Lines = {name: line for one in found for name, line in one.sent.items()}
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 265" font-family="sans-serif" font-size="12">'
    drawn = [
        *plot(cpu, 30, "CPU seconds by records, start-up included", "records of Copper people"),
        *plot(sent, 470, "Requests over a run, against the limit (Copper)", "seconds"),
    ]
    return "\n".join([head, *drawn, "</svg>", ""])


def page(found: Sequence[Found]) -> str:
    """Return the page; how a table was made stands before the first one that was made so."""
    lines, made = ["# Speed", INTRODUCTION, IMAGE], ""
    for one in found:
        for number, table in enumerate(one.tables):
            heading, _, rest = str(table).partition("\n\n")
            told = [one.made] if one.made != made and not number else []
            lines += [heading, *told, rest]
        made = one.made
    return "\n\n".join(lines) + "\n"
