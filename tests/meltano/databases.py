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

    def column_types(self, schema: str, table: str) -> dict[str, str]:
        """Return the type of each column; nothing if there is no such table."""


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

    def column_types(self, schema: str, table: str) -> dict[str, str]:
        """Return the type of each column; nothing if there is no such table."""
        columns = "SELECT column_name, data_type FROM duckdb_columns()"
        return dict(self.ask(f"{columns} WHERE schema_name = '{schema}' AND table_name = '{table}'"))


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

    def column_types(self, schema: str, table: str) -> dict[str, str]:
        """Return the type of each column; nothing if there is no such table."""
        columns = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        return dict(self.ask(f"{columns} WHERE attrelid = to_regclass('{schema}.{table}') AND attnum > 0"))


#: Makes an empty database for each loader.
MADE: dict[str, Callable[[Server, Path], Loaded]] = {
    "target-postgres": lambda server, _: InPostgres(server.create()),
    "target-duckdb": lambda _, file: InDuckDb(file),
}
