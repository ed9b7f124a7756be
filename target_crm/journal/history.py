"""What a journal tells people: how records ended, what is open, what was rejected, what was written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_crm.journal.tables import DROPPED, INTENTS, OPEN, RECORDS, REJECTS, RUNS, SETTLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_crm.journal.journal import Journal

_GONE = "deleted"


@dataclass(slots=True)
class WrittenRecord:
    """A record that a journal has written: what it held then, by the field's name, as the report shows it."""

    stream: str
    key: str
    object: str
    crm_id: str
    values: dict[str, Any] = field(default_factory=dict)


class History:
    """Looks into a journal.

    Args:
        journal: an open one.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def runs(self, most: int = 10) -> list[dict[str, Any]]:
        """Return the last runs, the newest first."""
        asked = sa.select(RUNS.c.run_id, RUNS.c.provider, RUNS.c.began, RUNS.c.ended, RUNS.c.end)
        return self._rows(asked.order_by(RUNS.c.began.desc()).limit(most))

    def counts(self) -> list[dict[str, Any]]:
        """Return by stream and outcome how many keys ended so at last."""
        asked = sa.select(RECORDS.c.stream, RECORDS.c.outcome, sa.func.count().label("records"))
        by = (RECORDS.c.stream, RECORDS.c.outcome)
        return self._rows(asked.group_by(*by).order_by(*by))

    def open_intents(self) -> list[dict[str, Any]]:
        """Return the writes of which nobody knows whether they took effect."""
        asked = sa.select(
            INTENTS.c.stream, INTENTS.c.key, INTENTS.c.action, INTENTS.c.crm_id, INTENTS.c.at, INTENTS.c.run_id
        )
        return self._rows(asked.where(INTENTS.c.state == OPEN).order_by(INTENTS.c.id))

    def rejects(self, stream: str | None = None) -> list[dict[str, Any]]:
        """Return what was rejected and is to be tried again."""
        asked = sa.select(REJECTS.c.stream, REJECTS.c.key, REJECTS.c.tries, REJECTS.c.first, REJECTS.c.reason)
        if stream is not None:
            asked = asked.where(REJECTS.c.stream == stream)
        return self._rows(asked.order_by(REJECTS.c.stream, REJECTS.c.first))

    def written(self, stream: str | None = None) -> Iterator[WrittenRecord]:
        """Yield the records that were written, with the last value of each field that was sent."""
        asked = sa.select(RECORDS).where(RECORDS.c.outcome != _GONE)
        if stream is not None:
            asked = asked.where(RECORDS.c.stream == stream)
        for row in self._rows(asked.order_by(RECORDS.c.object, RECORDS.c.stream, RECORDS.c.key)):
            found = WrittenRecord(row["stream"], row["key"], row["object"], row["crm_id"])
            sent = sa.select(INTENTS.c.changes).where(
                INTENTS.c.stream == found.stream,
                INTENTS.c.key == found.key,
                INTENTS.c.state == SETTLED,
                INTENTS.c.outcome.in_(("created", "updated")),
            )
            for intent in self._rows(sent.order_by(INTENTS.c.id)):
                found.values |= {name: pair[1] for name, pair in json.loads(intent["changes"]).items()}
            if found.values:
                yield found

    def drop(self, stream: str, keys: Sequence[str]) -> int:
        """Forget these keys: their ids, what is open of them, what was rejected; return how many were known."""
        known = 0
        with self._journal.transaction("drop"):
            connection = self._journal.connection
            for key in keys:
                done = [
                    connection.execute(table.delete().where(table.c.stream == stream, table.c.key == key)).rowcount
                    for table in (RECORDS, REJECTS)
                ]
                is_it = (INTENTS.c.stream == stream) & (INTENTS.c.key == key) & (INTENTS.c.state == OPEN)
                done.append(connection.execute(INTENTS.update().where(is_it).values(state=DROPPED)).rowcount)
                known += any(done)
        return known

    def _rows(self, asked: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in self._journal.rows(asked)]  # noqa: SLF001 - SQLAlchemy's documented name
