"""How a journal is opened by who only reads it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tap_crm.storage.database import is_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reading(address: str) -> Iterator[sa.Connection]:
    """Open a journal for reading only, beside a process that may be writing to it.

    Raises:
        FileNotFoundError: there is no such file; none is made.
        Exception: one of ``storage.database.FAULTS``.
    """
    if is_postgresql(address):
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
