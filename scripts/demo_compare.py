"""Compares what a CRM has with what was loaded, record by record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from sandbox.client import Client
    from scripts.demo_crm import Crm, Table

Key: TypeAlias = tuple[object, ...]
#: The version of each record, by its key: when it was last changed, or None where the CRM gives no time; what else is
#: compared follows.
Versions: TypeAlias = dict[Key, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a table holds against what the CRM holds.

    Attributes:
        table: its name.
        there: records in the CRM.
        loaded: rows in the table.
        missing: records of the CRM that the table lacks.
        surplus: rows of the table that the CRM lacks, and rows beyond one for each record.
        outdated: rows that are of another version than the CRM's.
        gone: rows that the CRM lacks, by the loaded tables themselves; the tap does not remove them.
    """

    table: str
    there: int
    loaded: int
    missing: int
    surplus: int
    outdated: int
    gone: int = 0

    @property
    def equal(self) -> bool:
        """Whether the table holds the CRM's records in their present version, and else only what is gone."""
        return not (self.missing or self.surplus or self.outdated)


def compare(crm: Crm, client: Client, database: Path) -> list[Comparison]:
    """Compare every table of a loaded database with the CRM."""
    return compare_with(crm, living(crm, client), database)


def living(crm: Crm, client: Client) -> dict[str, Versions]:
    """Ask the CRM for what it has now of every table."""
    return {name: versions(table, client) for name, table in crm.tables.items()}


def compare_with(crm: Crm, there: Mapping[str, Versions], database: Path) -> list[Comparison]:
    """Compare every table of a loaded database with what the CRM has."""
    with duckdb.connect(str(database), read_only=True) as connection:
        gone = {row[0] for row in connection.execute(crm.gone).fetchall()} if crm.gone else set()
        return [_compare(crm, name, there[name], connection, gone) for name in crm.tables]


def compared(
    name: str,
    there: Versions,
    rows: Iterable[tuple[Key, tuple[object, ...]]],
    gone: AbstractSet[object] = frozenset(),
) -> Comparison:
    """Compare the rows of a table with the versions that the CRM has; ``gone`` are last parts of keys."""
    listed = list(rows)
    loaded = dict(listed)
    extra = loaded.keys() - there.keys()
    known = sum(key[-1] in gone for key in extra)
    return Comparison(
        table=name,
        there=len(there),
        loaded=len(listed),
        missing=len(there.keys() - loaded.keys()),
        surplus=len(extra) - known + len(listed) - len(loaded),
        outdated=sum(loaded[key] != there[key] for key in there.keys() & loaded.keys()),
        gone=known,
    )


def versions(table: Table, client: Client) -> Versions:
    """Ask the CRM for its records' versions."""
    return dict(keyed(table, [record.get(name) for name in table.columns]) for record in table.truth(client))


def keyed(table: Table, row: Sequence[Any]) -> tuple[Key, tuple[object, ...]]:
    """Return the key and the version of a row that has the table's columns."""
    width = len(table.primary_key)
    key, version = tuple(row[:width]), row[width:]
    return key, (moment(version[0]), *version[1:]) if table.changed is not None else tuple(version)


def moment(value: str | float | datetime | None) -> datetime | None:
    """Return a time in UTC, given as epoch seconds, as ISO 8601 or as it is stored; UTC where it has no zone."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def remove(crm: Crm, database: Path) -> dict[str, int]:
    """Delete from a loaded database what ACTIVATE_VERSION ended; returns how many rows of each table that were."""
    with duckdb.connect(str(database)) as connection:
        return {name: connection.execute(crm.removal(name)).fetchall()[0][0] for name in crm.tables}


def _compare(
    crm: Crm, name: str, there: Versions, connection: duckdb.DuckDBPyConnection, gone: AbstractSet[object]
) -> Comparison:
    table = crm.tables[name]
    selected = ", ".join(f'"{column}"' for column in table.columns)
    try:
        rows = connection.table(f"{crm.schema}.{name}").select(selected).fetchall()
    except duckdb.CatalogException:  # nothing was loaded
        rows = []
    return compared(name, there, (keyed(table, row) for row in rows), gone)
