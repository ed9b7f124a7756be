"""Asks a table ``sync_audit`` by SQL that DuckDB and PostgreSQL understand, whatever types its columns have."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_crm.audit.database import quoted
from tap_crm.audit.tables import epoch_sql, is_time, named
from tap_crm.contract.stream import AUDIT
from tap_crm.report.facts import DAY, Counts, Failure, Read, Remark, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_crm.audit.database import Connection
    from tap_crm.audit.tables import Schema

#: Without one of these, a table of this name is another one.
NEEDED = ("run_id", "stream", "complete", "started")
_COUNTS = ("records", "requests", "deletions", "rate_limited", "retries", "seconds_waited")
#: Rows of failures and of remarks that are read: the newest.
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows these are, where several accounts share a table.

    Attributes:
        provider: the CRM.
        account: the account, by the column that tells; None without one.
    """

    provider: str | None
    account: str | None


class AuditTable:
    """The table of one schema.

    Args:
        connection: an open one.
        schema: where the table is.
        since: epoch seconds; history from there on is read, and the newest row of each stream in any case.
        account_column: the column that tells accounts apart, if there is one of this name; None for none.
    """

    def __init__(self, connection: Connection, schema: Schema, since: float, account_column: str | None) -> None:
        self._connection, self._since = connection, since
        self._columns = schema.columns(AUDIT)
        self._table = schema.table(AUDIT)
        account = None if account_column is None else named(self._columns, account_column)
        self._owner = f"{self._text('provider')}, {_NO_TEXT if account is None else self._text(account)}"

    # What it is asked

    def newest(self, *, complete: bool) -> dict[Owner, dict[str, Read]]:
        """Return by owner and stream the row of the newest run, or of the newest one that read it completely."""
        parts = (
            *(self._text(name) for name in ("run_id", "mode", "error", "notes")),
            *(self._time(name) for name in ("started", "read_to")),
            *(self._number(name) for name in ("records", "source_total", "unexplained", "misfits", "missed_by_events")),
            self._is_complete,
        )
        columns = ", ".join(f"{part} AS c{number}" for number, part in enumerate(parts))
        query = f"""
            SELECT owner_crm, owner_account, stream_name, {", ".join(f"c{number}" for number in range(len(parts)))}
            FROM (
                SELECT {self._owner_as}, {self._text("stream")} AS stream_name, {columns},
                    row_number() OVER (
                        PARTITION BY {self._owner}, {self._text("stream")} ORDER BY {self._text("run_id")} DESC
                    ) AS place
                FROM {self._table} WHERE {self._is_complete if complete else "1 = 1"}
            ) AS ranked
            WHERE place = 1
        """  # noqa: S608 - quoted
        found: dict[Owner, dict[str, Read]] = defaultdict(dict)
        for crm, account, stream, run_id, mode, error, notes, started, read_to, *numbers, is_whole in self._rows(query):
            records, total, unexplained, misfits, missed = (_whole(number) for number in numbers)
            found[Owner(crm, account)][str(stream)] = Read(
                str(run_id),
                _seconds(started),
                mode,
                _seconds(read_to),
                records or 0,
                total,
                unexplained or 0,
                misfits or 0,
                missed or 0,
                bool(is_whole),
                error,
                notes_in(notes),
            )
        return found

    def deletions_known(self) -> dict[Owner, dict[str, float]]:
        """Return by owner and stream up to when it is known what is gone."""
        query = f"""
            SELECT {self._owner}, {self._text("stream")}, max({self._time("whole_since")})
            FROM {self._table} GROUP BY {self._owner}, {self._text("stream")}
        """  # noqa: S608 - quoted
        found: dict[Owner, dict[str, float]] = defaultdict(dict)
        for crm, account, stream, at in self._rows(query):
            if (seconds := _seconds(at)) is not None:
                found[Owner(crm, account)][str(stream)] = seconds
        return found

    def days(self) -> dict[Owner, dict[str, dict[int, Counts]]]:
        """Return by owner, stream and day what was read, and what it cost."""
        day = f"CAST(floor({self._time('started')} / {DAY}) AS BIGINT)"
        query = f"""
            SELECT {self._owner}, {self._text("stream")}, {day}, {self._sums}
            FROM {self._table} WHERE {self._is_recent}
            GROUP BY {self._owner}, {self._text("stream")}, {day}
        """  # noqa: S608 - quoted
        found: dict[Owner, dict[str, dict[int, Counts]]] = defaultdict(lambda: defaultdict(dict))
        for crm, account, stream, at, *sums in self._rows(query):
            found[Owner(crm, account)][str(stream)][int(at)] = _counts(sums)
        return found

    def runs(self) -> dict[Owner, list[Run]]:
        """Return by owner the runs, the newest first."""
        failed = f"NOT {self._is_complete} AND {self._text('error')} IS NOT NULL"
        query = f"""
            SELECT {self._owner}, {self._text("run_id")}, min({self._time("started")}), max({self._time("finished")}),
                count(*), sum(CASE WHEN {self._is_complete} THEN 1 ELSE 0 END),
                sum(CASE WHEN {failed} THEN 1 ELSE 0 END), {self._sums}
            FROM {self._table} WHERE {self._is_recent}
            GROUP BY {self._owner}, {self._text("run_id")}
            ORDER BY {self._text("run_id")} DESC
        """  # noqa: S608 - quoted
        found: dict[Owner, list[Run]] = defaultdict(list)
        for crm, account, run_id, started, finished, streams, complete, wrong, *sums in self._rows(query):
            run = Run(
                str(run_id), float(started), _seconds(finished), streams, int(complete), int(wrong), _counts(sums)
            )
            found[Owner(crm, account)].append(run)
        return found

    def failures(self) -> dict[Owner, list[Failure]]:
        """Return by owner why streams were not complete, the newest first."""
        query = f"""
            SELECT {self._owner}, {self._text("stream")}, {self._text("error")}, count(*),
                min({self._time("started")}), max({self._time("started")}), max({self._text("run_id")})
            FROM {self._table}
            WHERE {self._is_recent} AND NOT {self._is_complete} AND {self._text("error")} IS NOT NULL
            GROUP BY {self._owner}, {self._text("stream")}, {self._text("error")}
            ORDER BY max({self._text("run_id")}) DESC, {self._text("stream")} LIMIT {MOST}
        """  # noqa: S608 - quoted
        found: dict[Owner, list[Failure]] = defaultdict(list)
        for crm, account, stream, error, runs, first, last, _ in self._rows(query):
            failure = Failure(str(stream), str(error), runs, _seconds(first), _seconds(last))
            found[Owner(crm, account)].append(failure)
        return found

    def incomplete(self) -> dict[Owner, dict[str, list[tuple[str, float | None]]]]:
        """Return by owner and stream the runs that were not complete, each with when it began, the newest first."""
        query = f"""
            SELECT {self._owner}, {self._text("stream")}, {self._text("run_id")}, {self._time("started")}
            FROM {self._table} WHERE {self._is_recent} AND NOT {self._is_complete}
            ORDER BY {self._text("run_id")} DESC
        """  # noqa: S608 - quoted
        found: dict[Owner, dict[str, list[tuple[str, float | None]]]] = defaultdict(lambda: defaultdict(list))
        for crm, account, stream, run_id, started in self._rows(query):
            found[Owner(crm, account)][str(stream)].append((str(run_id), _seconds(started)))
        return found

    def remarks(self) -> dict[Owner, list[Remark]]:
        """Return by owner what runs noted, the newest first, each text of a stream once."""
        if named(self._columns, "notes") is None:
            return {}
        query = f"""
            SELECT {self._owner}, {self._text("stream")}, {self._text("notes")}, max({self._time("started")}),
                max({self._text("run_id")})
            FROM {self._table} WHERE {self._is_recent} AND {self._text("notes")} NOT IN ('[]', '{{}}', 'null', '')
            GROUP BY {self._owner}, {self._text("stream")}, {self._text("notes")}
            ORDER BY max({self._text("run_id")}) DESC, {self._text("stream")} LIMIT {MOST}
        """  # noqa: S608 - quoted
        found: dict[Owner, dict[tuple[str, str], Remark]] = defaultdict(dict)
        for crm, account, stream, notes, at, _ in self._rows(query):
            for text in notes_in(notes):
                found[Owner(crm, account)].setdefault((str(stream), text), Remark(str(stream), text, _seconds(at)))
        return {owner: list(of.values()) for owner, of in found.items()}

    # Parts of SQL

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        return self._connection.rows(query)

    def _text(self, name: str) -> str:
        known = named(self._columns, name)
        return _NO_TEXT if known is None else f"CAST({quoted(known)} AS VARCHAR)"

    def _number(self, name: str) -> str:
        known = named(self._columns, name)
        return _NO_NUMBER if known is None else f"CAST({quoted(known)} AS FLOAT8)"

    def _time(self, name: str) -> str:
        known = named(self._columns, name)
        return _NO_NUMBER if known is None else time_sql(known, self._columns[known])

    @property
    def _owner_as(self) -> str:
        crm, account = self._owner.split(", ", 1)
        return f"{crm} AS owner_crm, {account} AS owner_account"

    @property
    def _is_complete(self) -> str:
        return f"(lower(coalesce({self._text('complete')}, 'false')) IN ('true', 't', '1'))"

    @property
    def _is_recent(self) -> str:
        return f"{self._time('started')} >= {self._since:.0f}"

    @property
    def _sums(self) -> str:
        return ", ".join(f"sum({self._number(name)})" for name in _COUNTS)


_NO_TEXT, _NO_NUMBER = "CAST(NULL AS VARCHAR)", "CAST(NULL AS FLOAT8)"


def time_sql(column: str, kind: str) -> str:
    """Return SQL for epoch seconds, of a column with times or with ISO 8601 as text."""
    if is_time(kind):
        return epoch_sql(column)
    return f"CAST(extract(epoch FROM CAST({quoted(column)} AS TIMESTAMP)) AS FLOAT8)"


def notes_in(value: object) -> tuple[str, ...]:
    """Return the notes that a column has, in whatever way a loader keeps a list of texts."""
    if value is None:
        return ()
    text = str(value)
    try:
        listed = json.loads(text)
    except ValueError:
        return (text,)
    return tuple(str(one) for one in listed if one is not None) if isinstance(listed, list) else (text,)


def _counts(sums: Iterable[Any]) -> Counts:
    records, requests, deletions, rate_limited, retries, waited = (float(number or 0) for number in sums)
    return Counts(int(records), int(requests), int(deletions), int(rate_limited), int(retries), waited)


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _whole(value: object) -> int | None:
    return None if value is None else int(float(str(value)))


def owners(*answers: Mapping[Owner, object]) -> list[Owner]:
    """Return everyone of whom one of the answers tells, in order."""
    return sorted({owner for one in answers for owner in one}, key=lambda one: (one.provider or "", one.account or ""))
