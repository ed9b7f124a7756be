"""Compares stream by stream; what goes wrong with one stream is said of that one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.audit.match import DIFFERENT, EQUAL, LEFT_OUT, UNKNOWN, Comparison, Match
from tap_crm.audit.tables import LoadedRows, Schema, find_schema
from tap_crm.contract.stream import AUDIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.audit.database import Database
    from tap_crm.audit.keys import Key
    from tap_crm.audit.streams import ComparedStream, CrmAccount
    from tap_crm.singer.progress import SilentProgress

_log = logging.getLogger("tap-crm.audit")

#: Records between two reports to the progress.
RECORDS_PER_REPORT = 1_000
NO_AUDIT = (
    f"there is no table `{AUDIT}` with complete runs of this CRM: what changed since the load counts as a difference"
)


@dataclass(slots=True)
class Report:
    """What was found of all streams.

    Attributes:
        provider: the CRM.
        database: its kind.
        schema: where the tables are.
        time: when the comparison began.
        comparisons: of each stream.
        notes: what concerns all of them.
    """

    provider: str
    database: str
    schema: str
    time: datetime
    comparisons: list[Comparison] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether every stream that the CRM offers was compared, and nothing differs."""
        return all(one.verdict in (EQUAL, LEFT_OUT) for one in self.comparisons)


class Audit:
    """A comparison of a database with a CRM.

    Args:
        account: the CRM.
        database: what was loaded.
        schema: where; None to find it.
        limit: ids that are named of each difference of a stream.
        progress: is told what is read.
    """

    def __init__(
        self, account: CrmAccount, database: Database, schema: str | None, limit: int, progress: SilentProgress
    ) -> None:
        self._account, self._database, self._limit, self._progress = account, database, limit, progress
        account.find()
        with database.open() as connection:
            self._schema: Schema = find_schema(connection, schema, account.provider, database.usual_schema)
            self._schema.account = account.column
            self._until = self._schema.loaded_until(connection, account.provider)
        self._refused: errors.CredentialsRefused | None = None

    def run(self) -> Report:
        """Compare every stream.

        Raises:
            CrmError: not one could be compared.
        """
        report = Report(self._account.provider, self._database.kind, self._schema.name, datetime.now(UTC))
        if not self._until:
            report.notes.append(NO_AUDIT)
        streams = self._account.streams()
        report.comparisons += [self._compared(stream) for stream in streams]
        report.comparisons += [
            Comparison(name, UNKNOWN, reason=reason) for name, reason in self._account.lost().items()
        ]
        if not any(one.verdict in (EQUAL, DIFFERENT) for one in report.comparisons):
            reasons = [f"{one.stream}: {one.reason}" for one in report.comparisons]
            raise errors.ReadError(f"no stream could be compared; {reasons[0]}")
        return report

    def _compared(self, stream: ComparedStream) -> Comparison:
        """Compare a stream: first its table, then the CRM, which can only be newer."""
        self._progress.begin(stream.name)
        found = Comparison(stream.name, UNKNOWN)
        try:
            found = self._with_table(stream) if self._schema.has(stream.name) else self._without_table(stream)
        except errors.CrmError as error:
            found.reason = str(error)
            if isinstance(error, errors.CredentialsRefused):
                self._refused = error
            elif self._is_not_offered(stream, error):
                found.verdict = LEFT_OUT
        except OSError as error:
            found.reason = errors.no_room(error)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one stream must not cost the others
            _log.exception("%s: unexpected error; please report it", stream.name)
            found.reason = f"unexpected {type(error).__name__}; see the log"
        self._progress.end(stream.name, complete=found.verdict != UNKNOWN)
        return found

    def _is_not_offered(self, stream: ComparedStream, error: errors.CrmError) -> bool:
        """Tell whether a run without a catalog leaves the stream out: its key may not read it, and nothing is there."""
        is_refused = isinstance(error, errors.Forbidden | errors.NotThere)
        return is_refused and self._account.offers_what_there_is and not self._schema.has(stream.name)

    def _without_table(self, stream: ComparedStream) -> Comparison:
        """Name a table that is not there; where the CRM has no records either, loaders may never have made it."""
        match = Match(LoadedRows(has_times=False), self._until.get(stream.name))
        self._read(stream, match)
        found = match.result(stream.name, self._limit)
        found.table = None
        if found.crm:
            found.verdict = DIFFERENT
            found.reason = f"there is no table of this name in the schema `{self._schema.name}`"
        else:
            found.notes.append("there is no table, and no record that it could hold")
        return found

    def _with_table(self, stream: ComparedStream) -> Comparison:
        lacking = self._schema.lacks(stream.name, stream.source.keys)
        if lacking:
            return self._without_key(stream, lacking)
        with self._database.open() as connection:
            loaded = self._schema.load(connection, stream.name, stream.columns)
        match = Match(loaded, self._until.get(stream.name), is_log=stream.is_log)
        self._read(stream, match)
        found = match.result(stream.name, self._limit)
        found.notes += self._notes(stream, found, loaded)
        ledger = stream.source.ledger
        was_shown_less = bool(ledger.gaps) or ledger.unexplained >= found.surplus
        if was_shown_less and found.surplus and not (found.missing or found.stale):
            found.verdict, found.reason = UNKNOWN, "the surplus rows may be among what the CRM did not give"
        return found

    def _without_key(self, stream: ComparedStream, lacking: list[str]) -> Comparison:
        """Count only: rows cannot be told apart."""
        with self._database.open() as connection:
            rows = self._schema.count(connection, stream.name)
        columns = ", ".join(f"`{name}`" for name in lacking)
        return Comparison(
            stream.name,
            DIFFERENT,
            crm=sum(1 for _ in self._records(stream)),
            table=rows,
            loaded_to=self._until.get(stream.name),
            reason=f"the table lacks the key column {columns}: its rows could not be compared",
        )

    def _read(self, stream: ComparedStream, match: Match) -> None:
        for key, changed, created in self._records(stream):
            match.add(key, changed, created)

    def _records(self, stream: ComparedStream) -> Iterator[tuple[Key, int | None, int | None]]:
        if self._refused is not None:
            raise errors.CredentialsRefused("not read, since the credentials were refused before")
        for number, record in enumerate(stream.records(), start=1):
            yield record
            if number % RECORDS_PER_REPORT == 0:
                self._progress.advance(stream.name, RECORDS_PER_REPORT)

    def _notes(self, stream: ComparedStream, found: Comparison, loaded: LoadedRows) -> list[str]:
        """Return what is to be known of a stream whose rows were compared."""
        notes = []
        ledger, changed = stream.source.ledger, stream.columns.changed
        if changed is not None and not loaded.has_times:
            notes.append(f"stale: not compared, since the table has no column `{changed}`")
        if found.surplus and loaded.duplicates and not stream.is_log:
            notes.append(f"of the surplus rows, further ones with the key of another row: {len(loaded.duplicates):,}")
        if found.surplus > len(loaded.duplicates):
            notes.append(stream.deletions_are_found_by)
        if ledger.unexplained:
            notes.append(f"records that the CRM's own count promises, and that it did not give: {ledger.unexplained:,}")
        notes += [f"the CRM was not read in full: {gap}" for gap in ledger.gaps]
        if changed is None:
            notes.append("stale: not compared, since the records have no time of change")
        return notes
