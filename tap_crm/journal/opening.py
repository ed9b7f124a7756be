"""How a journal is opened by who only reads it, and what is said where that fails."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from tap_crm.config.journal_address import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What opening a journal, or asking it, may raise.
FAILURES = (DBAPIError, ArgumentError, NoSuchModuleError, ModuleNotFoundError, OSError, sqlite3.Error)


@contextmanager
def reading(address: str) -> Iterator[sa.Connection]:
    """Open a journal for reading only, beside a process that may be writing to it.

    Raises:
        FileNotFoundError: there is no such file; none is made.
        Exception: one of ``FAILURES``.
    """
    if address.startswith(POSTGRESQL):
        engine = sa.create_engine(address, poolclass=NullPool)
        with engine.connect().execution_options(postgresql_readonly=True) as connection:
            yield connection
        return
    path = Path(address)
    if not path.is_file():
        raise FileNotFoundError(address)
    place = f"file:{quote(str(path.resolve()))}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as file:
        engine = sa.create_engine("sqlite://", creator=lambda: file, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection


def cause_of(error: Exception) -> str:
    """Return what a driver says, in one line and without the address."""
    if isinstance(error, DBAPIError):
        said = str(error.orig).strip().splitlines() or ["no reason given"]
        return said[0]
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}"
    if isinstance(error, ModuleNotFoundError):
        return "the driver of PostgreSQL is missing; install tap-crm with the extra `postgres`"
    if isinstance(error, sqlite3.Error):
        return str(error)
    return "the address cannot be used"
