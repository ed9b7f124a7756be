"""The knobs of the Copera server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sandbox.behaviour import CommonBehaviour

Form: TypeAlias = Literal["array", "range", "object", "string", "number"]


@dataclass(slots=True)
class OffsetChurn:
    """Inserts and deletes in a list right before each of its pages from the second on."""

    insert: int = 0
    delete: int = 0
    times: int = 0
    """Pages that this happens before, at most; 0: all."""


@dataclass(slots=True)
class RowsCut:
    """Cuts answers of the rows route."""

    at: float = 0.0
    """Bytes that are sent: below 1 a part of all, from 1 on a number, below 0 a number counted from the end."""
    how: Literal["off", "short_message", "closed", "chunks_end", "chunks_closed"] = "off"
    """A whole message that is too short; the connection closed before the length that was declared; without a
    Content-Length, ended as if it were whole; without one, the connection closed."""
    times: int = 0
    """Answers, at most; 0: all."""
    table: str = ""
    """The id of the only table that this happens to."""


@dataclass(slots=True)
class Automation:
    """Cells that an automation of the board sets in a row that was just written, as the AI user."""

    table: str
    """Id or name."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Values by column id or label, as the verb `edit` takes them."""
    on: Literal["create", "update", "both"] = "both"
    shown: bool = False
    """Whether the answer to the write has them already."""


@dataclass(slots=True)
class BookingWebhook:
    """An address that was set in the app to be told of bookings."""

    target: str
    secret: str
    """What its requests are signed with."""
    events: list[str] = field(default_factory=list)
    """Such as `booking.created`; empty means all."""


@dataclass(slots=True, kw_only=True)
class Behaviour(CommonBehaviour):
    """How the server answers where the documentation leaves it open, or where workspaces differ."""

    rate_limit: int = 50
    """Requests admitted per window, route and integration user; 0 means no limit."""
    rate_window: float = 60.0
    create_limit: int = 30
    """Rows that may be created per window; 0 means no limit."""
    rate_limits: dict[str, int] = field(default_factory=dict)
    """Other limits by route, as `board/{boardId}/tables`; those of writes have the method before the path."""
    rate_scope: Literal["user", "workspace"] = "user"
    """Whether tokens of one workspace have counters of their own."""
    window_start: Literal["first", "clock"] = "first"
    """A window begins with the first request after the last one, or at multiples of `rate_window` on the clock."""
    rate_headers: bool = True
    reset_form: Literal["epoch", "delta"] = "epoch"
    """`x-ratelimit-reset`: the second of the reset, or the seconds until it."""
    limit_body: Literal["retryAfter", "code"] = "retryAfter"
    """The body of a 429: the usual shape with `retryAfter`, or `{error, code}`."""
    error_shape: Literal["statusCode", "code", "message"] = "statusCode"
    """`{statusCode, error, message}`, `{error, code}` or `{message, code}`."""
    unknown_parameters: Literal["refused", "ignored"] = "refused"
    token_expires_after: int | None = None
    """Every token answers 401 after so many answers, counted for each from the server's start."""
    scopes: dict[str, list[str]] = field(default_factory=dict)
    """Scopes by token kind (`pat`, `key`, `oat`); a kind that is not named has all."""
    key_boards: list[str] | None = None
    """Ids of the boards that the integration key was added to; None: all."""
    key_channels: list[str] | None = None
    booking_webhooks: list[BookingWebhook] = field(default_factory=list)
    booking_payload: Literal["booking", "data", "payload"] = "data"
    """Whether the body of an event is the booking itself, or names the event and has the booking in a field."""
    forbidden_boards: list[str] = field(default_factory=list)
    """Boards that are listed, but answered 403 by every other route, to every token."""
    visible_rows: Literal["all", "own"] = "all"
    """`own`: only rows that have the token's user in a Users column."""
    hidden_rows: list[str] = field(default_factory=list)
    """Ids of rows that the token does not see."""
    hidden_share: float = 0.0
    """Part of the rows, by their ids, that the token does not see."""
    external_user: bool = False
    """Whether the token's user is external, and may not search."""
    row_order: Literal["created", "newest", "shuffled"] = "created"
    """`shuffled`: another order at each request."""
    rows_as: Literal["number", "string"] = "number"
    """What `rowId` is."""
    cell_forms: dict[str, Form] = field(default_factory=dict)
    """Another form of the values of a column type: `{"STATUS": "array", "DATE": "range"}`."""
    transfer: Literal["length", "chunked"] = "length"
    """Whether the rows answer has a Content-Length."""
    rows_cut: RowsCut = field(default_factory=RowsCut)
    schema_moves_table: bool = False
    """Whether a change of columns or options moves the table's `updatedAt`."""
    markdown_moves_row: bool = False
    """Whether an edited markdown text or a comment moves the row's `updatedAt`."""
    markdown_lag: float = 0.0
    """Seconds until an edited markdown text shows."""
    comment_page: int = 20
    comment_order: Literal["oldest", "newest"] = "oldest"
    offset_churn: OffsetChurn = field(default_factory=OffsetChurn)
    presence_changes: bool = False
    """Whether members' `status` is another one at each request."""
    parent_semantics: Literal["node", "children"] = "children"
    """What `parentId` of a tree gives: the node itself at the root, or its children."""
    tree_cap: int = 500
    depth_cut: Literal["unlisted", "listed"] = "unlisted"
    """Whether nodes whose children lie too deep are in `nextParentIds`."""
    cut_children: Literal["empty", "absent"] = "empty"
    """What `children` is where children are cut off, or where there are none."""
    tree_total: Literal["all", "answer"] = "all"
    """What `totalDocs` and `totalItems` count: everything that is visible, or what the answer holds."""
    offset_total: Literal["all", "answer"] = "all"
    """What `total` of a list by offset counts, likewise."""
    notification_order: Literal["newest", "oldest"] = "newest"
    notification_after: Literal["newer", "next"] = "newer"
    """`after`: newer than that one, as the reference says, or what comes next in the list, as the guide says."""
    notification_page: int = 20
    notification_count: Literal["total", "page"] = "total"
    status_case: Literal["lower", "upper"] = "lower"
    """How notifications spell `status`."""
    bookings: Literal["available", "404"] = "available"
    bookings_envelope: str = "bookings"
    """The property that holds the bookings; empty: a bare array, which then has all of them."""
    booking_types_envelope: str = "bookingTypes"
    """The same of the booking types."""
    last_cursor: Literal["null", "absent"] = "null"
    """What `nextCursor` is on the last page of bookings."""
    signed_url_ttl: float = 60.0
    """Seconds that a download address of the drive works."""
    rejected_values: Literal["ignored", "refused"] = "ignored"
    """What becomes of a written cell whose column is unknown or whose value does not fit: nothing, or a 400."""
    read_only_cells: Literal["ignored", "refused"] = "ignored"
    """The same of a cell that only the CRM sets, or that has a route of its own."""
    unlisted_cells: Literal["kept", "cleared"] = "kept"
    """What becomes of the cells that an update does not name."""
    clearing: Literal["both", "null", "empty"] = "both"
    """Whether null, "" or both empty a cell that holds no array; an array is always emptied by []."""
    created_status: Literal[200, 201] = 200
    unchanged_moves_updated: bool = True
    """An update that changes nothing moves `updatedAt` all the same."""
    automations: list[Automation] = field(default_factory=list[Automation])
    comment_deletes: bool = True
    """Whether comments can be deleted by the API at all."""
