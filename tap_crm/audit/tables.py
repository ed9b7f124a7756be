"""What a loaded schema has: its tables, up to when each was loaded, and a table's keys and change times."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tap_crm.audit.database import DatabaseError, quoted
from tap_crm.audit.keys import Key, key_of
from tap_crm.contract.stream import AUDIT
from tap_crm.shaping.moments import to_epoch
from tap_crm.shaping.schema import DELETED_AT, load_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_crm.audit.database import Connection
    from tap_crm.shaping.account_column import AccountColumn

T = TypeVar("T")

#: Where a table was loaded from is complete up to so many seconds before its reading began, as for every bookmark.
BEHIND_THE_CLOCK = 5
#: The time of a row that has none.
NO_TIME = -(2**62)
#: Flags of a row.
MARKED, BEFORE_START = 1, 2
_LOADERS = "_sdc_"


def named(known: Mapping[str, T], name: str) -> str | None:
    """Return the name by which something is known: just so, else in other capitals; None if it is not known."""
    if name in known:
        return name
    return next((one for one in known if one.casefold() == name.casefold()), None)


@dataclass(frozen=True, slots=True)
class ComparedColumns:
    """The columns of a table that are compared.

    Attributes:
        primary_key: its columns.
        changed: the time of the last change; None if the records have none.
        start_column: the time that `start_date` is of; None where everything was loaded.
        start: `start_date`, in epoch seconds.
    """

    primary_key: Sequence[str]
    changed: str | None = None
    start_column: str | None = None
    start: int | None = None


class LoadedRows:
    """The rows of a table: of each key, its position; of each position, the time of its change and whether it counts.

    Attributes:
        rows: how many there are, without those that are marked as deleted.
        marked: how many are.
        before_start: how many rows are older than `start_date`.
        duplicates: keys that a further row has.
        has_times: whether the table has a column of change times.
    """

    def __init__(self, *, has_times: bool) -> None:
        self.has_times = has_times
        self.positions: dict[Key, int] = {}
        self.times = array("q")
        self.flags = bytearray()
        self.rows = self.marked = self.before_start = 0
        self.duplicates: list[Key] = []

    def add(self, key: Key, time: int | None, flags: int) -> None:
        """Add a row; of several with one key, the latest counts that is not marked."""
        self.rows += not flags & MARKED
        self.marked += flags & MARKED
        self.before_start += flags == BEFORE_START
        at = NO_TIME if time is None else time
        position = self.positions.setdefault(key, len(self.flags))
        if position == len(self.flags):
            self.times.append(at)
            self.flags.append(flags)
        elif self.flags[position] & MARKED:
            self.times[position], self.flags[position] = at, flags
        elif not flags & MARKED:
            self.duplicates.append(key)
            self.times[position] = max(self.times[position], at)


class Schema:
    """The tables of a schema.

    Args:
        name: its name in the database.
        tables: of each table, its columns' types by their names.

    Attributes:
        account: whose rows are looked at, where several accounts share the tables; None for all.
    """

    def __init__(self, name: str, tables: Mapping[str, Mapping[str, str]]) -> None:
        self.name = name
        self.account: AccountColumn | None = None
        self._tables = tables

    def has(self, stream: str) -> bool:
        """Tell whether a stream has a table."""
        return named(self._tables, stream) is not None

    def lacks(self, stream: str, names: Iterable[str]) -> list[str]:
        """Return which of the columns a stream's table lacks."""
        columns = self.columns(stream)
        return [name for name in names if named(columns, name) is None]

    def count(self, connection: Connection, stream: str) -> int:
        """Return how many rows a stream's table has."""
        (row,) = connection.rows(f"SELECT count(*) FROM {self.table(stream)}{self._of_account(stream)}")  # noqa: S608 - quoted
        return int(row[0])

    def load(self, connection: Connection, stream: str, compared: ComparedColumns) -> LoadedRows:
        """Return what a stream's table holds."""
        columns = self.columns(stream)
        times = [compared.changed, DELETED_AT, compared.start_column]
        parts = [_named_part(columns, name) for name in compared.primary_key]
        parts += [_time_part(columns, name) for name in times]
        query = f"SELECT {', '.join(parts)} FROM {self.table(stream)}{self._of_account(stream)}"  # noqa: S608 - quoted
        found = LoadedRows(has_times=compared.changed is not None and named(columns, compared.changed) is not None)
        width = len(compared.primary_key)
        for row in connection.rows(query):
            time = _epoch(row[width + 2])
            is_before = compared.start is not None and time is not None and time < compared.start
            flags = (MARKED if row[width + 1] is not None else 0) | (BEFORE_START if is_before else 0)
            found.add(key_of(row[:width]), _epoch(row[width]), flags)
        return found

    def loaded_until(self, connection: Connection, provider: str) -> dict[str, int]:
        """Return up to which second each stream is loaded, as the table `sync_audit` tells; nothing without it."""
        needed = ("stream", "complete", "read_to", "started")
        if not self.has(AUDIT) or self.lacks(AUDIT, needed):
            return {}
        columns = self.columns(AUDIT)
        stream, complete = (_named_part(columns, name) for name in needed[:2])
        read_to, started = (_time_part(columns, name) for name in needed[2:])
        crm = _named_part(columns, "provider") if named(columns, "provider") else "CAST(NULL AS VARCHAR)"
        query = f"""
            SELECT {stream}, {crm}, max({read_to}), max({started})
            FROM {self.table(AUDIT)}{self._of_account(AUDIT, "AND")}
            lower(CAST({complete} AS VARCHAR)) IN ('true', 't', '1')
            GROUP BY {stream}, {crm}
        """  # noqa: S608 - quoted
        found: dict[str, int] = {}
        for name, of, *times in connection.rows(query):
            until, began = (_epoch(one) for one in times)
            if until is None and began is not None:
                until = began - BEHIND_THE_CLOCK
            if until is not None and of in (provider, None):
                found[name] = max(until, found.get(name, until))
        return found

    def _of_account(self, stream: str, further: str = "") -> str:
        """Return the condition that only rows of the account count, where more conditions may follow by ``further``."""
        known = None if self.account is None else named(self.columns(stream), self.account.name)
        if self.account is None or known is None:
            return " WHERE" if further else ""
        value = self.account.account.replace("'", "''")
        return f" WHERE CAST({quoted(known)} AS VARCHAR) = '{value}' {further}"

    def columns(self, stream: str) -> Mapping[str, str]:
        """Return the types of the columns of a stream's table by their names; nothing without a table."""
        name = named(self._tables, stream)
        return {} if name is None else self._tables[name]

    def table(self, stream: str) -> str:
        """Return a stream's table for SQL."""
        return quoted(self.name, named(self._tables, stream) or stream)


def schemas_of(connection: Connection) -> dict[str, Schema]:
    """Return every schema of the database that has tables which may be read, by its name."""
    query = (
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema NOT IN ('information_schema', 'pg_catalog') AND table_catalog = current_database()"
    )
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for schema, table, column, kind in connection.rows(query):
        tables.setdefault(schema, {}).setdefault(table, {})[column] = kind
    return {name: Schema(name, of) for name, of in tables.items()}


def account_columns(schema: Schema) -> list[str]:
    """Return the columns of ``sync_audit`` that are neither its own nor a loader's: by them, accounts share tables."""
    own = {name.casefold() for name in load_schema("common", AUDIT)["properties"]}
    return sorted(
        name
        for name in schema.columns(AUDIT)
        if name.casefold() not in own and not name.casefold().startswith(_LOADERS)
    )


def find_schema(connection: Connection, wanted: str | None, provider: str, usual: str) -> Schema:
    """Return the schema that is named, else that of the CRM's name, else the usual one of the database.

    Raises:
        DatabaseError: there is none of that name with tables that may be read.
    """
    schemas = schemas_of(connection)
    for name in (provider, usual) if wanted is None else (wanted,):
        known = named(schemas, name)
        if known is not None:
            return schemas[known]
    where = "`--schema`" if wanted is not None else f"`{provider}` or `{usual}`"
    there = ", ".join(sorted(schemas)) or "none at all"
    raise DatabaseError(
        f"there are no tables in the schema {where if wanted is None else f'`{wanted}`'} of the database; "
        f"name by `--schema` the one that the loader writes to; schemas with tables: {there}"
    )


def _named_part(columns: Mapping[str, str], name: str) -> str:
    return quoted(named(columns, name) or name)


def _time_part(columns: Mapping[str, str], name: str | None) -> str:
    """Return SQL for a time: epoch seconds where the column has times, else what it has; NULL without the column."""
    known = None if name is None else named(columns, name)
    if known is None:
        return "NULL"
    return epoch_sql(known) if is_time(columns[known]) else quoted(known)


def is_time(kind: str) -> bool:
    """Tell whether a column of a type has times."""
    return kind.lower().startswith(("timestamp", "date"))


def epoch_sql(column: str) -> str:
    """Return SQL for the epoch seconds of a column that has times."""
    return f"CAST(extract(epoch FROM {quoted(column)}) AS FLOAT8)"


def _epoch(value: Any) -> int | None:  # noqa: ANN401 - whatever a column has
    """Return the whole seconds of a time as it comes from a column; UTC where it has no zone."""
    if isinstance(value, float):
        return math.floor(value) if math.isfinite(value) else None
    return to_epoch(value.isoformat() if isinstance(value, date | datetime) else value)
