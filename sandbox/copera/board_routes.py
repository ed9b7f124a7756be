"""Answers requests for boards, tables, rows, and the comments, markdown and files of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.parameters import CheckedRequest, invalid
from sandbox.copera.rows_answer import rows_answer
from sandbox.copera.visibility import column_for, row_for, sees, table_for
from sandbox.exchange import Answer, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copera.service import Service
    from sandbox.exchange import Record


def boards(service: Service, asked: CheckedRequest) -> Answer:
    """Give all boards that the token sees."""
    allowed = service.behaviour.key_boards if asked.token.kind == "key" else None
    found = [one for one in service.account.lists["boards"].values() if allowed is None or one["_id"] in allowed]
    return encoded([one for one in found if _matches(asked, one["name"], one.get("description", ""))])


def board(service: Service, asked: CheckedRequest) -> Answer:
    """Give one board."""
    service.enter_board(asked)
    return encoded(service.account.lists["boards"][asked.path["boardId"]])


def tables(service: Service, asked: CheckedRequest) -> Answer:
    """Give all tables of a board, with their columns."""
    service.enter_board(asked)
    found = [one for one in service.account.tables.values() if one.board == asked.path["boardId"]]
    return encoded([one.shown() for one in found if _matches(asked, one.name)])


def table(service: Service, asked: CheckedRequest) -> Answer:
    """Give one table."""
    return encoded(table_for(service, asked).shown())


def rows(service: Service, asked: CheckedRequest) -> Answer:
    """Give all rows of a table."""
    return rows_answer(service, asked, table_for(service, asked))


def row(service: Service, asked: CheckedRequest) -> Answer:
    """Give one row by its id."""
    return encoded(service.account.record(row_for(service, asked)))


def row_by_number(service: Service, asked: CheckedRequest) -> Answer:
    """Give one row by its number."""
    place, number = table_for(service, asked), int(asked.path["rowNumber"])
    for found in place.rows.values():
        if found.number == number and sees(service, asked.token, place, found):
            return encoded(service.account.record(found))
    raise Refusal(404, "Row not found")


def description(service: Service, asked: CheckedRequest) -> Answer:
    """Give the markdown of a row's own description."""
    return encoded({"content": service.account.description(row_for(service, asked))})


def rich_text(service: Service, asked: CheckedRequest) -> Answer:
    """Give the markdown of a DESCRIPTION cell."""
    found = row_for(service, asked)
    return encoded({"content": service.account.rich_text(found, column_for(service, asked).id)})


def comments(service: Service, asked: CheckedRequest) -> Answer:
    """Give a page of a row's comments."""
    found = row_for(service, asked)
    behaviour, after, before = service.behaviour, asked.given["after"], asked.given["before"]
    if after and before:
        raise invalid("before")
    wanted = asked.given["visibility"]
    newest = behaviour.comment_order == "newest"
    shown = [one for one in service.account.comments.get(found.id, ()) if wanted in ("all", one["visibility"])]
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


def cell_file(service: Service, asked: CheckedRequest) -> Answer:
    """Give a file of a FILE cell."""
    record = service.account.record(row_for(service, asked))
    for cell in record["columns"]:
        if cell["columnId"] == asked.path["columnId"]:
            for one in cell.get("value") or ():
                if isinstance(one, dict) and one.get("fileId") == asked.path["fileId"]:
                    return _file(one)
    raise Refusal(404, "File not found")


def comment_file(service: Service, asked: CheckedRequest) -> Answer:
    """Give a comment's attachment."""
    for one in service.account.comments.get(row_for(service, asked).id, ()):
        attached = one.get("attachment")
        if one["_id"] == asked.path["commentId"] and attached and attached["fileId"] == asked.path["fileId"]:
            return _file(attached)
    raise Refusal(404, "File not found")


def _file(file: Record) -> Answer:
    named = f"attachment; filename=\"{file['fileId']}\"; filename*=UTF-8''file-{file['fileId']}"
    headers = [(b"content-disposition", named.encode())]
    return Answer(200, f"content of {file['fileId']}".encode(), headers, file["mimeType"].encode())


def _matches(asked: CheckedRequest, *texts: str) -> bool:
    wanted = asked.given.get("q")
    return not wanted or any(wanted.lower() in one.lower() for one in texts)
