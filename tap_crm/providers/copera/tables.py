"""A stream for each table: its name, its schema, its columns; and the streams that describe tables."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tap_crm.config.nearest import did_you_mean
from tap_crm.contract.stream import StreamSpec
from tap_crm.errors import ConfigError
from tap_crm.providers.copera.account import Account, account
from tap_crm.providers.copera.columns import Column, columns_of
from tap_crm.providers.copera.rows import TableRows
from tap_crm.providers.copera.settings import CoperaSettings
from tap_crm.shaping.naming import ID_PART, LONGEST, set_apart, slug
from tap_crm.shaping.schema import EXTRA, load_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record
    from tap_crm.providers.copera.settings import PinnedTable

#: What Copera calls the time of a record's last change.
CHANGED = "updatedAt"
CELLS = {
    "type": ["array", "null"],
    "description": "The cells as the API gives them.",
    "items": {"type": ["object", "null"], "properties": {}, "additionalProperties": True},
}
_CAUGHT = (
    "every row by each run; rows that disappear leave the target, by ACTIVATE_VERSION after the table was read whole"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what is made of it.

    Attributes:
        record: as the API gives it, with its columns.
        board: the board's record.
        stream: the name of its stream.
        columns: by id.
    """

    record: Record
    board: Record
    stream: str
    columns: Mapping[str, Column]

    def with_names(self, names: Mapping[str, str]) -> Table:
        """Return the same with other names of columns, by those that they have."""
        told = {key: replace(one, name=names.get(one.name, one.name)) for key, one in self.columns.items()}
        return replace(self, columns=told) if names else self


def tables_of(found: Account, pinned: Iterable[PinnedTable], taken: Iterable[str]) -> list[Table]:
    """Return the tables, each with the name of its stream.

    Raises:
        ConfigError: the setting ``tables`` names a table that is not there, that is there twice, or that it has named
            before; or it gives a stream the name of another one.
    """
    boards = {board["_id"]: board for board in found.boards}
    names = _stream_names(found, boards, frozenset(taken))
    pins: dict[str, str] = {}
    for pin in pinned:
        table = _pinned_table(found, boards, pin)
        if table in pins:
            raise ConfigError(f"the setting `tables` gives one table two streams, `{pins[table]}` and `{pin.stream}`")
        pins[table] = pin.stream
    names.update(pins)
    doubled = sorted({name for name in names.values() if list(names.values()).count(name) > 1 or name in taken})
    if doubled:
        raise ConfigError(f"the setting `tables` gives a stream a name that another one has: {', '.join(doubled)}")
    return [
        Table(record, boards[record["board"]], names[record["_id"]], columns_of(record))
        for record in found.tables
        if record["board"] in boards
    ]


def _stream_names(found: Account, boards: Mapping[str, Record], taken: frozenset[str]) -> dict[str, str]:
    """Return ``<board>__<table>`` for each table; equal names end in a part of the table's id."""
    half = (LONGEST - ID_PART - 4) // 2
    return set_apart(
        [
            (table["_id"], f"{_title(boards.get(table['board'], {}), 'board', half)}__{_title(table, 'table', half)}")
            for table in found.tables
        ],
        taken,
    )


def _title(record: Record, otherwise: str, most: int) -> str:
    return slug(str(record.get("name") or ""), most) or otherwise


def _pinned_table(found: Account, boards: Mapping[str, Record], pin: PinnedTable) -> str:
    """Return the id of the table that the setting means, by ids or by names."""
    matching = [
        table["_id"]
        for table in found.tables
        if pin.table in (table["_id"], table.get("name"))
        and pin.board in (table["board"], boards.get(table["board"], {}).get("name"))
    ]
    if len(matching) != 1:
        raise ConfigError(f"the setting `tables`, stream `{pin.stream}`: {_not_one(found, pin, len(matching))}")
    key: str = matching[0]
    return key


def _not_one(found: Account, pin: PinnedTable, matching: int) -> str:
    """Return why a table was not found, or not it alone; people's own names of boards and tables are no secret."""
    if matching:
        return (
            f"{matching} tables are called `{pin.table}` on the board `{pin.board}`; name board and table by their ids"
        )
    boards = [board for board in found.boards if pin.board in (board["_id"], board.get("name"))]
    if not boards:
        names = [str(board.get("name") or board["_id"]) for board in found.boards]
        return f"there is no board `{pin.board}`, or the token does not see it{did_you_mean(pin.board, names)}"
    there = {board["_id"] for board in boards}
    names = [str(table.get("name") or table["_id"]) for table in found.tables if table["board"] in there]
    return f"the board `{pin.board}` has no table `{pin.table}`{did_you_mean(pin.table, names)}"


def schema_of(table: Table, form: str) -> dict[str, Any]:
    """Return the schema of a table's stream: the fixed fields of every row, then its columns."""
    schema = copy.deepcopy(load_schema("copera", "_row"))
    fixed = schema["properties"]
    extra = fixed.pop(EXTRA)
    if form in ("raw", "both"):
        fixed["columns"] = CELLS
    if form != "raw":
        for column in table.columns.values():
            fixed.update(column.properties(with_ids=form == "both"))
    fixed[EXTRA] = extra
    schema["title"] = f"Copera: {table.board.get('name')}, {table.record.get('name')}"
    schema["description"] = f"Rows of the table {table.record['_id']} on the board {table.record['board']}."
    return schema


def table_streams(reading: Reading, taken: Iterable[str]) -> list[tuple[StreamSpec, dict[str, Any]]]:
    """Return a stream for each table that the token sees, with its schema."""
    settings = reading.settings
    return [
        (
            StreamSpec(
                table.stream,
                ("_id",),
                TableRows(table.record["board"], table.record["_id"], table.columns),
                changed=CHANGED,
                versioned=True,
                caught=_CAUGHT,
            ),
            schema_of(table, settings.custom_fields),
        )
        for table in tables_of(account(reading), settings.of(CoperaSettings).tables, taken)
    ]


# The streams that describe tables


@dataclass(frozen=True, slots=True)
class Described:
    """A stream made of what discovery read: no request of its own."""

    records: Callable[[list[Table], Account], list[Record]]
    taken: tuple[str, ...]

    def read(self, reading: Reading) -> None:
        """Emit what describes boards, tables or columns."""
        found = account(reading)
        for board in found.left_out:
            reading.ledger.gap(f"board {board} is not readable with this token")
        for record in found.boards:
            if record["_id"] not in found.left_out:
                tables = [table for table in found.tables if table["board"] == record["_id"]]
                reading.lists.note(f"board {record['_id']}", len(tables))
        pins = reading.settings.of(CoperaSettings).tables
        described = tables_of(found, pins, self.taken)
        told = [table.with_names(reading.told_names.get(table.stream, {})) for table in described]
        reading.emit_records(self.records(told, found))

    def probe(self, reading: Reading) -> None:
        """Ask for the boards, if that was not done yet."""
        account(reading)


def boards(_: list[Table], found: Account) -> list[Record]:
    """Return the boards as they are."""
    return found.boards


def tables(found: list[Table], _: Account) -> list[Record]:
    """Return the tables without their columns, with the names of their streams."""
    return [
        {**{name: value for name, value in table.record.items() if name != "columns"}, "stream": table.stream}
        for table in found
    ]


def columns(found: list[Table], _: Account) -> list[Record]:
    """Return the columns of all tables as they are."""
    return [
        {
            **column,
            "table": table.record["_id"],
            "board": table.record["board"],
            "stream": table.stream,
            "field": table.columns[column["columnId"]].name,
        }
        for table in found
        for column in table.record["columns"]
    ]


def custom_fields(found: list[Table], _: Account) -> list[Record]:
    """Return the columns in the words that other CRMs use for definitions of custom fields."""
    return [
        {
            "id": column["columnId"],
            "name": column.get("label"),
            "type": column.get("type"),
            "options": [
                {
                    "id": option.get("optionId"),
                    "name": option.get("label"),
                    "order": option.get("order"),
                    "color": option.get("color"),
                    "status_group": option.get("statusGroup"),
                }
                for option in column.get("options") or ()
            ],
            "table_id": table.record["_id"],
            "table_name": table.record.get("name"),
            "board_id": table.record["board"],
            "board_name": table.board.get("name"),
            "stream": table.stream,
            "field": table.columns[column["columnId"]].name,
        }
        for table in found
        for column in table.record["columns"]
    ]


def pipelines(found: list[Table], _: Account) -> list[Record]:
    """Return each STATUS column as a pipeline, its options in order as the stages."""
    return [
        {
            "table": table.record["_id"],
            "columnId": column["columnId"],
            "board": table.record["board"],
            "name": column.get("label"),
            "table_name": table.record.get("name"),
            "stream": table.stream,
            "stages": sorted(column.get("options") or (), key=lambda option: option.get("order") or 0),
        }
        for table in found
        for column in table.record["columns"]
        if str(column.get("type")).upper() == "STATUS"
    ]
