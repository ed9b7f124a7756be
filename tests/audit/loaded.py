"""Databases that are loaded by plain SQL with what a run of the tap wrote, and runs of the audit."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg

from tests import in_process, warm_tap
from tests.singer import environment, execute

if TYPE_CHECKING:
    from pathlib import Path

    from tests.singer import Run

TIMES = (
    *("date_modified", "date_updated", "updatedAt", "date_created", "createdAt", "activity_date"),
    *("read_to", "started"),
)
OTHERS = ("provider", "complete")
_COMMAND = [sys.executable, "-m", "tap_crm.audit"]


class Database(Protocol):
    """A database that tests load and change."""

    address: str

    def execute(self, query: str) -> None:
        """Carry out a statement, and commit it."""


@dataclass
class DuckDbFile:
    """A file."""

    path: Path
    types = ("TIMESTAMP", "HUGEINT", "VARCHAR")

    @property
    def address(self) -> str:
        """Its address, the absolute path after the three slashes."""
        return f"duckdb:///{self.path}"

    def execute(self, query: str) -> None:
        """Carry out a statement."""
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(query)


@dataclass
class PostgreSqlDatabase:
    """A database of a server."""

    url: str
    types = ("TIMESTAMP", "BIGINT", "TEXT")

    @property
    def address(self) -> str:
        """Its address, as SQLAlchemy has it."""
        return self.url.replace("postgresql://", "postgresql+psycopg://")

    def execute(self, query: str) -> None:
        """Carry out a statement."""
        with psycopg.connect(self.url) as connection:
            connection.execute(query.encode())


def load(database: DuckDbFile | PostgreSqlDatabase, run: Run, schema: str) -> None:
    """Make a table for each stream: its key, its times, and the mark of deleted rows."""
    statements = [f'CREATE SCHEMA "{schema}"']
    for stream, message in run.schemas.items():
        properties = message["schema"]["properties"]
        columns = [name for name in properties if name in (*message["key_properties"], *TIMES, *OTHERS)]
        declared = [f'"{name}" {_type(properties[name], database.types)}' for name in columns]
        table = f'"{schema}"."{stream}"'
        statements.append(f"CREATE TABLE {table} ({', '.join([*declared, '_sdc_deleted_at TIMESTAMP'])})")
        rows = [
            f"({', '.join([*(_literal(row.get(name)) for name in columns), 'NULL'])})" for row in run.records(stream)
        ]
        statements += [f"INSERT INTO {table} VALUES {', '.join(rows)}"] * bool(rows)  # noqa: S608
    database.execute("; ".join(statements))


def _type(part: dict[str, Any], types: tuple[str, str, str]) -> str:
    if part.get("format") == "date-time":
        return types[0]
    return "BOOLEAN" if "boolean" in part["type"] else types[1] if "integer" in part["type"] else types[2]


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, bool | int) else "'{}'".format(str(value).replace("'", "''"))


@dataclass
class Audited:
    """What the audit said."""

    code: int
    out: str
    log: str

    @cached_property
    def report(self) -> dict[str, Any]:
        """Its JSON."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    def __getitem__(self, stream: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.report["streams"] if one["stream"] == stream)
        return found

    def counts(self, stream: str) -> dict[str, int]:
        """Return the counts of a stream that are not 0."""
        told = {name: self[stream][f"{name}_count"] for name in ("missing", "surplus", "stale", "newer")}
        return {name: count for name, count in (told | {"deleted": self[stream]["deleted"]}).items() if count}


def run_audit(*arguments: str, inside: bool = True, **variables: str) -> Audited:
    """Run the command to its end, in this process where that is possible and `inside` allows it."""
    command, given = [*_COMMAND, *arguments], {**environment(), **variables}
    if inside and warm_tap.POSSIBLE:
        done = in_process.execute(command, given, measured=warm_tap.is_measured())
    else:
        done = execute(command, given, 60)
    return Audited(done.returncode, done.stdout.decode(), done.stderr.decode())
