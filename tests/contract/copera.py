"""Copera, as the contract's tests see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.copera import PAT, CoperaSandbox, Shape, copera_app
from tests.contract.crm import Crm, Knobs, target_of
from tests.copera import truth
from tests.copies import app_of
from tests.singer import together
from tests.truth import compared

if TYPE_CHECKING:
    from tests.singer import Key, Run

#: The CRM's tables: the account says what their streams are called.
TABLES = {"sales__leads": "Leads", "sales__companies": "Companies"}


class Copera(Crm):
    """Tables in one answer, that the account tells of; trees, and lists by offset, by cursor and by id."""

    name = "copera"
    config: ClassVar[dict[str, Any]] = {"api_key": PAT}
    plain: ClassVar[dict[str, Any]] = {}
    usual_key = "_id"
    shape: ClassVar[dict[str, Any]] = {
        "now": 1_790_000_000,
        "seed": 7,
        "boards": 2,
        "tables": 6,
        "rows": 450,
        "documents": 40,
        "drive_files": 40,
        "channels": 20,
        "comments": 20,
        "stray_cells": 0.0,
    }
    default = truth.FIXED
    unselected = truth.PER_PARENT
    streams = (
        *("boards", "tables", "columns", "custom_fields", "workspace", "members", "channels", "channel_participants"),
        *("documents", "drive_files", "bookings", "notifications", *TABLES),
    )
    whole = (*truth.FIXED, *TABLES)
    telling = ("tables", "columns")
    keys: ClassVar[dict[str, tuple[str, ...]]] = {**truth.KEYS, "row_descriptions": ("row",)}
    edited: ClassVar[dict[str, int]] = dict.fromkeys(TABLES, 1)
    listed = ("channels", "documents", "bookings", "notifications", "drive_files", "members")
    broken = ("notifications", "notifications")
    slow = ("docs", "/rows")
    endless_doubt = frozenset({"empty_page"})
    left_out: ClassVar[dict[str, tuple[Knobs, tuple[str, ...]]]] = {
        "scopes": (
            {"scopes": {"pat": ["access_boards", "access_docs"]}},
            ("channels", "channel_participants", "drive_files", "bookings", "booking_types"),
        ),
    }
    wrong = (
        ({"api_key": ""}, ("`api_key` is missing",)),
        ({"api_key": "wrong0key"}, ("api_key", "cp_pat_")),
    )
    no_effect = ("date_order", "dmy")
    alone = ("channels", frozenset({"chat/channels", "workspace/info"}))
    deselected = ("sales__leads.email", "channels.name", "documents.title")
    # Lists are read whole, page by page; the tables of each board are asked for once.
    idle: ClassVar[dict[str, int]] = {**dict.fromkeys(truth.LISTED, 10), "custom_fields": 3}
    forgotten: ClassVar[dict[str, str]] = {"members": "name"}

    def app(self, shape: dict[str, Any], **knobs: Any) -> CoperaSandbox:  # noqa: ANN401
        """Return the server of a workspace."""
        return app_of(copera_app, Shape, shape, **knobs)

    def differences(self, app: CoperaSandbox, stream: str, *runs: Run) -> dict[str, Any]:
        """Compare all values, in the columns that the runs tell of."""
        telling = together(*runs)
        target = target_of(*runs)
        if "__" in stream:
            (number,) = [key for key, name in truth.streams_of(telling).items() if name == stream]
            return compared(truth.rows_of(app.account, telling, app.account.tables[number]), target.living(stream))
        return truth.differences(app.account, stream, telling, target)

    def other_key(self, app: CoperaSandbox) -> dict[str, Any]:
        """Let the token be good again: a workspace has one for each user."""
        app.restore()
        return {}

    def named(self, stream: str) -> str:
        """Return the name of a table."""
        return TABLES.get(stream, stream)

    def add_unknown(self, app: CoperaSandbox) -> dict[str, Any]:
        """Give the channels a field more."""
        for record in app.account.lists["channels"].values():
            record["brand_new"] = [1]
        return {"channels": [1]}

    def drop(self, app: CoperaSandbox, stream: str) -> set[Key]:
        """Delete a record, and with a node of a tree those beneath it."""
        before = {self._key(stream, record) for record in app.account.records(stream)}
        app.account.change("delete", {"object": stream, "count": 1})
        return before - {self._key(stream, record) for record in app.account.records(stream)}

    def _key(self, stream: str, record: dict[str, Any]) -> Key:
        return tuple(record[name] for name in self.key_of(stream))

    def is_of_account(self, stream: str) -> bool:
        """Tell whether a stream is a table."""
        return "__" in stream
