"""Which values the cells of each type of column take, and how they are kept (copera.md 5.1, boards-how-it-works)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copera.moments import moment_of, text_of
from sandbox.copera.parameters import invalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from sandbox.copera.records import WorkspaceRecords
    from sandbox.copera.schema import BoardTable, Column
    from sandbox.exchange import Record

    Check: TypeAlias = Callable[[WorkspaceRecords, Column, Any], Any]

_ARRAYS = ("LABELS", "USERS", "LINK")
_TEXTS = ("TEXT", "EMAIL", "PHONE", "WEBSITE", "URL")
_DAY = 10
_MASK = "********"


def written_cells(records: WorkspaceRecords, table: BoardTable, given: dict[str, Any], *, new: bool) -> Record:
    """Give what is kept of the written cells, by column; what is not taken is left out or refused by the knobs."""
    knobs = records.behaviour
    columns = {one.id: one for one in table.columns}
    kept: Record = {}
    for column_id, value in given.items():
        column = columns.get(column_id)
        if column is not None and _read_only(column, new=new):
            if knobs.read_only_cells == "refused":
                raise invalid(f"columns: {column.label} is read-only")
            continue
        try:
            if column is None:
                raise ValueError("no such column")  # noqa: TRY301  (left out or refused like a value)
            kept[column_id] = _kept(records, column, value)
        except (ValueError, TypeError):
            if knobs.rejected_values == "refused":
                raise invalid(f"columns: value of {column.label if column else column_id}") from None
    return kept


def emptied(table: BoardTable, given: dict[str, Any]) -> Record:
    """Give empty cells of all columns that can be written and are not given."""
    return {
        one.id: [] if one.type in _ARRAYS else None
        for one in table.columns
        if one.id not in given and not _read_only(one, new=False)
    }


def _read_only(column: Column, *, new: bool) -> bool:
    """Whether only the CRM sets a cell; long texts are taken when a row is made, later by their own route."""
    return column.type not in _CHECKS and not (new and column.type == "DESCRIPTION")


def _kept(records: WorkspaceRecords, column: Column, value: Any) -> Any:  # noqa: ANN401
    clearing = records.behaviour.clearing
    if column.type in _ARRAYS and value == []:
        return []
    if column.type in (*_TEXTS, "DESCRIPTION") and value == "":
        return ""
    if value is None or value == "":
        if clearing not in ("both", "null" if value is None else "empty"):
            raise ValueError("does not clear")
        return [] if column.type in _ARRAYS else None
    check: Check = _CHECKS.get(column.type, _text)
    return check(records, column, value)


def _text(_: WorkspaceRecords, __: Column, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(_: WorkspaceRecords, __: Column, value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number")
    return value


def _flag(_: WorkspaceRecords, __: Column, value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


def _date(records: WorkspaceRecords, column: Column, value: Any) -> str:  # noqa: ANN401
    """Keep a day as it is, a moment in UTC with milliseconds."""
    text = _text(records, column, value)
    moment = moment_of(text)
    return text if len(text) == _DAY else text_of(moment)


def _option(_: WorkspaceRecords, column: Column, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or value not in column.option_ids():
        raise ValueError("no such option")
    return value


def _options(records: WorkspaceRecords, column: Column, value: Any) -> list[str]:  # noqa: ANN401
    return _each(value, lambda one: _option(records, column, one))


def _users(records: WorkspaceRecords, _: Column, value: Any) -> list[str]:  # noqa: ANN401
    return _each(value, lambda one: _among(records.lists["members"], one))


def _links(records: WorkspaceRecords, column: Column, value: Any) -> list[str]:  # noqa: ANN401
    target = records.tables.get(column.target)
    return _each(value, lambda one: _among(target.rows if target else {}, one))


def _among(known: dict[str, Any], value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or value not in known:
        raise ValueError("no such record")
    return value


def _each(value: Any, check: Callable[[Any], str]) -> list[str]:  # noqa: ANN401
    if not isinstance(value, list):
        raise TypeError("not an array")
    return list(dict.fromkeys(check(one) for one in value))


def _password(records: WorkspaceRecords, column: Column, value: Any) -> str:  # noqa: ANN401
    """Keep a password as every answer shows it."""
    _text(records, column, value)
    return _MASK


def _shape(_: WorkspaceRecords, __: Column, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, (str, dict)):
        raise TypeError("neither a text nor an object")
    return value


_CHECKS: dict[str, Check] = dict.fromkeys(_TEXTS, _text) | {
    "NUMBER": _number,
    "MONEY": _number,
    "DURATION": _number,
    "CHECKBOX": _flag,
    "DATE": _date,
    "STATUS": _option,
    "DROPDOWN": _option,
    "LABELS": _options,
    "USERS": _users,
    "LINK": _links,
    "PASSWORD": _password,
    "LOCATION": _shape,
    "LINK_BUTTON": _shape,
}
"""Checks by column type; every other type is read-only."""
