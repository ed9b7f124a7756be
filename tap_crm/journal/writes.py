"""The records that a journal has written, in the order in which they were settled."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from tap_crm.errors import ConfigError, ReadError
from tap_crm.journal.opening import reading
from tap_crm.journal.tables import FACTS, FORM, IDENTITY, PROVIDER, VERSION, WRITES
from tap_crm.storage.database import FAULTS, cause

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Rows that are fetched at a time.
AT_ONCE = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_THERE = (
    "the setting `journal`: there is no journal `{address}`; the first run of target-crm makes it, even one without "
    "records (`target-crm --config ... < /dev/null`)"
)
_FOREIGN = "the setting `journal` names something that is no journal of target-crm, or one of an earlier version"


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a journal was read.

    Attributes:
        journal: what tells it from all others.
        sequence: the last row.
        run_id: of that row: a journal that was set back to a copy gives its number to another one.
    """

    journal: str
    sequence: int
    run_id: str

    @classmethod
    def of(cls, sequence: object, kept: Mapping[str, Any] | None) -> Self | None:
        """Return the position that a state has; None for none.

        Args:
            sequence: the bookmark.
            kept: what the state has beside it, by :meth:`beside`.
        """
        journal, run_id = ((kept or {}).get(name) for name in ("id", "run_id"))
        is_whole = isinstance(journal, str) and isinstance(run_id, str)
        return cls(str(journal), sequence, str(run_id)) if is_whole and isinstance(sequence, int) else None

    def beside(self) -> dict[str, str]:
        """Return what a state keeps beside the bookmark."""
        return {"id": self.journal, "run_id": self.run_id}


class WritesJournal:
    """A journal that may be written to meanwhile.

    Args:
        address: a file's path, or a URL of PostgreSQL.
        provider: the CRM that is read.
    """

    def __init__(self, address: str, provider: str) -> None:
        self._address = address
        self._provider = provider

    def check(self) -> None:
        """Check that the journal is there, and of this CRM.

        Raises:
            ConfigError: it is not, or it cannot be opened; the line shows no URL, which holds a password.
        """
        try:
            with reading(self._address) as connection:
                self._identity(connection)
        except FileNotFoundError:
            raise ConfigError(_NOT_THERE.format(address=self._address)) from None
        except FAULTS as error:
            raise ConfigError(f"the setting `journal`: it cannot be opened: {cause(error)}") from None

    def rows(self, after: Position | None) -> Iterator[tuple[Position, dict[str, Any]]]:
        """Yield the rows that were settled before this began, each with its position, the oldest first.

        Args:
            after: up to where an earlier run read; what is not of this journal counts as none.

        Raises:
            ReadError: the journal cannot be read.
        """
        with self._opened() as connection:
            identity = self._identity(connection)
            last = 0 if after is None or not _has(connection, identity, after) else after.sequence
            until = connection.execute(sa.select(sa.func.max(WRITES.c.sequence))).scalar() or 0
            connection.rollback()
            while last < until:
                asked = sa.select(WRITES).where(WRITES.c.sequence > last, WRITES.c.sequence <= until)
                found = connection.execute(asked.order_by(WRITES.c.sequence).limit(AT_ONCE)).all()
                connection.rollback()  # no transaction stays open while rows are written
                for row in found:
                    yield Position(identity, row.sequence, row.run_id), self._row(identity, row)
                last = found[-1].sequence if found else until

    def has(self, position: Position) -> bool:
        """Tell whether a row that was read is still there: whether this is the journal that was read.

        Raises:
            ReadError: the journal cannot be read.
        """
        with self._opened() as connection:
            return _has(connection, self._identity(connection), position)

    @contextmanager
    def _opened(self) -> Iterator[sa.Connection]:
        try:
            with reading(self._address) as connection:
                yield connection
        except FAULTS as error:
            raise ReadError(f"writes: the journal cannot be read: {cause(error)}") from None

    def _identity(self, connection: sa.Connection) -> str:
        """Return what tells the journal from all others.

        Raises:
            ConfigError: it is none, of another form, or of another CRM.
        """
        there = sa.inspect(connection)
        if not all(there.has_table(table.name) for table in (FACTS, WRITES)):
            raise ConfigError(_FOREIGN)
        facts = {row.name: row.value for row in connection.execute(sa.select(FACTS))}
        connection.rollback()
        if facts.get(FORM) != VERSION:
            raise ConfigError(f"the journal has the form {facts.get(FORM)}, this version of tap-crm knows {VERSION}")
        if IDENTITY not in facts:
            raise ConfigError(_FOREIGN)
        provider = facts.get(PROVIDER, self._provider)
        if provider != self._provider:
            raise ConfigError(f"the setting `journal` names one of `{provider}`, and `{self._provider}` is read")
        return str(facts[IDENTITY])

    def _row(self, identity: str, row: sa.Row[Any]) -> dict[str, Any]:
        return {
            "journal_id": identity,
            "sequence": row.sequence,
            "provider": self._provider,
            "stream": row.stream,
            "key": row.key,
            "object": row.object,
            "crm_id": row.crm_id,
            "outcome": row.outcome,
            "fields": json.loads(row.fields),
            "changed_before": _iso(row.changed_before),
            "changed_at": _iso(row.changed),
            "meant_at": _iso(row.meant),
            "settled_at": _iso(row.settled),
            "run_id": row.run_id,
        }


def _has(connection: sa.Connection, identity: str, position: Position) -> bool:
    asked = sa.select(WRITES.c.run_id).where(WRITES.c.sequence == position.sequence)
    found = connection.execute(asked).scalar()
    connection.rollback()
    return position.journal == identity and found == position.run_id


def _iso(epoch: float | None) -> str | None:
    """Return a time in the form of all others; CRMs tell microseconds at most."""
    if epoch is None:
        return None
    moment = _EPOCH + timedelta(microseconds=round(epoch * 1_000_000))
    return moment.replace(tzinfo=None).isoformat() + "Z"
