"""Databases that Meltano's loaders fill: what tests ask of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg

from tests.audit.loaded import DuckDbFile, PostgreSqlDatabase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.postgres import Server

Rows = list[tuple[Any, ...]]
MARKED = "_sdc_deleted_at IS NOT NULL"


class Loaded(Protocol):
    """A database and the loader that fills it."""

    loader: str
    activates: bool
    """Whether the loader heeds ACTIVATE_VERSION."""

    @property
    def address(self) -> str:
        """Its address, as the audit takes it."""

    @property
    def settings(self) -> dict[str, str]:
        """The loader's settings, as the environment gives them."""

    def execute(self, query: str) -> None:
        """Carry out a statement, and commit it."""

    def ask(self, query: str) -> Rows:
        """Return the rows of a question."""

    def column_types(self, schema: str) -> dict[str, dict[str, str]]:
        """Return the type of each column of each table."""


class InDuckDb(DuckDbFile):
    """A file that target-duckdb fills."""

    loader = "target-duckdb"
    activates = False

    @property
    def settings(self) -> dict[str, str]:
        """The loader's settings."""
        return {"TARGET_DUCKDB_PATH": str(self.path)}

    def ask(self, query: str) -> Rows:
        """Return the rows of a question."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def column_types(self, schema: str) -> dict[str, dict[str, str]]:
        """Return the type of each column of each table."""
        columns = "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        return _by_table(self.ask(f"{columns} WHERE schema_name = '{schema}'"))


class InPostgres(PostgreSqlDatabase):
    """A database that target-postgres fills."""

    loader = "target-postgres"
    activates = True

    @property
    def settings(self) -> dict[str, str]:
        """The loader's settings."""
        return {"TARGET_POSTGRES_SQLALCHEMY_URL": self.address}

    def ask(self, query: str) -> Rows:
        """Return the rows of a question."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def column_types(self, schema: str) -> dict[str, dict[str, str]]:
        """Return the type of each column of each table."""
        columns = "SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        tables = "JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'"
        return _by_table(self.ask(f"{columns} {tables} WHERE relnamespace = '{schema}'::regnamespace AND attnum > 0"))


def _by_table(columns: Rows) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in columns:
        found.setdefault(table, {})[column] = kind
    return found


#: Makes an empty database for each loader.
MADE: dict[str, Callable[[Server, Path], Loaded]] = {
    "target-postgres": lambda server, _: InPostgres(server.create()),
    "target-duckdb": lambda _, file: InDuckDb(file),
}
