"""Databases that Meltano's loaders fill: what tests ask of them, and how an extractor is run into one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg

from tests.comparison.loaded import DuckDbFile, PostgreSqlDatabase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scripts.demo_crm import Crm
    from tests.meltano.project import Project
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
        """Return the type of each column."""


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
        """Return the type of each column."""
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
        """Return the type of each column."""
        columns = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        return dict(self.ask(f"{columns} WHERE attrelid = '{schema}.{table}'::regclass AND attnum > 0"))


#: Makes an empty database for each loader.
MADE: dict[str, Callable[[Server, Path], Loaded]] = {
    "target-postgres": lambda server, _: InPostgres(server.create()),
    "target-duckdb": lambda _, file: InDuckDb(file),
}


@dataclass
class Loading:
    """Runs of one extractor into one database, with a state of their own.

    Args:
        project: where Meltano runs.
        crm: which extractor.
        url: the address of the server that it reads.
        database: what is loaded.
        streams: what is read.
        name: sets the state apart from those of other runs.
    """

    project: Project
    crm: Crm
    url: str
    database: Loaded
    streams: tuple[str, ...]
    name: str

    def run(self, **environment: str) -> str:
        """Run it once; returns the log."""
        prefix = self.crm.extractor.replace("-", "_").upper()
        settings = {
            f"{prefix}_API_URL": self.url,
            f"{prefix}__SELECT": json.dumps([f"{stream}.*" for stream in (*self.streams, "sync_audit")]),
            **self.crm.settings,
            **self.database.settings,
            **environment,
        }
        arguments = ("run", f"--state-id-suffix={self.name}", self.crm.extractor, self.database.loader)
        return self.project.meltano(*arguments, **settings)
