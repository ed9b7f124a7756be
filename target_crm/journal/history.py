"""What a journal tells people: how records ended, what is open, what was rejected, what was written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_crm.journal.tables import DROPPED, INTENTS, OPEN, RECORDS, REJECTS, RUNS, SETTLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_crm.journal.journal import Journal

_GONE = "deleted"


@dataclass(slots=True)
class WrittenRecord:
    """A record that a journal has written: what it held then, by the field's name, as the report shows it.

    Attributes:
        others: what later writes were to change it to that were refused, or whose end is not known: they may have taken
            effect, in part.
    """

    stream: str
    key: str
    object: str
    crm_id: str
    values: dict[str, Any] = field(default_factory=dict)
    others: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of a journal: how many there are, and they, page by page."""

    count: int
    pages: Iterable[Sequence[Mapping[str, Any]]]


class History:
    """Looks into a journal.

    Args:
        journal: an open one.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def runs(self, most: int = 10) -> Listing:
        """Return the last runs, the newest first."""
        asked = sa.select(RUNS.c.run_id, RUNS.c.provider, RUNS.c.began, RUNS.c.ended, RUNS.c.end)
        return self._few(asked.order_by(RUNS.c.began.desc()).limit(most))

    def counts(self) -> Listing:
        """Return by stream and outcome how many keys ended so at last."""
        asked = sa.select(RECORDS.c.stream, RECORDS.c.outcome, sa.func.count().label("records"))
        by = (RECORDS.c.stream, RECORDS.c.outcome)
        return self._few(asked.group_by(*by).order_by(*by))

    def open_intents(self) -> Listing:
        """Return the writes of which nobody knows whether they took effect."""
        asked = sa.select(
            INTENTS.c.id,
            INTENTS.c.stream,
            INTENTS.c.key,
            INTENTS.c.action,
            INTENTS.c.crm_id,
            INTENTS.c.at,
            INTENTS.c.run_id,
        )
        return self._many(asked.where(INTENTS.c.state == OPEN), INTENTS.c.id)

    def rejects(self, stream: str | None = None) -> Listing:
        """Return what was rejected and is to be tried again."""
        asked = sa.select(REJECTS.c.stream, REJECTS.c.key, REJECTS.c.tries, REJECTS.c.first, REJECTS.c.reason)
        if stream is not None:
            asked = asked.where(REJECTS.c.stream == stream)
        return self._many(asked, REJECTS.c.stream, REJECTS.c.first, REJECTS.c.key)

    def written(self, stream: str | None = None) -> Iterator[WrittenRecord]:
        """Yield the records that were written, by stream, with the last value of each field that was sent."""
        asked = sa.select(RECORDS).where(RECORDS.c.outcome != _GONE)
        if stream is not None:
            asked = asked.where(RECORDS.c.stream == stream)
        for page in self._journal.pages(asked, RECORDS.c.stream, RECORDS.c.key):
            found = {(row.stream, row.key): WrittenRecord(row.stream, row.key, row.object, row.crm_id) for row in page}
            for name in dict.fromkeys(row.stream for row in page):
                self._add_values(name, {key: one for (of, key), one in found.items() if of == name})
            yield from (one for one in found.values() if one.values)

    def _add_values(self, stream: str, found: Mapping[str, WrittenRecord]) -> None:
        """Give records of one stream what was sent of them."""
        sent = sa.select(INTENTS.c.id, INTENTS.c.key, INTENTS.c.changes, INTENTS.c.outcome).where(
            INTENTS.c.stream == stream,
            INTENTS.c.key.in_(list(found)),
            INTENTS.c.state.in_((OPEN, SETTLED)),
        )
        for page in self._journal.pages(sent, INTENTS.c.id):
            for intent in page:
                record = found[intent.key]
                for name, pair in json.loads(intent.changes).items():
                    if intent.outcome in ("created", "updated"):
                        record.values[name] = pair[1]
                        record.others.pop(name, None)
                    else:
                        record.others.setdefault(name, []).append(pair[1])

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

    def _few(self, asked: sa.Select[Any]) -> Listing:
        rows = [_named(row) for row in self._journal.rows(asked)]
        return Listing(len(rows), [rows])

    def _many(self, asked: sa.Select[Any], *by: sa.Column[Any]) -> Listing:
        (count,) = self._journal.rows(sa.select(sa.func.count()).select_from(asked.subquery()))
        return Listing(count[0], ([_named(row) for row in page] for page in self._journal.pages(asked, *by)))


def _named(row: sa.Row[Any]) -> Mapping[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
