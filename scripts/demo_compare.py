"""Compares what a CRM has with what was loaded, record by record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox.client import Client
    from scripts.demo_crms import Crm, Table

Key: TypeAlias = tuple[object, ...]
#: The version of each record, by its key: the second of its last change, or None where the CRM tells none.
Versions: TypeAlias = dict[Key, int | None]


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
    """

    table: str
    there: int
    loaded: int
    missing: int
    surplus: int
    outdated: int

    @property
    def equal(self) -> bool:
        """Whether the table holds exactly the CRM's records, in their present version."""
        return not (self.missing or self.surplus or self.outdated)


def compare(crm: Crm, client: Client, database: Path) -> list[Comparison]:
    """Compare every table of a loaded database with the CRM."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return [_compare(crm, name, table, client, connection) for name, table in crm.tables.items()]


def compared(name: str, there: Versions, rows: Iterable[tuple[Key, int | None]]) -> Comparison:
    """Compare the rows of a table with the versions that the CRM has."""
    listed = list(rows)
    loaded = dict(listed)
    return Comparison(
        table=name,
        there=len(there),
        loaded=len(listed),
        missing=len(there.keys() - loaded.keys()),
        surplus=len(loaded.keys() - there.keys()) + len(listed) - len(loaded),
        outdated=sum(loaded[key] != there[key] for key in there.keys() & loaded.keys()),
    )


def versions(table: Table, client: Client) -> Versions:
    """Ask the CRM for its records' versions."""
    records = table.truth(client)
    return {
        tuple(record[key] for key in table.keys): record[table.changed] if table.changed else None for record in records
    }


def epoch(moment: datetime | None) -> int | None:
    """Return the second of a time that is stored as UTC without a zone."""
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp())


def _compare(crm: Crm, name: str, table: Table, client: Client, connection: duckdb.DuckDBPyConnection) -> Comparison:
    columns = [*table.keys, *([table.changed] if table.changed else [])]
    selected = ", ".join(f'"{column}"' for column in columns)
    try:
        rows = connection.table(f"{crm.schema}.{name}").select(selected).fetchall()
    except duckdb.CatalogException:  # nothing was loaded
        rows = []
    width = len(table.keys)
    found = ((tuple(row[:width]), epoch(row[width]) if table.changed else None) for row in rows)
    return compared(name, versions(table, client), found)
