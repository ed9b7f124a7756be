"""Makes boards, and their tables without rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.copera.moments import DAY, SECOND, object_id
from sandbox.copera.samples.options import options
from sandbox.copera.schema import TYPES, BoardTable, Column
from sandbox.copera.shape import CRM_TABLES

if TYPE_CHECKING:
    from random import Random

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record


@dataclass(frozen=True, slots=True)
class WantedColumn:
    """A column to be made; `link` and `mirror_of` name tables, `via` a LINK column of the same table."""

    label: str
    type: str
    link: str = ""
    via: str = ""
    mirror_of: str = ""


def _columns(text: str) -> list[WantedColumn]:
    return [WantedColumn(*one.strip().split(":")) for one in text.split("|")]


_CRM: dict[str, list[WantedColumn]] = {
    "Leads": _columns(
        "Name:TEXT|Email:EMAIL|Phone:PHONE|Stage:STATUS|Source:DROPDOWN|Tags:LABELS|owner:USERS"
        "|Company:LINK:Companies|Employees of the company:LOOKUP::Company|Value:MONEY|Next step:DATE|Notes:DESCRIPTION"
        "|Score:NUMBER|Score:NUMBER|Created:CREATED_AT",
    ),
    "People": _columns(
        "Name:TEXT|Email:EMAIL|Phone:PHONE|Phone:PHONE|Company:LINK:Companies|Role:DROPDOWN|Newsletter:CHECKBOX"
        "|🎂:DATE|顧客番号:TEXT|_id:TEXT|Employees of the company:LOOKUP::Company|About:DESCRIPTION"
        "|Company names:FUNCTION::Company|Deals:LINK:::Deals.People",
    ),
    "Companies": _columns(
        "Name:TEXT|Website:WEBSITE|Industry:DROPDOWN|Address:LOCATION|Employees:NUMBER|owner:USERS|Labels:LABELS"
        "|People:LINK:::People.Company|Deals:LINK:::Deals.Company|Value of deals:ROLLUP::Deals|Won:TRACKER::Deals",
    ),
    "Deals": _columns(
        "Name:TEXT|Amount:MONEY|Stage:STATUS|Close date:DATE|Company:LINK:Companies|People:LINK:People"
        "|Names of people:FUNCTION::People|Owner:USERS|Probability:NUMBER|Contract:FILE|Summary:FORMULA"
        "|No.:AUTONUMBER|Created:CREATED_AT|Changed:UPDATED_AT",
    ),
}
_PLAIN = _columns(
    "Name:TEXT|Status:STATUS|Who:USERS|Due:DATE|Effort:DURATION|Labels:LABELS|Done:CHECKBOX|Text:DESCRIPTION"
    "|Estimate:NUMBER|Changed:UPDATED_AT|By:LAST_MODIFIED_BY",
)
_ODD = (
    *("owner", "_id", "updatedAt", "Same", "Same", "Größe (m²) – Büro №1", "📎", "名前", "  Padded  "),  # noqa: RUF001
    *("A very long label " + "that goes on and on " * 12, 'quoted "label" \\ \u2028', ""),
)
_BOARDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Sales", tuple(_CRM)),
    ("Projects", ("Everything", "Bugs", "Bugs")),
    ("Projects", ("Roadmap", "Empty")),
    ("Bare 🫙", ()),
)


def boards(shape: Shape, rng: Random) -> tuple[list[Record], list[BoardTable]]:
    """Make the boards, and their tables without rows."""
    named: list[tuple[str, list[str]]] = [(name, list(tables)) for name, tables in _BOARDS[: max(shape.boards, 1)]]
    named += [(f"Board {n}", []) for n in range(len(named) + 1, shape.boards + 1)]
    _share_out(named, max(shape.tables, CRM_TABLES))
    for n in range(shape.wide_tables):
        _places(named)[n % len(_places(named))].append(f"Wide {n + 1}")
    if shape.big_table:
        named.append(("Archive", ["Big"]))
    made: list[Record] = []
    tables: list[BoardTable] = []
    start = (shape.now - 4 * 365 * 86_400) * SECOND
    for n, (name, names) in enumerate(named):
        moment = start + n * DAY + 123
        board: Record = {"_id": object_id(moment, rng), "name": name, "description": f"All about {name} – ключ"}  # noqa: RUF001
        if n % 3 == 1:
            del board["description"]
        elif n % 3 == 2:  # noqa: PLR2004
            board["description"] = ""
        made.append(board | {"created": moment, "updated": moment + n * DAY})
        for place, table in enumerate(names):
            moment += 3_600_000 * (place + 1)
            tables.append(BoardTable(object_id(moment, rng), table, board["_id"], moment, moment + n * DAY, []))
    for table_ in tables:
        _fill(table_, tables, shape, rng)
    return made, tables


def _share_out(named: list[tuple[str, list[str]]], wanted: int) -> None:
    """Drop tables from the end until so many are left, or add some."""
    while sum(len(tables) for _, tables in named) > wanted:
        next(tables for _, tables in reversed(named) if tables).pop()
    places = _places(named)
    for n in range(wanted - sum(len(tables) for _, tables in named)):
        places[n % len(places)].append(f"Table {n + 1}")


def _places(named: list[tuple[str, list[str]]]) -> list[list[str]]:
    """Where further tables go: into every board but the CRM and the bare one."""
    return [tables for name, tables in named[1:] if not name.startswith("Bare")] or [named[0][1]]


def _wanted(table: BoardTable, shape: Shape) -> list[WantedColumn]:
    if table.name in _CRM:
        return _CRM[table.name]
    if table.name == "Everything":
        first = [WantedColumn("Name", "TEXT"), WantedColumn("Link", "LINK", "Companies")]
        rest = [WantedColumn(one.title(), one, via="Link") for one in TYPES if one not in ("TEXT", "LINK")]
        return first + rest + [WantedColumn(label, TYPES[n * 5 % 11]) for n, label in enumerate(_ODD)]
    if table.name.startswith("Wide"):
        kinds = [one for one in TYPES if one not in ("LINK", "LOOKUP", "ROLLUP", "FUNCTION", "TRACKER")]
        return [WantedColumn(f"Column {n}", kinds[n % len(kinds)]) for n in range(max(shape.wide_columns, 1))]
    return _PLAIN


def _fill(table: BoardTable, tables: list[BoardTable], shape: Shape, rng: Random) -> None:
    """Make a table's columns; a mirror is found when both sides are there."""
    by_name = {one.name: one for one in reversed(tables)}
    for n, one in enumerate(_wanted(table, shape)):
        moment = table.created + n * SECOND
        order = None if n % 7 == 6 else n  # noqa: PLR2004
        column = Column(object_id(moment, rng), one.label, one.type, order, options(one.type, moment, rng))
        column.target = by_name[one.link].id if one.link else ""
        column.via = next((other.id for other in table.columns if other.label == one.via), "") if one.via else ""
        if one.mirror_of:
            column.own = False
            column.mirror = one.mirror_of
        table.columns.append(column)
    if table is tables[-1]:
        _join_mirrors(tables)


def _join_mirrors(tables: list[BoardTable]) -> None:
    by_name = {one.name: one for one in reversed(tables)}
    for table in tables:
        for column in table.columns:
            if column.own or column.type != "LINK":
                continue
            name, _, label = column.mirror.partition(".")
            other = by_name[name].column(label)
            column.target, column.mirror, other.mirror = by_name[name].id, other.id, column.id
