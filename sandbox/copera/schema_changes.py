"""Changes of boards, tables, columns and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from sandbox.copera.moments import object_id, text_of
from sandbox.copera.samples.cells import values
from sandbox.copera.samples.options import COLORS, options
from sandbox.copera.schema import DERIVED, SELECTS, Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copera.row_changes import RowEditor
    from sandbox.copera.schema import BoardTable
    from sandbox.exchange import Record

Verb: TypeAlias = "Callable[[RowEditor, Record], list[str]]"


def _table(editor: RowEditor, order: Record) -> BoardTable:
    table = editor.records.table_named(order["table"])
    if editor.records.behaviour.schema_moves_table:
        table.updated = editor.records.now()
    return table


def add_column(editor: RowEditor, order: Record) -> list[str]:
    """Add a column: `table`, `label`, `type`, and `fill` for values in every row, whose `updatedAt` stays."""
    table, records = _table(editor, order), editor.records
    kind = order.get("type", "TEXT")
    order_ = max((one.order or 0 for one in table.columns), default=0) + 1
    made = options(kind, records.now(), records.rng)
    column = Column(object_id(records.now(), records.rng), order.get("label", "New"), kind, order_, made)
    table.columns.append(column)
    if order.get("fill"):
        drawn = values(column, records.shape, list(records.lists["members"]), records.rng)
        for n, row in enumerate(table.rows.values()):
            record = msgspec.json.decode(row.raw + row.tail)
            editor.set_cell(record, column.id, drawn[n % len(drawn)])
            editor.put(table, row, record)
    elif kind in DERIVED:
        editor.again(table, table.rows.values())
    return [column.id]


def rename_column(editor: RowEditor, order: Record) -> list[str]:
    """Give a column another label: `table`, `column` (id or label), `label`."""
    column = _table(editor, order).column(order["column"])
    column.label = order["label"]
    return [column.id]


def retype_column(editor: RowEditor, order: Record) -> list[str]:
    """Give a column another type: `table`, `column`, `type`; the cells stay as they are."""
    column = _table(editor, order).column(order["column"])
    column.type = order["type"]
    if column.type in SELECTS and not column.options:
        column.options = options(column.type, editor.records.now(), editor.records.rng)
    return [column.id]


def remove_column(editor: RowEditor, order: Record) -> list[str]:
    """Remove a column, and its cells from every row, whose `updatedAt` stays; `keep_cells` leaves them there."""
    table = _table(editor, order)
    column = table.column(order["column"])
    table.columns.remove(column)
    for row in () if order.get("keep_cells") else table.rows.values():
        record = msgspec.json.decode(row.raw + row.tail)
        record["columns"] = [cell for cell in record["columns"] if cell["columnId"] != column.id]
        editor.put(table, row, record)
    for other in editor.records.tables.values():
        for one in other.columns:
            one.mirror = "" if one.mirror == column.id else one.mirror
    return [column.id]


def add_option(editor: RowEditor, order: Record) -> list[str]:
    """Add an option: `table`, `column`, `label`, `statusGroup`."""
    column = _table(editor, order).column(order["column"])
    records, place = editor.records, len(column.options)
    option: Record = {
        "optionId": object_id(records.now(), records.rng),
        "order": place,
        "label": order.get("label", "New"),
    }
    option["color"] = COLORS[place % len(COLORS)]
    if column.type == "STATUS":
        option["statusGroup"] = order.get("statusGroup", "TODO")
    column.options.append(option)
    return [option["optionId"]]


def edit_option(editor: RowEditor, order: Record) -> list[str]:
    """Change an option: `table`, `column`, `option` (id or label), and its fields, such as `label`."""
    option = _option(editor, order)
    option |= {key: order[key] for key in ("label", "color", "order", "statusGroup") if key in order}
    if "statusGroup" in order:
        table = editor.records.table_named(order["table"])
        editor.again(table, table.rows.values())
        linkers = {one for row_id in table.rows for one in editor.records.linkers.get(row_id, ())}
        for one in linkers & editor.records.rows.keys():
            editor.again(editor.records.table_of(editor.records.rows[one]), [editor.records.rows[one]])
    return [option["optionId"]]


def delete_option(editor: RowEditor, order: Record) -> list[str]:
    """Delete an option; cells keep its id."""
    option = _option(editor, order)
    editor.records.table_named(order["table"]).column(order["column"]).options.remove(option)
    return [option["optionId"]]


def _option(editor: RowEditor, order: Record) -> Record:
    for one in _table(editor, order).column(order["column"]).options:
        if order["option"] in (one["optionId"], one.get("label")):
            return one
    raise KeyError(f"option {order['option']}")


def rename_board(editor: RowEditor, order: Record) -> list[str]:
    """Rename a board: `board` (id), `name`."""
    board = editor.records.lists["boards"][order["board"]]
    board |= {"name": order["name"], "updatedAt": text_of(editor.records.now())}
    return [board["_id"]]


def rename_table(editor: RowEditor, order: Record) -> list[str]:
    """Rename a table: `table` (id or name), `name`."""
    table = editor.records.table_named(order["table"])
    table.name, table.updated = order["name"], editor.records.now()
    return [table.id]


def delete_table(editor: RowEditor, order: Record) -> list[str]:
    """Delete a table: `table` (id or name)."""
    table = editor.records.table_named(order["table"])
    editor.drop_table(table.id)
    return [table.id]


_ALL: tuple[Verb, ...] = (
    *(add_column, rename_column, retype_column, remove_column, add_option, edit_option, delete_option),
    *(rename_board, rename_table, delete_table),
)
VERBS: dict[str, Verb] = {getattr(one, "__name__", ""): one for one in _ALL} | {"rename_option": edit_option}
