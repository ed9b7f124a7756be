"""Boards, tables, rows, comments, markdown and files of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.asking import Ask, invalid
from sandbox.copera.rows_answer import rows_answer
from sandbox.copera.visibility import sees, table_for
from sandbox.exchange import Answer, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copera.sandbox import CoperaSandbox
    from sandbox.copera.schema import BoardTable, Row
    from sandbox.exchange import Record


def boards(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give all boards that the token sees."""
    allowed = app.behaviour.key_boards if ask.token.kind == "key" else None
    found = [one for one in app.world.lists["boards"].values() if allowed is None or one["_id"] in allowed]
    return encoded([one for one in found if _matches(ask, one["name"], one.get("description", ""))])


def board(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give one board."""
    app.enter_board(ask)
    return encoded(app.world.lists["boards"][ask.path["boardId"]])


def tables(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give all tables of a board, with their columns."""
    app.enter_board(ask)
    found = [one for one in app.world.tables.values() if one.board == ask.path["boardId"]]
    return encoded([one.shown() for one in found if _matches(ask, one.name)])


def table(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give one table."""
    return encoded(table_for(app, ask).shown())


def rows(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give all rows of a table."""
    return rows_answer(app, ask, table_for(app, ask))


def row(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give one row by its id."""
    return encoded(app.world.record(_row(app, ask)))


def row_by_number(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give one row by its number."""
    place, number = table_for(app, ask), int(ask.path["rowNumber"])
    for found in place.rows.values():
        if found.number == number and sees(app, ask.token, place, found):
            return encoded(app.world.record(found))
    raise Refusal(404, "Row not found")


def description(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give the markdown of a row's own description."""
    return encoded({"content": app.world.description(_row(app, ask))})


def rich_text(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give the markdown of a DESCRIPTION cell."""
    found = _row(app, ask)
    column = next((c for c in table_for(app, ask).columns if c.id == ask.path["columnId"]), None)
    if column is None:
        raise Refusal(404, "Column not found")
    if column.type != "DESCRIPTION":
        raise invalid("columnId")
    return encoded({"content": app.world.rich_text(found, column.id)})


def comments(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a page of a row's comments."""
    found = _row(app, ask)
    behaviour, after, before = app.behaviour, ask.given["after"], ask.given["before"]
    if after and before:
        raise invalid("before")
    wanted = ask.given["visibility"]
    newest = behaviour.comment_order == "newest"
    shown = [one for one in app.world.comments.get(found.id, ()) if wanted in ("all", one["visibility"])]
    shown.sort(key=lambda one: one["_id"], reverse=newest)
    first, last = 0, len(shown)
    if after:
        first = sum(1 for one in shown if (one["_id"] >= after if newest else one["_id"] <= after))
    if before:
        last = sum(1 for one in shown if (one["_id"] > before if newest else one["_id"] < before))
        first = max(last - behaviour.comment_page, 0)
    page = shown[first : min(first + behaviour.comment_page, last)]
    info: Record = {
        "endCursor": page[-1]["_id"] if page else None,
        "startCursor": page[0]["_id"] if page else None,
        "hasNextPage": first + len(page) < len(shown),
        "hasPreviousPage": first > 0,
    }
    return encoded({"items": page, "pageInfo": info})


def cell_file(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a file of a FILE cell."""
    record = app.world.record(_row(app, ask))
    for cell in record["columns"]:
        if cell["columnId"] == ask.path["columnId"]:
            for one in cell.get("value") or ():
                if isinstance(one, dict) and one.get("fileId") == ask.path["fileId"]:
                    return _file(one)
    raise Refusal(404, "File not found")


def comment_file(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a comment's attachment."""
    for one in app.world.comments.get(_row(app, ask).id, ()):
        attached = one.get("attachment")
        if one["_id"] == ask.path["commentId"] and attached and attached["fileId"] == ask.path["fileId"]:
            return _file(attached)
    raise Refusal(404, "File not found")


def _row(app: CoperaSandbox, ask: Ask) -> Row:
    place: BoardTable = table_for(app, ask)
    found = place.rows.get(ask.path["rowId"])
    if not found or not sees(app, ask.token, place, found):
        raise Refusal(404, "Row not found")
    return found


def _file(file: Record) -> Answer:
    named = f"attachment; filename=\"{file['fileId']}\"; filename*=UTF-8''file-{file['fileId']}"
    headers = [(b"content-disposition", named.encode())]
    return Answer(200, f"content of {file['fileId']}".encode(), headers, file["mimeType"].encode())


def _matches(ask: Ask, *texts: str) -> bool:
    wanted = ask.given.get("q")
    return not wanted or any(wanted.lower() in one.lower() for one in texts)
