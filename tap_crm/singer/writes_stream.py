"""The stream ``writes``: what ``target-crm`` has written, from its journal; read last, after what it wrote into."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from typing_extensions import override

from tap_crm.contract.stream import WRITES
from tap_crm.errors import ConfigError, ReadError
from tap_crm.journal.writes import Position
from tap_crm.shaping.account_column import keys_with_account, with_account
from tap_crm.shaping.schema import load_schema
from tap_crm.singer.catalog_checks import allow_nulls, check_entry
from tap_crm.singer.kept_stream import KeptStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog

    from tap_crm.journal.writes import WritesJournal
    from tap_crm.sync.run import Run

KEYS, SEQUENCE = ("journal_id", "sequence"), "sequence"
#: Rows between two STATE messages.
ROWS_A_STATE = 1_000
SET_BACK = "the journal is another one than in the last run, or a copy took its place: all of it is read again"


class WritesStream(KeptStream):
    """Each record that was written, once: a row is settled before it is read, and never changes.

    Args:
        tap: the tap that writes it.
        run: what the streams of a run share.
        journal: the journal.
    """

    TYPE_CONFORMANCE_LEVEL = Stream.TYPE_CONFORMANCE_LEVEL.NONE

    def __init__(self, tap: Tap, run: Run, journal: WritesJournal) -> None:
        column = self.account_column = run.settings.account_column
        super().__init__(tap=tap, schema=with_account(load_schema("common", WRITES), column, WRITES), name=WRITES)
        self.keys = self.primary_keys = keys_with_account(KEYS, column)
        self.replication_key = SEQUENCE
        self.run, self._journal = run, journal
        self.started: float | None = None
        self.finished: float | None = None
        self.complete = False
        self.mode = "full"

    # What became of it: times are the CRM's, and a journal has none

    @property
    def read_from(self) -> int | None:
        """None: the bookmark is no time."""
        return None

    @property
    def read_to(self) -> int | None:
        """None, likewise."""
        return None

    @property
    def whole_since(self) -> str | None:
        """None: no row ever goes."""
        return None

    # What the SDK asks of a stream

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over what the catalog says of the stream.

        Raises:
            ConfigError: rows cannot fit it.
        """
        entry = catalog.get_stream(self.name)
        if entry is not None and entry.metadata.resolve_selection()[()]:
            check_entry(entry, self.keys, SEQUENCE, self.schema["properties"])
            allow_nulls(entry, self.keys)
        super().apply_catalog(catalog)

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """Yield the rows that were settled since the last run."""
        for _, row in self._rows():
            yield row

    @override
    def write_all(self, *, write_messages: bool) -> Iterator[dict[str, Any]]:
        """Write the rows that were settled since the last run, and STATE behind rows that are written."""
        self.run.begin(self)
        self.started = time.time()
        try:
            yield from self._write_rows(write_messages=write_messages)
            self.complete = True
        except (ReadError, ConfigError) as error:
            self.run.note_failure(self, error)
        except (AbortedSyncFailedException, AbortedSyncPausedException):
            return  # a test run that has seen enough
        finally:
            self.finished = time.time()
            self.run.display.end(self.name, complete=self.complete)
            if write_messages:
                self.write_state()

    def _write_rows(self, *, write_messages: bool) -> Iterator[dict[str, Any]]:
        with self.get_record_counter() as counter:
            for count, (position, row) in enumerate(self._rows(), start=1):
                self.run.check_signals()
                self.end_test_run(count - 1)
                written = self.write_mapped(row) if write_messages else 1
                self.ledger.add(records=written, distinct=written)
                counter.increment(written)
                self.run.display.advance(self.name, written)
                yield row
                self._keep_position(position)  # only now is a row of a batch file in the file's hands
                if write_messages and count % ROWS_A_STATE == 0:
                    self.write_state()

    def _rows(self) -> Iterator[tuple[Position, dict[str, Any]]]:
        """Yield the rows to write, each with its place."""
        account = self.run.account_column
        for position, row in self._journal.rows(self._start()):
            yield position, row if account is None else account.added_to(row)

    # What the state has

    def _start(self) -> Position | None:
        """Return the last row that an earlier run wrote; None for none, or where it is not in the journal any more."""
        position = Position.of(self.kept.bookmark, self.kept.journal) if self.is_incremental else None
        if position is None:
            return None
        if not self._journal.has(position):
            self.ledger.note(SET_BACK)
            self.logger.warning("%s: %s", self.name, SET_BACK)
            return None
        self.mode = "incremental"
        return position

    def _keep_position(self, position: Position) -> None:
        if not self.is_incremental:
            return
        self.kept.replication_key, self.kept.bookmark = SEQUENCE, position.sequence
        self.kept.journal, self.kept.account_column = position.beside(), self.account_column
        self._keep()
        self.note_changed_state()
