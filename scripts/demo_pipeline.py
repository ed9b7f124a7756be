"""The end of the demo of all CRMs: dbt makes one set of tables of the three, and one pipeline is drawn of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import duckdb
from rich import box
from rich.table import Table as Grid
from rich.text import Text

from scripts.dbt_package import SCHEMA, DbtError, DbtPackage, duckdb_output
from scripts.demo_processes import OUTPUT, DemoError, short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

PHASES = ("early", "middle", "late", "won", "lost", "closed")
"""Open stages are in thirds, by their place in their pipeline; abandoned deals count as lost."""
CRMS = {"copper": "#b4643c", "close": "#3565a9", "copera": "#4f9a62"}
_STYLES = {"copper": "orange3", "close": "dodger_blue2", "copera": "green3"}
_BAR, _WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 32, 760, 38, 90, 70, 78

#: A stage without a place, and a deal without a stage, are early.
PIPELINE = f"""
    with open_stages as (
        select
            id,
            row_number() over (partition by pipeline_id order by position, id) - 1 as place,
            count(*) over (partition by pipeline_id) as places
        from {SCHEMA}.crm_stages
        where status = 'open'
    )

    select
        case
            when deals.status = 'abandoned' then 'lost'
            when deals.status <> 'open' then deals.status
            when open_stages.place * 3 < open_stages.places then 'early'
            when open_stages.place * 3 < open_stages.places * 2 then 'middle'
            when open_stages.place is not null then 'late'
            else 'early'
        end as phase,
        deals.crm,
        count(*) as deals
    from {SCHEMA}.crm_opportunities as deals
    left join open_stages on deals.stage_id = open_stages.id
    where not deals.is_deleted
    group by all
"""  # noqa: S608 - a name of this module
Deals = dict[tuple[str, str], int]


def show_pipeline(console: Console, database: Path, folder: Path = OUTPUT) -> None:
    """Make the tables, and draw the pipeline on the terminal and into a picture.

    Raises:
        DemoError: dbt found something that is not as it should be.
    """
    console.rule("One set of tables over the three CRMs, by dbt", align="left")
    package = DbtPackage(folder / "dbt", duckdb_output(database))
    try:
        with console.status("dbt build ..."):
            summary = package.build()
    except DbtError as error:
        console.print(str(error), markup=False, highlight=False)
        raise DemoError(f"`dbt build` failed; all that it said is in {short(package.log)}") from error
    console.print(f"dbt build: {summary}")
    with duckdb.connect(str(database), read_only=True) as connection:
        deals: Deals = {(phase, crm): count for phase, crm, count in connection.execute(PIPELINE).fetchall()}
    console.rule("One pipeline over the three CRMs (SQL on crm_opportunities and crm_stages)", align="left")
    show_bars(console, deals)
    picture = folder / "pipeline.svg"
    picture.write_text(draw(deals), "utf-8")
    console.print(f"The picture is {short(picture)}.")


def phases_of(deals: Deals) -> list[str]:
    """Return the phases that have deals, and those before the end."""
    last = PHASES.index("lost")
    return [one for n, one in enumerate(PHASES) if n <= last or any(phase == one for phase, _ in deals)]


def show_bars(console: Console, deals: Deals) -> None:
    """Print a bar for each phase, in the colours of the CRMs."""
    longest = max((_total(deals, phase) for phase in PHASES), default=0)
    grid = Grid(box=box.SIMPLE_HEAD)
    grid.add_column("phase")
    for crm in CRMS:
        grid.add_column(Text(crm, _STYLES[crm]), justify="right")
    grid.add_column("deals", justify="right")
    grid.add_column("")
    for phase in phases_of(deals):
        counts = [deals.get((phase, crm), 0) for crm in CRMS]
        bar = Text.assemble(
            *(("█" * width, _STYLES[crm]) for crm, width in zip(CRMS, _shares(counts, longest), strict=True))
        )
        grid.add_row(phase, *(f"{count:,}" for count in counts), f"{sum(counts):,}", bar)
    console.print(grid)


def draw(deals: Deals) -> str:
    """Return the same as a picture (SVG)."""
    phases = phases_of(deals)
    height = _TOP + _ROW * len(phases) + 14
    longest = max((_total(deals, phase) for phase in phases), default=0) or 1
    picture = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "font-family": "sans-serif",
            "font-size": "14",
        },
    )
    _shape(picture, "rect", width=_WIDTH, height=height, fill="#ffffff")
    _words(picture, "Deals by phase, over all CRMs", 16, 26, **{"font-size": "17", "font-weight": "bold"})
    for n, (crm, colour) in enumerate(CRMS.items()):
        _shape(picture, "rect", x=16 + 110 * n, y=42, width=14, height=14, fill=colour)
        _words(picture, crm, 36 + 110 * n, 54)
    for n, phase in enumerate(phases):
        y, x = _TOP + _ROW * n, float(_LEFT)
        _words(picture, phase, 16, y + 19)
        for crm, colour in CRMS.items():
            count = deals.get((phase, crm), 0)
            width = count / longest * (_WIDTH - _LEFT - _RIGHT)
            bar = _shape(picture, "rect", x=round(x, 1), y=y, width=round(width, 1), height=_ROW - 12, fill=colour)
            ET.SubElement(bar, "title").text = f"{crm}, {phase}: {count:,}"
            x += width
        _words(picture, f"{_total(deals, phase):,}", round(x) + 8, y + 19)
    ET.indent(picture)
    return ET.tostring(picture, encoding="unicode") + "\n"


def _shape(parent: ET.Element, name: str, **attributes: object) -> ET.Element:
    return ET.SubElement(parent, name, {key: str(value) for key, value in attributes.items()})


def _words(parent: ET.Element, text: str, x: float, y: float, **attributes: object) -> None:
    _shape(parent, "text", x=x, y=y, fill="#222222", **attributes).text = text


def _total(deals: Deals, phase: str) -> int:
    return sum(count for (one, _), count in deals.items() if one == phase)


def _shares(counts: Sequence[int], longest: int) -> list[int]:
    """Return the widths of the parts of a bar, whose rounded ends meet."""
    ends = [round(_BAR * sum(counts[: n + 1]) / longest) if longest else 0 for n in range(len(counts))]
    return [end - before for before, end in zip([0, *ends], ends, strict=False)]
