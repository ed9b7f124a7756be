"""The routes that read, and what answers them."""

from __future__ import annotations

from sandbox.copera import (
    board_routes,
    booking_routes,
    notification_routes,
    search,
    tree_routes,
    workspace_routes,
)
from sandbox.copera.export import export
from sandbox.copera.parameters import JSON, MOMENT, OBJECT_ID, choice, number, some_of, text
from sandbox.copera.route import Route
from sandbox.copera.samples.bookings import STATUSES
from sandbox.copera.samples.channels import CHANNEL_TYPES

_TABLE = "board/{boardId}/table/{tableId}"
_ROW = f"{_TABLE}/row/{{rowId}}"
_Q = {"q": text()}
_CURSORS = {"after": OBJECT_ID, "before": OBJECT_ID}
_TREE = {"parentId": OBJECT_ID, "depth": number(3, 10)}
_SORT = {
    "sortBy": choice("createdAt", "updatedAt", default="updatedAt"),
    "sortOrder": choice("asc", "desc", default="desc"),
}
_SEARCH = {"q": text(required=True), "limit": number(20, 50)} | _SORT
_OFFSET = {"offset": number(0, None, 0)}

ROUTES: tuple[Route, ...] = (
    Route("boards", "board/list-boards", board_routes.boards, _Q, listing=True),
    Route("boards", "board/{boardId}", board_routes.board),
    Route("boards", "board/{boardId}/tables", board_routes.tables, _Q, listing=True),
    Route("boards", _TABLE, board_routes.table),
    Route("boards", f"{_TABLE}/rows", board_routes.rows, _Q | {"filter": JSON, "sort": text()}, listing=True),
    Route("boards", _ROW, board_routes.row),
    Route("boards", f"{_TABLE}/row-number/{{rowNumber}}", board_routes.row_by_number),
    Route("boards", f"{_ROW}/md", board_routes.description),
    Route("boards", f"{_ROW}/column/{{columnId}}/md", board_routes.rich_text),
    Route("boards", f"{_ROW}/column/{{columnId}}/file/{{fileId}}/download", board_routes.cell_file),
    Route("boards", f"{_ROW}/comment/{{commentId}}/file/{{fileId}}/download", board_routes.comment_file),
    Route(
        "boards",
        f"{_ROW}/comments",
        board_routes.comments,
        _CURSORS | {"visibility": choice("all", "internal", "external", default="all")},
        listing=True,
    ),
    Route("export", f"{_TABLE}/export", export, method="POST"),
    Route("docs", "docs/tree", tree_routes.documents, _TREE, listing=True, slash=True),
    Route("docs", "docs/search", search.documents, _SEARCH, listing=True, slash=True),
    Route("docs", "docs/{docId}", tree_routes.document, slash=True),
    Route("docs", "docs/{docId}/md", tree_routes.markdown, slash=True),
    Route("drive", "drive/tree", tree_routes.files, _TREE, listing=True),
    Route("drive", "drive/search", search.files, _SEARCH, listing=True),
    Route("drive", "drive/files/{fileId}", tree_routes.file),
    Route("drive", "drive/files/{fileId}/download", tree_routes.download),
    Route(
        "channels",
        "chat/channels",
        workspace_routes.channels,
        {
            "q": text(200),
            "type": choice(*CHANNEL_TYPES),
            "kind": choice("group", "dm"),
            "participantId": OBJECT_ID,
            "limit": number(100, 200),
        }
        | _OFFSET,
        listing=True,
    ),
    Route("workspace", "workspace/info", workspace_routes.workspace),
    Route(
        "workspace",
        "workspace/members",
        workspace_routes.members,
        _Q | {"limit": number(100, 500)} | _OFFSET,
        listing=True,
    ),
    Route(
        "workspace", "workspace/teams", workspace_routes.teams, _Q | {"limit": number(100, 200)} | _OFFSET, listing=True
    ),
    Route("notifications", "notifications", notification_routes.notifications, _CURSORS, listing=True, slash=True),
    Route(
        "bookings",
        "bookings",
        booking_routes.bookings,
        {
            "status": choice(*STATUSES),
            "bookingTypeId": OBJECT_ID,
            "from": MOMENT,
            "to": MOMENT,
            "limit": number(25, 100),
            "cursor": text(),
        },
        listing=True,
    ),
    Route("bookings", "bookings/{uid}", booking_routes.booking),
    Route("bookings", "booking-types", booking_routes.booking_types, listing=True),
    Route(
        "search",
        "search",
        search.everything,
        {"q": text(required=True), "types": some_of(*search.TYPES), "limit": number(50, 100)} | _SORT,
        listing=True,
    ),
)
