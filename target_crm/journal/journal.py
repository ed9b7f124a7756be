"""What was meant, sent and settled: intent before sending, outcome after.

Every method that changes something is one transaction, durable when it returns. So whatever dies, the journal tells of
each key either that nothing was sent, or that something may have been, or what became of it.

It is long because all that a run asks of the journal and writes into it is here; `history` has what people ask of it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from time import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from tap_crm.journal.tables import PROVIDER, WRITES
from target_crm.journal.entries import Intent, Kept, Known, Settled, Wrote
from target_crm.journal.place import Place, usable
from target_crm.journal.tables import INTENTS, LINES, OPEN, RECORDS, REJECTS, RUNS, SETTLED, VOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

DELETED = "deleted"
#: Names in one question: what SQLite takes.
_AT_ONCE = 500


class Journal:
    """A journal, open for one run.

    Args:
        address: a SQLite file's path, or a URL of PostgreSQL.
        dry: nothing is kept.
        now: returns epoch seconds.
        step: called before and after each transaction with a name of it; what it raises ends the run there.
        exclusive: False to look into it while a run goes on.

    Raises:
        ConfigError: another process has it, or it cannot be opened.
    """

    def __init__(
        self,
        address: str,
        *,
        dry: bool = False,
        now: Callable[[], float] = time,
        step: Callable[[str], None] = lambda _: None,
        exclusive: bool = True,
    ) -> None:
        self._place = Place(address, dry=dry, exclusive=exclusive)
        self._now = now
        self._step = step
        self.run_id = ""

    @property
    def connection(self) -> sa.Connection:
        """For the commands that show the journal."""
        return self._place.connection

    def close(self) -> None:
        """Let other processes in."""
        self._place.close()

    # Runs

    def begin_run(self, run_id: str, provider: str, report: str | None, size: int) -> None:
        """Note that a run begins, which writes to this CRM; ``size`` is how long the report is now."""
        self.run_id = run_id
        with self.transaction("begin_run"):
            self._place.fact(PROVIDER, provider)
            row = {"run_id": run_id, "provider": provider, "began": self._now(), "report": report, "report_size": size}
            self.connection.execute(RUNS.insert().values(row))

    def end_run(self, end: str) -> None:
        """Note how the run ended."""
        with self.transaction("end_run"):
            self.connection.execute(
                RUNS.update().where(RUNS.c.run_id == self.run_id).values(ended=self._now(), end=end)
            )

    # What is known

    def known(self, stream: str, keys: Iterable[str]) -> dict[str, Known]:
        """Return what is known of these keys; a record that was deleted is not."""
        rows = self._by_key(RECORDS, stream, keys)
        return {row.key: Known(row.crm_id, row.outcome, row.changed) for row in rows if row.outcome != DELETED}

    def deleted(self, stream: str, keys: Iterable[str]) -> dict[str, str]:
        """Return by key the CRM's ids of records that were deleted."""
        return {row.key: row.crm_id for row in self._by_key(RECORDS, stream, keys, RECORDS.c.outcome == DELETED)}

    def keys_of(self, stream: str, crm_ids: Iterable[str]) -> dict[str, str]:
        """Return by the CRM's id the key of the record that was written so."""
        found: dict[str, str] = {}
        for part in _parts(list(crm_ids)):
            asked = sa.select(RECORDS.c.crm_id, RECORDS.c.key)
            asked = asked.where(RECORDS.c.stream == stream, RECORDS.c.crm_id.in_(part), RECORDS.c.outcome != DELETED)
            found.update((row.crm_id, row.key) for row in self.rows(asked))
        return found

    def ids_of(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
        """Return by object and key the CRM's ids of records that were written; an object "" stands for any."""
        by_object: dict[str, list[str]] = {}
        for name, key in wanted:
            by_object.setdefault(name, []).append(key)
        found: dict[tuple[str, str], set[str]] = {}
        for name, keys in by_object.items():
            for part in _parts(keys):
                asked = sa.select(RECORDS).where(RECORDS.c.key.in_(part))
                if name:
                    asked = asked.where(RECORDS.c.object == name)
                for row in self.rows(asked):
                    if row.outcome != DELETED:
                        found.setdefault((name, row.key), set()).add(row.crm_id)
        return found

    def open_intents(self, stream: str, keys: Iterable[str]) -> dict[str, list[Intent]]:
        """Return by key the intents of which nobody knows whether they took effect, the oldest first."""
        found: dict[str, list[Intent]] = {}
        for row in self._by_key(INTENTS, stream, keys, INTENTS.c.state == OPEN):
            intent = Intent(row.stream, row.key, row.object, row.action, row.crm_id, row.changes, at=row.at, id=row.id)
            found.setdefault(row.key, []).append(intent)
        return {key: sorted(intents, key=lambda one: one.id) for key, intents in found.items()}

    def has_open(self, stream: str) -> bool:
        """Tell whether a stream has any open intent: mostly there is none."""
        asked = sa.select(INTENTS.c.id).where(INTENTS.c.state == OPEN, INTENTS.c.stream == stream).limit(1)
        return bool(self.rows(asked))

    def rejects(self, stream: str) -> Iterator[Kept]:
        """Yield the records of a stream that are kept to be tried again, those of this run left out.

        Whoever takes them may settle them meanwhile.
        """
        asked = sa.select(REJECTS).where(REJECTS.c.stream == stream, REJECTS.c.run_id != self.run_id)
        for page in self.pages(asked, REJECTS.c.first, REJECTS.c.key):
            for row in page:
                record, properties = json.loads(row.record), json.loads(row.properties)
                yield Kept(row.stream, row.key, record, properties, row.reason, row.tries)

    def has_rejects(self, stream: str) -> bool:
        """Tell whether records of a stream are kept to be tried again: mostly there is none."""
        return bool(self.rows(sa.select(REJECTS.c.key).where(REJECTS.c.stream == stream).limit(1)))

    def rejected_among(self, stream: str, keys: Iterable[str]) -> set[str]:
        """Return those of these keys whose records are kept to be tried again."""
        asked = sa.select(REJECTS.c.key).where(REJECTS.c.stream == stream)
        return {row.key for part in _parts(list(keys)) for row in self.rows(asked.where(REJECTS.c.key.in_(part)))}

    def reject_streams(self) -> list[str]:
        """Return the streams that have such records."""
        return [row.stream for row in self.rows(sa.select(REJECTS.c.stream).distinct().order_by(REJECTS.c.stream))]

    # What is done

    def mean(self, intents: Sequence[Intent]) -> list[int]:
        """Keep what is about to be sent; return the ids under which it is kept."""
        now = self._now()
        with self.transaction("mean"):
            return [
                self.connection.execute(
                    INTENTS.insert()
                    .values(
                        stream=one.stream,
                        key=one.key,
                        object=one.object,
                        run_id=self.run_id,
                        action=one.action,
                        crm_id=one.crm_id,
                        changes=one.changes,
                        at=now,
                        state=OPEN,
                    )
                    .returning(INTENTS.c.id)
                ).scalar_one()
                for one in intents
            ]

    def unsend(self, ids: Sequence[int]) -> None:
        """Note that intents were certainly not sent, or certainly without effect."""
        if ids:
            with self.transaction("unsend"):
                self._close_intents(ids, VOID, None, None)

    def settle(self, ends: Sequence[Settled]) -> None:
        """Keep the ends of records, together."""
        with self.transaction("settle"):
            now = self._now()
            lines = [{"run_id": self.run_id, "line": end.line} for end in ends if end.line is not None]
            if lines:
                self.connection.execute(LINES.insert(), lines)
            for part in _of_different_keys(end for end in ends if not end.is_known):
                self._settle(part, now)

    def _settle(self, ends: Sequence[Settled], now: float) -> None:
        """Keep the ends of records of different keys, all of one table at once."""
        closed: dict[tuple[str, str | None], list[int]] = {}
        for end in ends:
            if end.intents and not end.leaves_open:
                closed.setdefault((end.outcome, end.reason), []).extend(end.intents)
        for (outcome, reason), ids in closed.items():
            self._close_intents(ids, SETTLED, outcome, reason)
        self._put(
            RECORDS,
            [
                {
                    "stream": end.stream,
                    "key": end.key,
                    "object": end.object,
                    "crm_id": end.crm_id,
                    "outcome": end.outcome,
                    "run_id": self.run_id,
                    "at": now,
                    "changed": end.changed,
                }
                for end in ends
                if end.crm_id is not None
            ],
        )
        written = [self._write_of(end, end.wrote, now) for end in ends if end.wrote is not None]
        if written:
            self.connection.execute(WRITES.insert(), written)
        self._settle_rejects(ends, now)

    def _settle_rejects(self, ends: Sequence[Settled], now: float) -> None:
        """Keep the records that are to be tried again, and forget those that are not any more."""
        is_it = (REJECTS.c.stream == sa.bindparam("of")) & (REJECTS.c.key == sa.bindparam("which"))
        gone = [{"of": end.stream, "which": end.key} for end in ends if end.kept is None]
        if gone:
            self.connection.execute(REJECTS.delete().where(is_it), gone)
        kept = []
        for end in ends:
            if end.kept is None:
                continue
            asked = sa.select(REJECTS.c.tries, REJECTS.c.first).where(is_it)
            before = self.connection.execute(asked, {"of": end.stream, "which": end.key}).first()
            kept.append(
                {
                    "stream": end.stream,
                    "key": end.key,
                    "record": json.dumps(end.kept.record, ensure_ascii=False, default=str),
                    "properties": json.dumps(end.kept.properties, ensure_ascii=False),
                    "reason": (end.reason or "").replace("\0", ""),  # which PostgreSQL does not take
                    "tries": 1 if before is None else before.tries + 1,
                    "first": now if before is None else before.first,
                    "run_id": self.run_id,
                }
            )
        self._put(REJECTS, kept)

    def _write_of(self, end: Settled, wrote: Wrote, now: float) -> dict[str, Any]:
        return {
            "stream": end.stream,
            "key": end.key,
            "object": end.object,
            "crm_id": end.crm_id,
            "outcome": end.outcome,
            "fields": json.dumps(wrote.fields),
            "changed_before": wrote.before,
            "changed": wrote.changed,
            "meant": wrote.meant,
            "settled": now,
            "run_id": self.run_id,
        }

    def _close_intents(self, ids: Sequence[int], state: str, outcome: str | None, reason: str | None) -> None:
        said = None if reason is None else reason.replace("\0", "")
        for part in _parts(list(ids)):
            self.connection.execute(
                INTENTS.update()
                .where(INTENTS.c.id.in_(part))
                .values(state=state, outcome=outcome, reason=said, settled=self._now())
            )

    # Lines of the report

    def waiting_lines(self, *, of_this_run: bool = False) -> list[tuple[int, str, str]]:
        """Return id, run and text of lines of which it is not certain that they are in the report."""
        asked = sa.select(LINES).order_by(LINES.c.id)
        rows = self.rows(asked.where(LINES.c.run_id == self.run_id) if of_this_run else asked)
        return [(row.id, row.run_id, row.line) for row in rows]

    def report_of(self, run_id: str) -> tuple[str | None, int]:
        """Return the report of a run, and how long it was when the run began."""
        asked = sa.select(RUNS.c.report, RUNS.c.report_size).where(RUNS.c.run_id == run_id)
        rows = self.rows(asked)
        return (rows[0].report, rows[0].report_size or 0) if rows else (None, 0)

    def forget_lines(self, up_to: int) -> None:
        """Note that all lines up to this id are in the report."""
        with self.transaction("forget_lines"):
            self.connection.execute(LINES.delete().where(LINES.c.id <= up_to))

    # How it is asked

    def transaction(self, name: str) -> _Steps:
        """Return a transaction, for a ``with``; ``name`` is for the steps."""
        return _Steps(self._place, self._step, name)

    def rows(self, asked: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """Return what a question finds."""
        with usable(), self._place.begin():
            return self.connection.execute(asked).all()

    def pages(
        self, asked: sa.Select[Any], *by: sa.Column[Any], size: int = _AT_ONCE
    ) -> Iterator[Sequence[sa.Row[Any]]]:
        """Yield what a question finds, page by page; between two of them anything may be written.

        Args:
            asked: the question; it asks for ``by``, too.
            by: columns that tell any two rows apart, in whose order they come.
            size: rows of a page.
        """
        asked = asked.order_by(*by).limit(size)
        page = self.rows(asked)
        while page:
            yield page
            if len(page) < size:
                return
            last = page[-1]._mapping  # noqa: SLF001 - SQLAlchemy's documented name
            page = self.rows(asked.where(_after(by, [last[column] for column in by])))

    def _by_key(
        self, table: sa.Table, stream: str, keys: Iterable[str], *more: sa.ColumnElement[bool]
    ) -> Iterator[sa.Row[Any]]:
        for part in _parts(list(keys)):
            yield from self.rows(sa.select(table).where(table.c.stream == stream, table.c.key.in_(part), *more))

    def _put(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, or change those with their keys; a null leaves what there was."""
        if not rows:
            return
        insert = (sqlite if self._place.is_file else postgresql).insert(table)
        keys = [column.name for column in table.primary_key]
        changes = {name: sa.func.coalesce(insert.excluded[name], table.c[name]) for name in rows[0] if name not in keys}
        self.connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes), rows)


class _Steps:
    """A transaction, with a step before it, one before its commit, and one after it."""

    def __init__(self, place: Place, step: Callable[[str], None], name: str) -> None:
        self._place = place
        self._step = step
        self._name = name

    def __enter__(self) -> None:
        self._step(f"before {self._name}")
        with usable():
            self._transaction = self._place.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            with suppress(SQLAlchemyError):  # what failed first is told
                self._transaction.rollback()
            if isinstance(error, SQLAlchemyError):
                with usable():
                    raise error
            return
        try:
            self._step(f"within {self._name}")
        except BaseException:
            self._transaction.rollback()
            raise
        with usable():
            self._transaction.commit()
        self._step(f"after {self._name}")


def _after(by: Sequence[sa.Column[Any]], last: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Return what holds for rows that come after the one with these values."""
    found: sa.ColumnElement[bool] = sa.false()
    for column, value in reversed(list(zip(by, last, strict=True))):
        found = (column > value) | ((column == value) & found)
    return found


def _of_different_keys(ends: Iterable[Settled]) -> Iterator[list[Settled]]:
    """Yield ends in their order, in parts that have each key once."""
    part: list[Settled] = []
    seen: set[tuple[str, str]] = set()
    for end in ends:
        if (end.stream, end.key) in seen:
            yield part
            part, seen = [], set()
        part.append(end)
        seen.add((end.stream, end.key))
    if part:
        yield part


def _parts(names: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]
