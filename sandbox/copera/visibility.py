"""Which boards, tables and rows a token sees."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from sandbox.copera.parameters import invalid
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from sandbox.copera.parameters import CheckedRequest
    from sandbox.copera.schema import BoardTable, Column, Row
    from sandbox.copera.service import Service
    from sandbox.copera.tokens import Token


def table_for(service: Service, asked: CheckedRequest) -> BoardTable:
    """Give the table of a path: 403 where the token may not enter the board, 404 if there is no such table in it."""
    service.enter_board(asked)
    table = service.account.tables.get(asked.path["tableId"])
    if table is None or table.board != asked.path["boardId"]:
        raise Refusal(404, "Table not found")
    return table


def row_for(service: Service, asked: CheckedRequest) -> Row:
    """Give the row of a path; 404 if there is none, or the token does not see it."""
    table = table_for(service, asked)
    found = table.rows.get(asked.path["rowId"])
    if not found or not sees(service, asked.token, table, found):
        raise Refusal(404, "Row not found")
    return found


def column_for(service: Service, asked: CheckedRequest) -> Column:
    """Give the rich-text column of a path; 404 if there is none, 400 if it is of another type."""
    column = next((one for one in table_for(service, asked).columns if one.id == asked.path["columnId"]), None)
    if column is None:
        raise Refusal(404, "Column not found")
    if column.type != "DESCRIPTION":
        raise invalid("columnId")
    return column


def sees_all(service: Service) -> bool:
    """Whether no row is hidden from anybody."""
    knobs = service.behaviour
    return knobs.visible_rows == "all" and not knobs.hidden_rows and not knobs.hidden_share


def sees(service: Service, token: Token, table: BoardTable, row: Row) -> bool:
    """Whether a token sees a row."""
    knobs = service.behaviour
    if row.id in knobs.hidden_rows or zlib.crc32(row.id.encode()) / 2**32 < knobs.hidden_share:
        return False
    if knobs.visible_rows == "all":
        return True
    users = {column.id for column in table.columns if column.type == "USERS"}
    cells = service.account.plain_record(row)["columns"]
    return any(cell["columnId"] in users and token.user in (cell.get("value") or ()) for cell in cells)
