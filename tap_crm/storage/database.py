"""Opens what keeps something of ours: a SQLite file that only its owner may read, or a PostgreSQL database."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as NoConnection

from tap_crm.config.kinds import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

OWNER_ONLY = 0o600
#: What opening or asking a database can raise.
FAULTS = (DBAPIError, ArgumentError, NoConnection, NoSuchModuleError, ModuleNotFoundError, OSError, sqlite3.Error)
#: Files that SQLite keeps beside a database; it makes them with the database's own mode.
BESIDE = ("-wal", "-shm")


def is_postgresql(address: str) -> bool:
    """Tell whether an address is PostgreSQL's; it is a file's path otherwise."""
    return address.startswith(POSTGRESQL)


def sqlite_engine(path: Path, *, pragmas: Sequence[str] = (), **options: Any) -> sa.Engine:  # noqa: ANN401
    """Return an engine on a file, which is made if it is not there; its transactions last when they return.

    Args:
        path: of the file; it and those that SQLite keeps beside it are readable by their owner alone.
        pragmas: SQLite's settings besides, such as `secure_delete=ON`; for each connection.
        options: SQLAlchemy's, for the engine.

    Raises:
        OSError: it cannot be made.
    """
    keep_to_owner(path)
    # A connection makes no file: one that is not there any more would come back with the mode of all others, and empty.
    name = f"file:{quote(str(path.absolute()))}"
    engine = sa.create_engine(sa.URL.create("sqlite", database=name, query={"mode": "rw", "uri": "true"}), **options)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (*pragmas, "journal_mode=WAL", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def keep_to_owner(path: Path) -> None:
    """Make a file, if it is not there, and let nobody but its owner read it or what SQLite keeps beside it."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    path.chmod(OWNER_ONLY)
    for end in BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{path}{end}").chmod(OWNER_ONLY)


def cause(error: Exception) -> str:
    """Return what a driver says, in one line and without the address, which may hold a password."""
    if isinstance(error, DBAPIError):
        said = str(error.orig).strip().splitlines() or ["no reason given"]
        return said[0]
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}"
    if isinstance(error, NoConnection):
        return "too many use it at once"
    if isinstance(error, ModuleNotFoundError):
        return "the driver of PostgreSQL is missing; install tap-crm with the extra `postgres`"
    if isinstance(error, sqlite3.Error):
        return str(error)
    return "the address cannot be used"
