"""Which boards, tables and rows a token sees."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from sandbox.copera.asking import Ask
    from sandbox.copera.sandbox import CoperaSandbox
    from sandbox.copera.schema import BoardTable, Row
    from sandbox.copera.tokens import Token


def table_for(app: CoperaSandbox, ask: Ask) -> BoardTable:
    """Give the table of a path: 403 where the token may not enter the board, 404 if there is no such table in it."""
    app.enter_board(ask)
    table = app.world.tables.get(ask.path["tableId"])
    if table is None or table.board != ask.path["boardId"]:
        raise Refusal(404, "Table not found")
    return table


def sees_all(app: CoperaSandbox) -> bool:
    """Whether no row is hidden from anybody."""
    knobs = app.behaviour
    return knobs.visible_rows == "all" and not knobs.hidden_rows and not knobs.hidden_share


def sees(app: CoperaSandbox, token: Token, table: BoardTable, row: Row) -> bool:
    """Whether a token sees a row."""
    knobs = app.behaviour
    if row.id in knobs.hidden_rows or zlib.crc32(row.id.encode()) / 2**32 < knobs.hidden_share:
        return False
    if knobs.visible_rows == "all":
        return True
    users = {column.id for column in table.columns if column.type == "USERS"}
    cells = app.world.plain_record(row)["columns"]
    return any(cell["columnId"] in users and token.user in (cell.get("value") or ()) for cell in cells)
