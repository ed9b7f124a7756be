"""Cells that follow from other rows: links, lookups, rollups, trackers, functions, formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copera.schema import DERIVED, BoardTable, Column, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.exchange import Record


def derived(column: Column, row: Row, links: Mapping[str, list[str]], rows: Mapping[str, Row]) -> Record | None:
    """Make a derived cell of a row whose links are given by LINK column; None is a cell that is missing."""
    if column.type == "FORMULA":
        return {"columnId": column.id, "value": f"{row.display} / {row.amount}"}
    linked = links.get(column.id if column.type == "LINK" else column.via, ())
    found = [(one, rows[one]) for one in linked if one in rows]
    cell: Record = {"columnId": column.id}
    if column.type == "LINK":
        if not found and row.id[-1] in "01":
            return {"columnId": column.id, "value": None} if row.id[-1] == "0" else None
        return cell | {"value": [number for number, _ in found], "linkValue": [other.display for _, other in found]}
    if column.type == "LOOKUP":
        values = [{"foreignRowId": number, "foreignRowValue": other.amount} for number, other in found]
        return cell | {"value": None, "lookupValue": values}
    return cell | {"value": _figure(column.type, [other for _, other in found])}


def _figure(kind: str, found: list[Row]) -> Any:  # noqa: ANN401
    if kind == "ROLLUP":
        return round(sum(one.amount or 0 for one in found), 2)
    if kind == "TRACKER":
        return round(100 * sum(one.done for one in found) / len(found), 1) if found else None
    return ", ".join(one.display for one in found)


def links_of(table: BoardTable, record: Record) -> dict[str, list[str]]:
    """Read the links of a row from its cells."""
    kinds = {column.id for column in table.columns if column.type == "LINK"}
    linked = {cell["columnId"]: cell.get("value") for cell in record["columns"] if cell["columnId"] in kinds}
    return {column: value if isinstance(value, list) else [] for column, value in linked.items()}


def refresh(table: BoardTable, row: Row, record: Record, rows: Mapping[str, Row]) -> None:
    """Bring the derived cells of a decoded row up to date."""
    links = links_of(table, record)
    cells: dict[str, Record] = {cell["columnId"]: cell for cell in record["columns"]}
    for column in table.columns:
        if column.type not in DERIVED:
            continue
        cell = derived(column, row, links, rows)
        if cell is None:
            cells.pop(column.id, None)
        else:
            cells[column.id] = cell
    record["columns"] = list(cells.values())


def note_shown_values(table: BoardTable, row: Row, record: Record) -> None:
    """Take from a decoded row what rows that link to it show of it."""
    values = {cell["columnId"]: cell.get("value") for cell in record["columns"]}
    name, amount, status = table.first("TEXT"), amount_column(table), table.first("STATUS")
    row.display = str(values.get(name.id) or "") if name else ""
    value = values.get(amount.id) if amount else None
    row.amount = value if isinstance(value, (int, float)) else None
    row.done = status is not None and values.get(status.id) in done_options(status)


def amount_column(table: BoardTable) -> Column | None:
    """Give the column that rollups and lookups show."""
    return table.first("MONEY") or table.first("NUMBER")


def done_options(status: Column) -> list[str]:
    """Give the ids of the options in the Done group."""
    return [one["optionId"] for one in status.options if one.get("statusGroup") == "DONE"]
