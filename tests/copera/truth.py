"""What a target should hold, made from the sandbox's own truth and the schema files, not by the tap's code."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tests.truth import Contract, compared, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.copera import CoperaAccount
    from sandbox.copera.schema import BoardTable
    from tests.singer import Key, Record, Run
    from tests.target import Target

#: Made from what discovery reads.
DESCRIBED = ("boards", "tables", "columns", "custom_fields", "pipelines")
LISTED = (
    *("workspace", "members", "teams", "channels", "channel_participants", "documents", "drive_files"),
    *("bookings", "booking_types", "notifications"),
)
FIXED = (*DESCRIBED, *LISTED)
#: Not selected unless asked for.
PER_PARENT = ("row_comments", "row_descriptions", "rich_text_cells", "document_contents")
KEYS = {
    "columns": ("table", "columnId"),
    "custom_fields": ("table_id", "id"),
    "pipelines": ("table", "columnId"),
    "channel_participants": ("channel", "participantType", "participant"),
    "bookings": ("uid",),
    "row_descriptions": ("row",),
    "rich_text_cells": ("row", "columnId"),
    "document_contents": ("document",),
}


#: Types whose values have one form; those of the others, and of types that nobody knows, are JSON text.
TYPED = (
    *("TEXT", "DESCRIPTION", "EMAIL", "PHONE", "WEBSITE", "URL", "FORMULA", "FUNCTION", "PASSWORD", "DATE"),
    *("CREATED_BY", "LAST_MODIFIED_BY", "CREATED_AT", "UPDATED_AT", "NUMBER", "MONEY", "DURATION", "TRACKER"),
    *("AUTONUMBER", "CHECKBOX"),
)


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _json_text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    return None if value is None else _ENCODER.encode(exact(value)).decode()


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")


CONTRACT = Contract("copera", _moment, lambda text: text)


def streams_of(run: Run) -> dict[str, str]:
    """Return the stream of each table, by the table's id, as the run itself says."""
    return {record["_id"]: record["stream"] for record in run.records("tables")}


def fields_of(run: Run) -> dict[str, dict[str, str]]:
    """Return the property of each column, by the ids of table and column, as the run itself says."""
    fields: dict[str, dict[str, str]] = {}
    for record in run.records("columns"):
        fields.setdefault(record["table"], {})[record["columnId"]] = record["field"]
    return fields


# Rows


class RowsTruth:
    """The rows of one table as they should arrive.

    Args:
        account: the sandbox's.
        table: the sandbox's.
        fields: the property of each column.
        form: the setting ``custom_fields``.
        names: of users by id; empty where the token may not read members.
    """

    def __init__(
        self,
        account: CoperaAccount,
        table: BoardTable,
        fields: Mapping[str, str],
        form: str = "columns",
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._account, self._table, self._fields, self._form = account, table, fields, form
        members = account.lists["members"]
        self._names = {key: one["name"] for key, one in members.items()} if names is None else names
        self._kinds = {column.id: column.type for column in table.columns}
        self._labels = {
            option["optionId"]: option.get("label", option["optionId"])
            for column in table.columns
            for option in column.options
        }

    def rows(self, hidden: frozenset[str] = frozenset()) -> dict[Key, Record]:
        """Return every living row by its key."""
        found = (self._account.plain_record(row) for key, row in self._table.rows.items() if key not in hidden)
        return {(row["_id"],): self._row(row) for row in found}

    def _row(self, row: Record) -> Record:
        cells = row.pop("columns")
        for name in ("createdAt", "updatedAt"):
            row[name] = _moment(row[name])
        if self._form != "columns":
            row["columns"] = exact(cells)
        if self._form == "raw":
            return row
        by_id = {cell["columnId"]: cell for cell in cells}
        for key, kind in self._kinds.items():
            row.update(self._cell(self._fields[key], kind, by_id.pop(key, {})))
        if by_id:
            row["_extra"] = {key: exact(cell["value"]) for key, cell in by_id.items()}
        return row

    def _cell(self, field: str, kind: str, cell: Record) -> Record:
        value = exact(cell.get("value"))
        value = None if value in ("", []) else value
        ids = value if value is None or isinstance(value, list) else [value]
        if kind in ("STATUS", "DROPDOWN", "LABELS"):
            labels = ids and [self._labels.get(one, one) for one in ids]
            found = {field: labels if kind == "LABELS" or labels is None else labels[0]}
            return {**found, f"{field}_ids": ids} if self._form == "both" else found
        if kind == "USERS":
            return {field: ids, f"{field}_names": ids and [self._names.get(one) for one in ids]}
        if kind == "LINK":
            return {field: ids, f"{field}_labels": cell.get("linkValue") or None}
        if kind not in TYPED:
            return {field: _json_text((cell.get("lookupValue") or None) if kind == "LOOKUP" else value)}
        if kind in ("CREATED_AT", "UPDATED_AT"):
            return {field: value and _moment(str(value))}
        if kind == "TEXT" and isinstance(value, (int, Decimal)):
            value = str(value)
        return {field: value}


def rows_of(
    account: CoperaAccount,
    run: Run,
    table: BoardTable,
    form: str = "columns",
    **more: Any,  # noqa: ANN401 - what `RowsTruth` takes
) -> dict[Key, Record]:
    """Return the living rows of a table as they should arrive under the names that a run tells."""
    return RowsTruth(account, table, fields_of(run)[table.id], form, **more).rows()


def table_differences(account: CoperaAccount, run: Run, target: Target, form: str = "columns", **more: Any) -> Record:  # noqa: ANN401
    """Return, by stream, what is missing, surplus or different in the tables of a target; empty if it is the truth."""
    streams = streams_of(run)
    found = {
        streams[table.id]: compared(rows_of(account, run, table, form, **more), target.living(streams[table.id]))
        for table in account.tables.values()
    }
    return {stream: some for stream, some in found.items() if some}


# Everything else


def expected(account: CoperaAccount, stream: str, run: Run) -> dict[Key, Record]:
    """Return every living record of a fixed stream as it should arrive, by its key."""
    make = _MADE.get(stream)
    records = make(account, run) if make else account.records(stream)
    shaped = [CONTRACT.as_it_should_arrive(stream, record) for record in records]
    return {tuple(record[name] for name in KEYS.get(stream, ("_id",))): record for record in shaped}


def differences(account: CoperaAccount, stream: str, run: Run, target: Target) -> Record:
    """Return the keys that are missing, surplus or different in a fixed stream; empty if it equals the truth."""
    return compared(expected(account, stream, run), target.living(stream))


def _tables(account: CoperaAccount, run: Run) -> list[Record]:
    streams = streams_of(run)
    found = account.records("tables")
    return [{**{k: v for k, v in one.items() if k != "columns"}, "stream": streams[one["_id"]]} for one in found]


def _columns(account: CoperaAccount, run: Run) -> list[Record]:
    streams, fields = streams_of(run), fields_of(run)
    return [
        {**one, "stream": streams[one["table"]], "field": fields[one["table"]][one["columnId"]]}
        for one in account.records("columns")
    ]


def _custom_fields(account: CoperaAccount, run: Run) -> list[Record]:
    boards = account.lists["boards"]
    return [
        {
            "id": one["columnId"],
            "name": one["label"],
            "type": one["type"],
            "options": [
                {
                    "id": option["optionId"],
                    "name": option.get("label"),
                    "order": option["order"],
                    "color": option.get("color"),
                    "status_group": option.get("statusGroup"),
                }
                for option in one.get("options", ())
            ],
            "table_id": one["table"],
            "table_name": account.tables[one["table"]].name,
            "board_id": one["board"],
            "board_name": boards[one["board"]]["name"],
            "stream": one["stream"],
            "field": one["field"],
        }
        for one in _columns(account, run)
    ]


def _pipelines(account: CoperaAccount, run: Run) -> list[Record]:
    return [
        {
            "table": one["table"],
            "columnId": one["columnId"],
            "board": one["board"],
            "name": one["label"],
            "table_name": account.tables[one["table"]].name,
            "stream": one["stream"],
            "stages": sorted(one["options"], key=lambda option: option["order"]),
        }
        for one in _columns(account, run)
        if one["type"] == "STATUS"
    ]


def _nodes(name: str) -> Callable[[CoperaAccount, Run], list[Record]]:
    def made(account: CoperaAccount, _: Run) -> list[Record]:
        nodes = account.records(name)
        parents = {node.get("parent") for node in nodes}
        return [{**node, "hasChildren": node["_id"] in parents} for node in nodes]

    return made


def _participants(account: CoperaAccount, _: Run) -> list[Record]:
    return [
        {"channel": one["_id"], "participantType": kind, "participant": who}
        for one in account.records("channels")
        for kind, name in (("user", "participantUserIds"), ("team", "participantTeamIds"))
        for who in one[name]
    ]


def _contents(account: CoperaAccount, _: Run) -> list[Record]:
    documents = account.lists["documents"]
    return [
        {
            "document": one["_id"],
            "title": documents[one["_id"]]["title"],
            "updatedAt": documents[one["_id"]]["updatedAt"],
            "content": one["content"],
        }
        for one in account.records("document_contents")
    ]


_MADE: dict[str, Callable[[CoperaAccount, Run], list[Record]]] = {
    "tables": _tables,
    "columns": _columns,
    "custom_fields": _custom_fields,
    "pipelines": _pipelines,
    "documents": _nodes("documents"),
    "drive_files": _nodes("drive_files"),
    "channel_participants": _participants,
    "row_comments": lambda account, _: account.records("comments"),
    "document_contents": _contents,
}
