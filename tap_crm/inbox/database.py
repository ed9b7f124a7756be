"""The database of an inbox: how it is opened, made and asked, and what happens where its file is not there any more."""

from __future__ import annotations

import logging
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tap_crm.errors import ConfigError, CrmError
from tap_crm.inbox.tables import IDENTITIES, METADATA, PLACES, SUBSCRIPTIONS, VERSION
from tap_crm.storage.database import FAULTS, cause, is_postgresql, keep_to_owner, sqlite_engine
from tap_crm.storage.open_file import OpenFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: How long one waits for another process that writes.
LOCK_SECONDS = 5
#: How often a file is opened again that is replaced all the time.
MOST_OPENINGS = 3
MISSING = "the inbox does not exist; `tap-crm-inbox serve` makes it, or the setting `inbox` is wrong"
REPLACED = "the inbox's file was removed or replaced while it was open"
_WRITES = "tap_crm_writes"
_log = logging.getLogger("tap-crm.inbox")


class SpoolError(CrmError):
    """The inbox could not be read or written; nothing of what was asked for has happened, or nobody knows."""


class FileReplacedError(SpoolError):
    """What was written is in a file that nobody will read; the one that is there now has nothing of it."""


class SpoolDatabase:
    """An open database with the tables of an inbox; usable by several threads.

    A file that is removed or replaced while it is open would take what is written, and nobody would ever read it. So
    before each transaction, and after each one that writes, it is made sure that the file is the one at its path. If it
    is not, that one is opened; it is made if it is not there.

    Args:
        url: a SQLite file's path, or a URL of PostgreSQL.
        pragmas: further settings of SQLite.
        makes: whether what is not there is made.

    Attributes:
        when_replaced: is called when another file was opened, with the rows of subscriptions that the lost one had.

    Raises:
        ConfigError: it cannot be opened; the line shows no URL, which holds a password.
    """

    def __init__(self, url: str, pragmas: Sequence[str], *, makes: bool) -> None:
        self.when_replaced: Callable[[Sequence[sa.Row[Any]]], None] | None = None
        self._makes = makes
        self._lock = threading.RLock()
        self._file: OpenFile | None = None
        self._lost: Sequence[sa.Row[Any]] = ()
        try:
            self._engine = self._made(url, pragmas)
            self._prepare()
        except FAULTS as error:
            self.close()
            raise ConfigError(f"the inbox cannot be opened: {cause(error)}") from None
        except BaseException:
            self.close()
            raise

    def _made(self, url: str, pragmas: Sequence[str]) -> sa.Engine:
        if is_postgresql(url):
            return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": LOCK_SECONDS})
        if "://" in url:
            raise ConfigError("the inbox must be a file's path, or a URL that begins with postgresql+psycopg://")
        path = Path(url)
        if not self._makes and not path.exists():
            raise ConfigError(MISSING)
        # What is removed is overwritten, since it is customers' data, and its room is given back. Transactions begin
        # in `_begin`.
        engine = sqlite_engine(
            path,
            pragmas=("auto_vacuum=FULL", "secure_delete=ON", *pragmas),
            connect_args={"timeout": LOCK_SECONDS, "isolation_level": None},
        )
        sa.event.listen(engine, "begin", _begin)
        self._file = OpenFile(path, engine)
        return engine

    def close(self) -> None:
        """Close the connections."""
        engine: sa.Engine | None = getattr(self, "_engine", None)
        if engine is not None:
            engine.dispose()

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite."""
        return self._file is not None

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[sa.Connection]:
        """Give a connection in a transaction; durable at its end.

        Raises:
            SpoolError: it failed.
            FileReplacedError: it was written into a file that nobody will read.
        """
        try:
            with self._begun(writes=writes) as connection:
                yield connection
        except ConfigError as error:  # another file is there now
            raise SpoolError(str(error)) from None
        except FAULTS as error:
            raise SpoolError(f"the inbox cannot be {'written' if writes else 'read'}: {cause(error)}") from None

    @contextmanager
    def _begun(self, *, writes: bool = True) -> Iterator[sa.Connection]:
        with self._connected() as connection:
            connection.execution_options(**{_WRITES: writes})
            with connection.begin():
                if writes and not self.is_file:
                    connection.execute(_LASTING)
                yield connection
            if writes and self._file is not None and not self._file.is_read_by(connection):
                raise FileReplacedError(REPLACED)

    def _connected(self) -> sa.Connection:
        """Return a connection to what is there now."""
        if self._file is None:
            return self._engine.connect()
        for _ in range(MOST_OPENINGS):
            if not self._file.is_there():
                self._open_again(self._file)
            connection = self._engine.connect()
            if self._file.is_read_by(connection):
                return connection
            connection.invalidate()
            connection.close()
        raise SpoolError(REPLACED)

    def _open_again(self, file: OpenFile) -> None:
        """Open the file that is at the path now, unless another thread has done so."""
        with self._lock:
            if file.is_there():
                return
            is_lost = file.was_open
            if is_lost:
                self._lost = self._lost or self._subscriptions()
                self._engine.dispose()
                file.remove_remains()
            if self._makes:
                keep_to_owner(file.path)
            elif not file.path.exists():
                raise SpoolError(MISSING)
            try:
                with self._engine.connect() as connection:
                    with connection.begin():
                        _make(connection, makes=self._makes)
                    file.note(connection)
                if is_lost and self.when_replaced is not None:
                    self.when_replaced(self._lost)
            except BaseException:
                file.forget()  # it is opened again, and what is lost is noted then
                raise
            self._lost = ()
            if is_lost:
                _log.warning("%s; the one that is there now was opened", REPLACED)

    def _subscriptions(self) -> Sequence[sa.Row[Any]]:
        """Return the subscriptions of a file that was lost: their keys are told once, and it can still be read here."""
        try:
            with self._engine.connect() as old, old.execution_options(**{_WRITES: False}).begin():
                return old.execute(sa.select(SUBSCRIPTIONS)).all()
        except FAULTS:
            return ()

    def _prepare(self) -> None:
        if self._file is not None:
            self._open_again(self._file)
            return
        with self._begun() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))  # two at once would make the same table
            _make(connection, makes=self._makes)


def _make(connection: sa.Connection, *, makes: bool) -> None:
    """Make the tables that are not there; only those that an earlier version had not, where no inbox is made.

    Raises:
        ConfigError: there is no inbox, or one of another version.
    """
    if not makes and not sa.inspect(connection).has_table(PLACES.name):
        raise ConfigError(MISSING)
    METADATA.create_all(connection)
    version = connection.execute(sa.select(PLACES.c.version)).scalar()
    if version is None:
        connection.execute(PLACES.insert().values(id=1, version=VERSION, last=0))
    elif version != VERSION:
        raise ConfigError(f"the inbox has the form {version}, this version of tap-crm knows {VERSION}")
    if connection.execute(sa.select(IDENTITIES.c.identity)).scalar() is None:
        connection.execute(IDENTITIES.insert().values(id=1, identity=uuid.uuid4().hex))


def _begin(connection: sa.Connection) -> None:
    # Who will write takes the lock at once: a lock that is taken later fails where somebody wrote in between.
    writes = connection.get_execution_options().get(_WRITES, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


#: Of the lock under which tables are made; any number that nobody else takes.
_LOCK = 0x7461705F63726D
#: A commit waits for the disk, also where the database was told otherwise, and no lock is waited for endlessly.
_LASTING = sa.text(
    "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    f"ELSE current_setting('synchronous_commit') END, true), set_config('lock_timeout', '{LOCK_SECONDS}s', true)"
)
