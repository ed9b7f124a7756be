"""What the demo shows: the comparison, the cost of each run, and a picture of the deals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from rich import box
from rich.table import Table as Grid
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from scripts.demo_compare import Comparison
    from scripts.demo_crm import Crm

_BAR = 14
#: Tables, and streams, that are equal get no line of their own beyond so many, the largest.
_MOST_LINES = 8
_EIGHTHS = " ▏▎▍▌▋▊▉█"

_RUNS = "SELECT DISTINCT run_id FROM {schema}.sync_audit ORDER BY run_id"
_AUDIT = "SELECT stream, records, requests FROM {schema}.sync_audit WHERE run_id = ?"


def show_comparison(console: Console, comparisons: Sequence[Comparison]) -> None:
    """Print what is there, what was loaded, and whether it is the same: of what is equal, the largest tables only."""
    shows_gone = any(one.gone for one in comparisons)
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False)
    grid.add_column("table", no_wrap=True)
    grid.add_column("rows in\nthe CRM", justify="right")
    grid.add_column("rows\nloaded", justify="right")
    if shows_gone:
        grid.add_column("of deleted\nrecords", justify="right")
    grid.add_column("the same?")
    shown = _worth_a_line(comparisons)
    for one in shown:
        gone = [f"{one.gone:,}" if one.gone else ""] if shows_gone else []
        grid.add_row(one.table, f"{one.there:,}", f"{one.loaded:,}", *gone, _verdict(one))
    if others := [one for one in comparisons if one not in shown]:
        there, loaded = sum(one.there for one in others), sum(one.loaded for one in others)
        cells = ("",) if shows_gone else ()
        grid.add_row(f"{len(others)} others", f"{there:,}", f"{loaded:,}", *cells, Text("yes", "green"))
    grid.add_section()
    different = sum(not one.equal for one in comparisons)
    verdict = (
        Text(f"{different} of {len(comparisons)} differ", "bold red") if different else Text("all equal", "bold green")
    )
    total, loaded = sum(one.there for one in comparisons), sum(one.loaded for one in comparisons)
    gone = [f"{sum(one.gone for one in comparisons):,}"] if shows_gone else []
    grid.add_row(f"{len(comparisons)} tables", f"{total:,}", f"{loaded:,}", *gone, verdict, style="bold")
    console.print(grid)


def show_runs(console: Console, crm: Crm, database: Path) -> None:
    """Print what each run read and asked, from the audit that the tap loaded with it."""
    with duckdb.connect(str(database), read_only=True) as connection:
        runs: list[dict[str, tuple[int, int]]] = []
        for (run,) in connection.execute(_RUNS.format(schema=crm.schema)).fetchall():
            rows = connection.execute(_AUDIT.format(schema=crm.schema), [run]).fetchall()
            runs.append({stream: (records, requests) for stream, records, requests in rows})
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False)
    grid.add_column("stream")
    for number in range(1, len(runs) + 1):
        grid.add_column(f"run {number}:\nrecords", justify="right")
        grid.add_column("\nrequests", justify="right")
    costly = sorted(runs[0], key=lambda stream: sum(run.get(stream, (0, 0))[1] for run in runs), reverse=True)
    shown = [stream for stream in runs[0] if stream in costly[:_MOST_LINES]]
    for stream in shown:
        cells = [cell for run in runs for cell in _cost([run[stream]] if stream in run else [])]
        grid.add_row(stream, *cells)
    if len(runs[0]) > len(shown):
        rest = [[cost for stream, cost in run.items() if stream not in shown] for run in runs]
        grid.add_row(f"{len(runs[0]) - len(shown)} others", *(cell for one in rest for cell in _cost(one)))
    grid.add_section()
    grid.add_row("together", *(cell for run in runs for cell in _cost(run.values())), style="bold")
    console.print(grid)


def show_deals(console: Console, crm: Crm, database: Path) -> None:
    """Print the deals of each pipeline by stage, as bars."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows: list[tuple[str, str, int, float]] = connection.execute(crm.stages).fetchall()
    most, highest = max((row[2] for row in rows), default=0), max((row[3] for row in rows), default=0)
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False)
    grid.add_column("pipeline and stage")
    grid.add_column("deals", justify="right")
    grid.add_column("")
    grid.add_column(f"median {crm.currency}".strip(), justify="right")
    grid.add_column("")
    seen = None
    for pipeline, stage, deals, amount in rows:
        if pipeline != seen:
            if seen is not None:
                grid.add_section()
            grid.add_row(Text(pipeline, "bold"))
            seen = pipeline
        count_bar, amount_bar = Text(_bar(deals, most), "cyan"), Text(_bar(amount, highest), "green")
        grid.add_row(f"  {stage}", f"{deals:,}", count_bar, f"{amount:,.0f}", amount_bar)
    console.print(grid)


def _worth_a_line(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return what differs, or has rows of records that are gone; and the largest of the others."""
    different = [one for one in comparisons if not one.equal or one.gone]
    largest = sorted((one for one in comparisons if one not in different), key=lambda one: one.there, reverse=True)
    chosen = [*different, *largest[: max(0, _MOST_LINES - len(different))]]
    return [one for one in comparisons if one in chosen]


def _verdict(one: Comparison) -> Text:
    if one.equal:
        return Text("yes", "green")
    found = {"missing": one.missing, "outdated": one.outdated, "surplus": one.surplus}
    return Text("no: " + ", ".join(f"{count:,} {what}" for what, count in found.items() if count), "red")


def _cost(runs: Iterable[tuple[int, int]]) -> tuple[str, str]:
    listed = list(runs)
    if not listed:
        return "", ""
    return f"{sum(records for records, _ in listed):,}", f"{sum(requests for _, requests in listed):,}"


def _bar(value: float, longest: float) -> str:
    eighths = round(_BAR * 8 * value / longest) if longest else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
