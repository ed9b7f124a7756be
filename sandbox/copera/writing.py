"""The routes that create, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.copera.parameters import invalid
from sandbox.copera.route import Route
from sandbox.copera.visibility import column_for, row_for, table_for
from sandbox.copera.writes import comments, texts
from sandbox.copera.writes.bodies import body_of, cells_in, text_in
from sandbox.exchange import Answer, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copera.parameters import CheckedRequest
    from sandbox.copera.service import Service

_TABLE = "board/{boardId}/table/{tableId}"
_ROW = f"{_TABLE}/row/{{rowId}}"
CREATE_ROW = f"POST {_TABLE}/row"
"""The route whose limit is published."""


def _create(service: Service, asked: CheckedRequest) -> Answer:
    table = table_for(service, asked)
    body = body_of(asked.request, service.behaviour, "columns", "description")
    given, described = cells_in(body), text_in(body, "description")
    made = service.row_writer.create(table, given, described, asked.token.user, carried=asked.request.carries())
    return encoded(made, service.behaviour.created_status)


def _update(service: Service, asked: CheckedRequest) -> Answer:
    table, row = table_for(service, asked), row_for(service, asked)
    given = cells_in(body_of(asked.request, service.behaviour, "columns"))
    return encoded(service.row_writer.update(table, row, given, asked.token.user, carried=asked.request.carries()))


def _delete(service: Service, asked: CheckedRequest) -> Answer:
    service.row_writer.delete(table_for(service, asked), row_for(service, asked), carried=asked.request.carries())
    return Answer(204, b"")


def _describe(service: Service, asked: CheckedRequest) -> Answer:
    return _queued(service, asked, "")


def _write_rich_text(service: Service, asked: CheckedRequest) -> Answer:
    return _queued(service, asked, column_for(service, asked).id)


def _queued(service: Service, asked: CheckedRequest, column: str) -> Answer:
    row = row_for(service, asked)
    body = body_of(asked.request, service.behaviour, "operation", "content")
    operation, content = text_in(body, "operation", required=True), text_in(body, "content", required=True)
    if operation not in texts.OPERATIONS:
        raise invalid("operation")
    if asked.request.carries():
        texts.write(service.account, row, column, operation or "", content or "")
    return Answer(202, msgspec.json.encode({"queued": True}))


def _comment(service: Service, asked: CheckedRequest) -> Answer:
    row = row_for(service, asked)
    body = body_of(asked.request, service.behaviour, "content", "visibility")
    content, visibility = text_in(body, "content", required=True), text_in(body, "visibility") or "internal"
    if not content:
        raise invalid("content")
    if visibility not in comments.VISIBILITIES:
        raise invalid("visibility")
    said = {"content": content, "visibility": visibility}
    made = comments.create(service.account, row, said, asked.token.user, carried=asked.request.carries())
    return encoded(made, service.behaviour.created_status)


def _delete_comment(service: Service, asked: CheckedRequest) -> Answer:
    row = row_for(service, asked)
    if not service.behaviour.comment_deletes:
        raise Refusal(404, f"Route {asked.request.method}:{asked.request.whole_path} not found")
    comments.delete(service.account, row, asked.path["commentId"], carried=asked.request.carries())
    return Answer(204, b"")


ROUTES: tuple[Route, ...] = tuple(
    Route("boards", template, handler, method=method, write=True)
    for method, template, handler in (
        ("POST", f"{_TABLE}/row", _create),
        ("PATCH", _ROW, _update),
        ("DELETE", _ROW, _delete),
        ("POST", f"{_ROW}/md", _describe),
        ("POST", f"{_ROW}/column/{{columnId}}/md", _write_rich_text),
        ("POST", f"{_ROW}/comment", _comment),
        ("DELETE", f"{_ROW}/comment/{{commentId}}", _delete_comment),
    )
)
