"""Every path of the API that reads, and what answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from sandbox.copera import board_routes, lists, search, trees
from sandbox.copera.agenda import STATUSES
from sandbox.copera.asking import JSON, MOMENT, OBJECT_ID, Ask, Parameter, choice, number, text, words
from sandbox.copera.export import export
from sandbox.copera.office import CHANNEL_TYPES
from sandbox.exchange import Answer

if TYPE_CHECKING:
    from sandbox.copera.sandbox import CoperaSandbox
    from sandbox.exchange import Request

Handler: TypeAlias = Callable[["CoperaSandbox", Ask], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path with names for its parts, the area that tokens reach or not, and the parameters it takes."""

    area: str
    template: str
    handler: Handler
    parameters: dict[str, Parameter] = field(default_factory=dict)
    listing: bool = False
    method: str = "GET"
    slash: bool = False
    """Whether a slash at the end is taken, too."""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)))


def find(request: Request) -> tuple[Route, dict[str, str]] | None:
    """Find the first route that fits."""
    slash = request.whole_path.endswith("/")
    for route in ROUTES:
        if route.method == request.method and (route.slash or not slash):
            found = route.pattern.fullmatch(request.path)
            if found:
                return route, found.groupdict()
    return None


_TABLE = "board/{boardId}/table/{tableId}"
_ROW = f"{_TABLE}/row/{{rowId}}"
_Q = {"q": text()}
_CURSORS = {"after": OBJECT_ID, "before": OBJECT_ID}
_TREE = {"parentId": OBJECT_ID, "depth": number(3, 10)}
_SORT = {
    "sortBy": choice("createdAt", "updatedAt", usual="updatedAt"),
    "sortOrder": choice("asc", "desc", usual="desc"),
}
_SEARCH = {"q": text(required=True), "limit": number(20, 50)} | _SORT
_OFFSET = {"offset": number(0, None, 0)}

ROUTES = (
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
        _CURSORS | {"visibility": choice("all", "internal", "external", usual="all")},
        listing=True,
    ),
    Route("export", f"{_TABLE}/export", export, method="POST"),
    Route("docs", "docs/tree", trees.documents, _TREE, listing=True, slash=True),
    Route("docs", "docs/search", search.documents, _SEARCH, listing=True, slash=True),
    Route("docs", "docs/{docId}", trees.document, slash=True),
    Route("docs", "docs/{docId}/md", trees.markdown, slash=True),
    Route("drive", "drive/tree", trees.files, _TREE, listing=True),
    Route("drive", "drive/search", search.files, _SEARCH, listing=True),
    Route("drive", "drive/files/{fileId}", trees.file),
    Route("drive", "drive/files/{fileId}/download", trees.download),
    Route(
        "channels",
        "chat/channels",
        lists.channels,
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
    Route("workspace", "workspace/info", lists.workspace),
    Route("workspace", "workspace/members", lists.members, _Q | {"limit": number(100, 500)} | _OFFSET, listing=True),
    Route("workspace", "workspace/teams", lists.teams, _Q | {"limit": number(100, 200)} | _OFFSET, listing=True),
    Route("notifications", "notifications", lists.notifications, _CURSORS, listing=True, slash=True),
    Route(
        "bookings",
        "bookings",
        lists.bookings,
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
    Route("bookings", "bookings/{uid}", lists.booking),
    Route("bookings", "booking-types", lists.booking_types, listing=True),
    Route(
        "search",
        "search",
        search.everything,
        {"q": text(required=True), "types": words(*search.TYPES), "limit": number(50, 100)} | _SORT,
        listing=True,
    ),
)
