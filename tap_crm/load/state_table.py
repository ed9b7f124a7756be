"""The table ``load_account_state``: the last STATE that a target confirmed, a row for each account or part of one.

It lies in PostgreSQL, beside the data, or in a SQLite file. While a run goes on, it has the account's lock there.
Drivers are asked without SQLAlchemy, which takes longer to import than all that is done here.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from typing_extensions import override

from tap_crm.config.kinds import POSTGRESQL
from tap_crm.errors import ConfigError, CrmError

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

OWNER_ONLY = 0o600
#: Seconds between two attempts to get a lock.
PAUSE = 0.5
#: A row belongs to the run that wrote its name into it last: one that was taken for dead can write nothing more.
_MAKE: LiteralString = """
    CREATE TABLE IF NOT EXISTS load_account_state (
        state_id TEXT PRIMARY KEY,
        state TEXT,
        run_id TEXT NOT NULL,
        written_at TEXT
    )
"""
_READ: LiteralString = "SELECT state FROM load_account_state WHERE state_id = ?"
_CLAIM: LiteralString = """
    INSERT INTO load_account_state (state_id, run_id) VALUES (?, ?)
    ON CONFLICT (state_id) DO UPDATE SET run_id = excluded.run_id
"""
_WRITE: LiteralString = (
    "UPDATE load_account_state SET state = ?, written_at = ? WHERE state_id = ? AND run_id = ? RETURNING state_id"
)

#: The server notices after two minutes that a worker vanished without a word, and gives its lock back.
_KEEP_ALIVE: tuple[LiteralString, ...] = (
    "SET tcp_keepalives_idle = 60",
    "SET tcp_keepalives_interval = 20",
    "SET tcp_keepalives_count = 3",
)


class Locked(CrmError):  # noqa: N818 - the name says what happened
    """Another run of the account is under way."""


class StateLost(CrmError):  # noqa: N818 - the name says what happened
    """The state cannot be kept: the table cannot be written, or another run has taken the account over."""


class StateTable(ABC):
    """An open state table, with the lock of one account.

    Args:
        state_id: names the account, or a part of it.
        run_id: names this run.
    """

    def __init__(self, state_id: str, run_id: str) -> None:
        self.state_id, self.run_id = state_id, run_id

    def claim(self, wait: float, pause: Callable[[float], None] = time.sleep) -> str | None:
        """Get the account's lock and return its last state as JSON; None if there is none.

        Args:
            wait: for how many seconds another run of the account is waited for.
            pause: waits so many seconds.

        Raises:
            Locked: it is still under way.
            StateLost: the table cannot be used.
        """
        waited = 0.0
        while not self._lock():
            if waited >= wait:
                raise Locked(f"{self.state_id}: another run of this account is under way; this one has done nothing")
            pause(PAUSE)
            waited += PAUSE
        with suppress(*self.doubles):  # two first runs may make it at the same moment
            self._ask(_MAKE)
        self._ask(_CLAIM, self.state_id, self.run_id)
        found = self._ask(_READ, self.state_id)
        return None if not found or found[0][0] is None else str(found[0][0])

    def write(self, state: str) -> None:
        """Keep a state, which lasts when this returns.

        Raises:
            StateLost: it is not kept.
        """
        if not self._ask(_WRITE, state, datetime.now(UTC).isoformat(timespec="seconds"), self.state_id, self.run_id):
            raise StateLost(f"{self.state_id}: another run has taken this account over; its state stays as it is")

    def _ask(self, statement: LiteralString, *values: str) -> list[tuple[Any, ...]]:
        try:
            return self._execute(statement, values)
        except self.doubles:
            raise
        except self.faults as error:
            raise self._lost(error) from None

    @staticmethod
    def _lost(error: Exception) -> StateLost:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return StateLost(f"the state table cannot be used: {said}")

    doubles: tuple[type[Exception], ...] = ()
    faults: tuple[type[Exception], ...]

    @abstractmethod
    def close(self) -> None:
        """Give the lock back."""

    @abstractmethod
    def _lock(self) -> bool: ...

    @abstractmethod
    def _execute(self, statement: LiteralString, values: tuple[str, ...]) -> list[tuple[Any, ...]]: ...


class SqliteTable(StateTable):
    """A state table in a SQLite file, for accounts that are loaded on one machine; a lock is a file beside it."""

    faults = (sqlite3.Error,)

    def __init__(self, path: Path, state_id: str, run_id: str) -> None:
        super().__init__(state_id, run_id)
        from filelock import FileLock, Timeout  # noqa: PLC0415 - slow to import, and of no use in PostgreSQL

        self._busy = Timeout
        self._file_lock = FileLock(f"{path}.{state_id.replace('/', '~')}.lock", timeout=0, mode=OWNER_ONLY)
        try:
            path.touch(OWNER_ONLY)
            self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._lost(error) from None

    @override
    def close(self) -> None:
        """Give the lock back."""
        self._connection.close()
        self._file_lock.release()

    @override
    def _lock(self) -> bool:
        try:
            self._file_lock.acquire()
        except self._busy:
            return False
        except OSError as error:
            raise self._lost(error) from None
        return True

    @override
    def _execute(self, statement: LiteralString, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()


class PostgresTable(StateTable):
    """A state table in PostgreSQL, for workers on any machine; a lock lasts as long as its connection."""

    def __init__(self, address: str, state_id: str, run_id: str) -> None:
        super().__init__(state_id, run_id)
        try:
            import psycopg  # noqa: PLC0415 - only where it is used: it is an extra
        except ModuleNotFoundError:
            raise ConfigError("PostgreSQL's driver is missing; install tap-crm with the extra `postgres`") from None
        self.faults = (psycopg.Error,)
        self.doubles = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable)
        self._connection: psycopg.Connection[tuple[Any, ...]]
        try:
            self._connection = psycopg.connect(
                f"postgresql://{address.removeprefix(POSTGRESQL)}",
                autocommit=True,
                keepalives_idle=60,
                application_name=f"load-account {state_id}"[:63],
            )
        except psycopg.Error:
            raise StateLost("the state table cannot be used: no connection to its database") from None
        for statement in _KEEP_ALIVE:
            self._ask(statement)

    @override
    def close(self) -> None:
        """Give the lock back."""
        self._connection.close()

    @override
    def _lock(self) -> bool:
        digest = hashlib.sha256(f"load-account {self.state_id}".encode()).digest()
        number = int.from_bytes(digest[:8], signed=True)
        return bool(self._ask("SELECT pg_try_advisory_lock(CAST(? AS bigint))", str(number))[0][0])

    @override
    def _execute(self, statement: LiteralString, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement.replace("?", "%s"), values)
        return [] if cursor.description is None else cursor.fetchall()


def open_table(address: str, state_id: str, run_id: str) -> StateTable:
    """Open the state table at an address: a SQLite file's path, or a `postgresql+psycopg://` URL.

    Raises:
        ConfigError: the address is none of these, or its driver is missing.
        StateLost: the table cannot be used.
    """
    if address.startswith(POSTGRESQL):
        return PostgresTable(address, state_id, run_id)
    if "://" in address:
        raise ConfigError(f"`--state` must be a file's path, or a URL that begins with {POSTGRESQL}")
    return SqliteTable(Path(address), state_id, run_id)
