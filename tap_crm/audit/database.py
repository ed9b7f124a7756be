"""The loaded database: found by its address, asked by SQL that both kinds understand, never written to."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from tap_crm.config.redaction import HIDDEN
from tap_crm.errors import CrmError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    import duckdb
    import psycopg

#: Rows that are fetched at a time.
FETCH_SIZE = 10_000
#: Seconds until a server that does not answer counts as not there, unless the address says otherwise.
CONNECT_TIMEOUT = 20
#: What brings a missing driver, or what else the commands need and the tap does not.
HOW_TO_INSTALL = (
    "in a clone of its repository, `pip install '.[audit]'` brings what is needed; in Meltano, the extractor's "
    "`pip_url` has to end in `[audit]`, as in `-e .[audit]`, and `meltano install` follows"
)
#: Of a driver's message, so much is passed on.
LONGEST = 300
FORMS = "`postgresql://user:password@host:5432/database`, `duckdb:///path` or a path that ends in `.duckdb`"

_POSTGRESQL = re.compile(r"postgres(ql)?(\+\w+)?://", re.IGNORECASE)
_DUCKDB = re.compile(r"duckdb:///", re.IGNORECASE)


class DatabaseError(CrmError):
    """The database, or one of its tables, could not be read."""


class Connection(Protocol):
    """An open connection."""

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, without holding all of them."""


class Database(Protocol):
    """A database that can be connected to, as often as needed."""

    @property
    def kind(self) -> str:
        """What it is."""

    @property
    def usual_schema(self) -> str:
        """Where loaders write unless a schema is set."""

    def open(self) -> AbstractContextManager[Connection]:
        """Connect for reading; a ``DatabaseError`` from there to the end of the block."""


def database_at(address: str) -> Database:
    """Return the database that an address names.

    Raises:
        DatabaseError: it names none; the message does not repeat it, since it may hold a password.
    """
    if _POSTGRESQL.match(address):
        return PostgreSql(_POSTGRESQL.sub("postgresql://", address, count=1), _secrets(address))
    path = _DUCKDB.sub("", address, count=1)
    if path and (path != address or (path.lower().endswith(".duckdb") and "://" not in path)):
        return DuckDb(Path(path))
    raise DatabaseError(f"`--database` is no address that can be used; it looks like {FORMS}")


def _secrets(address: str) -> tuple[str, ...]:
    """Return what of an address no message may show."""
    hint = "in its user and password, write characters such as / ? # @ : % as %2F %3F %23 %40 %3A %25"
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises if it is no number
    except ValueError:
        raise DatabaseError(f"the address given by `--database` cannot be read; {hint}") from None
    if "@" in f"{parts.path}{parts.query}{parts.fragment}" or parts.netloc.count("@") > 1:
        raise DatabaseError(f"the address given by `--database` cannot be read; {hint}")
    query = parse_qs(parts.query)
    given = [parts.password or "", *query.get("password", ()), *query.get("sslpassword", ())]
    return tuple(sorted({secret for one in given if one for secret in (one, unquote(one))}, key=len, reverse=True))


def quoted(*names: str) -> str:
    """Return names of a schema, table or column for SQL."""
    return ".".join('"{}"'.format(name.replace('"', '""')) for name in names)


def _message(error: Exception, secrets: Sequence[str] = ()) -> str:
    """Return a driver's message in one line, without secrets."""
    text = " ".join(str(error).split())
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


# DuckDB


class _DuckDbConnection:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query."""
        found = self._connection.execute(query)
        while rows := found.fetchmany(FETCH_SIZE):
            yield from rows


@dataclass(frozen=True, slots=True)
class DuckDb:
    """A file of DuckDB; opened only while a table is read, since a loader cannot write to it meanwhile."""

    path: Path
    kind: str = "duckdb"
    usual_schema: str = "main"

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """Connect for reading."""
        try:
            import duckdb  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise _driver_is_missing("duckdb") from None
        if not self.path.is_file():
            absolute = (
                "" if self.path.is_absolute() else "; an absolute path has four slashes: `duckdb:////folder/file`"
            )
            raise DatabaseError(f"there is no file {self.path} that `--database` could mean{absolute}")
        try:
            with duckdb.connect(str(self.path), read_only=True) as connection:
                yield _DuckDbConnection(connection)
        except duckdb.Error as error:
            in_use = "could not set lock" in str(error).lower()
            hint = "; another program is writing to it: try again when it is done" if in_use else ""
            raise DatabaseError(f"DuckDB cannot read {self.path}: {_message(error)}{hint}") from None


# PostgreSQL


class _PostgreSqlConnection:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, by a cursor on the server."""
        with self._connection.cursor(name="tap_crm_audit") as cursor:
            cursor.itersize = FETCH_SIZE
            cursor.execute(query.encode())
            yield from cursor


@dataclass(frozen=True, slots=True)
class PostgreSql:
    """A database of PostgreSQL; connected to only while a table is read, so that no transaction stays open."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    kind: str = "postgresql"
    usual_schema: str = "public"

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """Connect for reading: every transaction is a READ ONLY one."""
        try:
            import psycopg  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise _driver_is_missing("psycopg[binary]") from None
        timeout = None if "connect_timeout=" in self.url else CONNECT_TIMEOUT
        try:
            with psycopg.connect(self.url, prepare_threshold=None, connect_timeout=timeout) as connection:
                connection.read_only = True
                yield _PostgreSqlConnection(connection)
        except psycopg.Error as error:
            raise DatabaseError(f"PostgreSQL: {_message(error, self.secrets)}; check `--database`") from None


def _driver_is_missing(name: str) -> DatabaseError:
    return DatabaseError(f"the driver `{name}` is not installed beside tap-crm; {HOW_TO_INSTALL}")
