"""Where a journal is: a SQLite file or a PostgreSQL database, for one process at a time."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from zlib import crc32

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from tap_crm.errors import ConfigError, CrmError
from tap_crm.journal.tables import FACTS, FORM, IDENTITY, VERSION
from tap_crm.storage.database import FAULTS, OWNER_ONLY, cause, is_postgresql, sqlite_engine
from target_crm.journal.tables import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_USE = "the journal is in use by another process; one run at a time writes with a journal, try again when it is over"


class JournalLost(CrmError):  # noqa: N818 - the name says what happened
    """The journal could not be read or written in the middle of a run: nothing more may be sent."""


@contextmanager
def usable() -> Iterator[None]:
    """Make one line, without the content of a row, of what a database says within this.

    Raises:
        JournalLost: it said something.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise JournalLost(
            f"the journal cannot be used any more: {cause(error)}; what was sent and not settled is looked for in the "
            "next run"
        ) from None


class Place:
    """An open journal's connection, and the lock that keeps other processes away from it.

    Args:
        address: a path, or a URL of PostgreSQL.
        dry: nothing that is done here is kept.
        exclusive: False to read while another process may write.

    Raises:
        ConfigError: another process has it, or it cannot be opened; the line shows no URL, which holds a password.
    """

    def __init__(self, address: str, *, dry: bool = False, exclusive: bool = True) -> None:
        self._held = ExitStack()
        self._dry = dry
        try:
            if is_postgresql(address):
                self._open_database(address, exclusive=exclusive)
            else:
                self._open_file(Path(address), exclusive=exclusive)
            self._prepare()
        except FAULTS as error:
            self.close()
            raise ConfigError(f"the journal cannot be opened: {cause(error)}") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection and let others in."""
        self._held.close()

    def begin(self) -> sa.engine.Transaction:
        """Begin a transaction; in a dry run its commit is undone when the run is over."""
        if self._dry and not self.is_file:
            return self.connection.begin_nested()
        return self.connection.begin()

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite."""
        return self.connection.dialect.name == "sqlite"

    def _open_file(self, path: Path, *, exclusive: bool) -> None:
        if exclusive and (path.exists() or not self._dry):
            lock = FileLock(f"{path}.lock", timeout=0, mode=OWNER_ONLY)
            try:
                self._held.enter_context(lock)
            except Timeout:
                raise ConfigError(IN_USE) from None
        engine = (
            sa.create_engine("sqlite://", creator=lambda: _copy(path), poolclass=StaticPool, hide_parameters=True)
            if self._dry
            else sqlite_engine(path, poolclass=StaticPool, hide_parameters=True)
        )
        self._held.callback(engine.dispose)
        self.connection = self._held.enter_context(engine.connect())

    def _open_database(self, address: str, *, exclusive: bool) -> None:
        engine = sa.create_engine(address, poolclass=StaticPool, hide_parameters=True)
        self._held.callback(engine.dispose)
        self.connection = self._held.enter_context(engine.connect())
        if exclusive:
            number = crc32(b"target-crm journal")
            asked = sa.select(sa.func.pg_try_advisory_lock(number))  # it lasts as long as the connection
            if not self.connection.execute(asked).scalar():
                raise ConfigError(IN_USE)
            self.connection.commit()
        if self._dry:
            self._held.callback(self.connection.begin().rollback)

    def _prepare(self) -> None:
        with self.begin():
            RUNS.metadata.create_all(self.connection)
            known = self.fact(FORM, VERSION)
            if known != VERSION:
                raise ConfigError(f"the journal has the form {known}, this version of target-crm knows {VERSION}")
            self.fact(IDENTITY, uuid.uuid4().hex)

    def fact(self, name: str, value: str) -> str:
        """Return what is noted of the journal as a whole; where nothing is yet, note this value."""
        known = self.connection.execute(sa.select(FACTS.c.value).where(FACTS.c.name == name)).scalar()
        if known is None:
            self.connection.execute(FACTS.insert().values(name=name, value=value))
        return value if known is None else str(known)


def _copy(path: Path) -> sqlite3.Connection:
    """Return a copy of a journal, or an empty one if there is none, in a file that is gone when the process is."""
    copy = sqlite3.connect("", check_same_thread=False)
    if path.exists():
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)) as source:
            source.backup(copy)
    return copy
