"""Search, filter and sort of the rows route (copera.md, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copera.conditions import FAMILIES, OPERATORS, holds
from sandbox.copera.parameters import invalid

if TYPE_CHECKING:
    from sandbox.copera.schema import BoardTable, Column
    from sandbox.exchange import Record

_MOST = 20
_SEARCHABLE = ("TEXT", "DESCRIPTION", "EMAIL", "PHONE", "WEBSITE", "URL", "FORMULA", "FUNCTION", "NUMBER", "MONEY")


def found_by_text(records: list[Record], table: BoardTable, wanted: str | None) -> list[Record]:
    """Keep rows with a text in a searchable column, in any case."""
    if not wanted:
        return records
    columns = {one.id for one in table.columns if one.type in _SEARCHABLE}
    text = wanted.lower()
    return [
        one
        for one in records
        if any(c["columnId"] in columns and text in str(c.get("value") or "").lower() for c in one["columns"])
    ]


def filtered(records: list[Record], table: BoardTable, given: Record | None, now: float) -> list[Record]:
    """Keep rows that meet the conditions; 400 for conditions that make no sense."""
    if given is None:
        return records
    conditions = given.get("conditions")
    match = given.get("match", "and")
    known = set(given) <= {"match", "conditions"} and isinstance(conditions, list) and match in ("and", "or")
    if not known or not conditions or len(conditions) > _MOST:
        raise invalid("filter")
    checked = [
        (_column(table, one, "filter"), one["operator"], one.get("value")) for one in map(_condition, conditions)
    ]
    together = all if match == "and" else any
    kept = []
    for record in records:
        values = _values(record)
        if together(_met(column, operator, values.get(column.id), value, now) for column, operator, value in checked):
            kept.append(record)
    return kept


def sorted_rows(records: list[Record], table: BoardTable, given: str | None) -> list[Record]:
    """Sort by columns, those named first first; empty cells come last."""
    for part in reversed(given.split(",") if given else []):
        column_id, _, direction = part.partition(":")
        if direction not in ("asc", "desc"):
            raise invalid("sort")
        column = _column(table, {"column_id": column_id}, "sort")
        full = [one for one in records if _values(one).get(column.id) not in (None, "", [])]
        empty = [one for one in records if _values(one).get(column.id) in (None, "", [])]
        full.sort(key=lambda one: _rank(_values(one)[column.id]), reverse=direction == "desc")
        records = full + empty
    return records


def _condition(given: Any) -> Record:  # noqa: ANN401
    if not isinstance(given, dict) or not {"column_id", "operator"} <= set(given) <= {"column_id", "operator", "value"}:
        raise invalid("filter")
    return given


def _column(table: BoardTable, condition: Record, parameter: str) -> Column:
    found = next((one for one in table.columns if one.id == condition["column_id"]), None)
    if found is None:
        raise invalid(parameter)
    operator = condition.get("operator")
    if operator is not None and operator not in OPERATORS[FAMILIES.get(found.type, "string")]:
        raise invalid(parameter)
    return found


def _met(column: Column, operator: str, cell: Any, value: Any, now: float) -> bool:  # noqa: ANN401
    try:
        return holds(FAMILIES.get(column.type, "string"), operator, cell, value, now)
    except (ValueError, TypeError, AttributeError):
        raise invalid("filter") from None


def _values(record: Record) -> Record:
    return {cell["columnId"]: cell.get("value") for cell in record["columns"]}


def _rank(value: Any) -> tuple[int, Any]:  # noqa: ANN401
    return (0, value) if isinstance(value, (int, float)) else (1, str(value))
