"""Copera's streams that every workspace has, as data; those of its tables are made at discovery."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.contract.stream import StreamSpec
from tap_crm.providers.common.whole_list import WholeList
from tap_crm.providers.copera import tables
from tap_crm.providers.copera.bookings import Bookings, Notifications, booking_types
from tap_crm.providers.copera.people import CHANNELS, MEMBERS, TEAMS, WORKSPACE, ChannelParticipants
from tap_crm.providers.copera.per_row import (
    document_content,
    documents,
    per_place,
    rich_text_cell,
    rich_text_cells,
    row_comments,
    row_description,
    rows,
)
from tap_crm.providers.copera.tables import CHANGED, Described, table_streams
from tap_crm.providers.copera.trees import DOCUMENTS, DRIVE_FILES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record
    from tap_crm.providers.copera.account import Account

_log = logging.getLogger("tap-crm.copera")

NAMES = (
    *("boards", "tables", "columns", "custom_fields", "pipelines"),
    *("workspace", "members", "teams", "channels", "channel_participants", "documents", "drive_files"),
    *("bookings", "booking_types", "notifications"),
    *("row_comments", "row_descriptions", "rich_text_cells", "document_contents", "sync_audit", "writes"),
)


def _described(
    name: str,
    keys: tuple[str, ...],
    records: Callable[[list[tables.Table], Account], list[Record]],
    changed: str | None = None,
) -> StreamSpec:
    return StreamSpec(name, keys, Described(records, NAMES), changed=changed)


STREAMS = (
    _described("boards", ("_id",), tables.boards, CHANGED),
    _described("tables", ("_id",), tables.tables, CHANGED),
    _described("columns", ("table", "columnId"), tables.columns),
    _described("custom_fields", ("table_id", "id"), tables.custom_fields),
    _described("pipelines", ("table", "columnId"), tables.pipelines),
    StreamSpec("workspace", ("_id",), WORKSPACE, changed=CHANGED),
    StreamSpec("members", ("_id",), MEMBERS),
    StreamSpec("teams", ("_id",), TEAMS, changed=CHANGED),
    StreamSpec("channels", ("_id",), CHANNELS, changed=CHANGED),
    StreamSpec("channel_participants", ("channel", "participantType", "participant"), ChannelParticipants()),
    StreamSpec("documents", ("_id",), DOCUMENTS, changed=CHANGED),
    StreamSpec("drive_files", ("_id",), DRIVE_FILES, changed=CHANGED),
    StreamSpec("bookings", ("uid",), Bookings()),
    StreamSpec("booking_types", ("_id",), WholeList("/booking-types", booking_types)),
    StreamSpec("notifications", ("_id",), Notifications(), changed=CHANGED),
    StreamSpec("row_comments", ("_id",), per_place(rows, row_comments), changed=CHANGED, selected=False),
    StreamSpec("row_descriptions", ("row",), per_place(rows, row_description), selected=False),
    StreamSpec("rich_text_cells", ("row", "columnId"), per_place(rich_text_cells, rich_text_cell), selected=False),
    StreamSpec(
        "document_contents",
        ("document",),
        per_place(documents, document_content, DOCUMENTS.probe),
        changed=CHANGED,
        selected=False,
    ),
)


def discover(reading: Reading) -> list[tuple[StreamSpec, dict[str, Any]]]:
    """Return the streams of the workspace's tables; none where the token has no access to boards."""
    try:
        return table_streams(reading, NAMES)
    except errors.Forbidden as error:
        _log.warning("no boards, and no streams of tables: %s", error)
        return []
