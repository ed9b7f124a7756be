"""The one bridge to the SDK: runs a reading, writes its records, moves the bookmark at checkpoints only.

It is long because one class has to answer all that the SDK asks of a stream.
"""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from typing_extensions import override

from tap_crm import errors
from tap_crm.contract.memory import Memory
from tap_crm.contract.stream import Deletions, Reading
from tap_crm.messages import Checkpoint, HintsKept, Overtaken, Page, Progress, ReadBegun
from tap_crm.reading.emptiness import Lists
from tap_crm.shaping.account_column import keys_with_account, with_account
from tap_crm.shaping.custom.fields import id_described
from tap_crm.shaping.schema import EXTRA
from tap_crm.singer.catalog_checks import allow_nulls, check_entry
from tap_crm.singer.child_stream import ChildStream
from tap_crm.singer.children import Children
from tap_crm.singer.held_stream import HeldStream
from tap_crm.singer.record_shaper import Form, RecordShaper, tell_of_values
from tap_crm.sync.bookkeeping import Bookkeeping, Noted
from tap_crm.sync.run_limit import LimitReached
from tap_crm.sync.state import StreamState
from tap_crm.sync.stream_run import StreamRun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from singer_sdk.metrics import Counter
    from singer_sdk.singerlib import Catalog, CatalogEntry

    from tap_crm.config.settings import Settings
    from tap_crm.contract.stream import StreamSpec
    from tap_crm.messages import Emit, Item
    from tap_crm.shaping.custom.columns import CustomColumns
    from tap_crm.singer.command_line import CommandLine
    from tap_crm.singer.sdk_internals import Batch, BatchSettings
    from tap_crm.sync.run import Run


class CrmStream(HeldStream):
    """A declared stream as the SDK sees it.

    Args:
        tap: the tap that writes, and keeps the state.
        run: what the streams of a run share.
        spec: the declaration.
        schema: its schema, references resolved.
        custom: what the account has of custom fields.
    """

    TYPE_CONFORMANCE_LEVEL = Stream.TYPE_CONFORMANCE_LEVEL.NONE  # records fit already: see shaping/

    def __init__(
        self, tap: CommandLine, run: Run, spec: StreamSpec, schema: dict[str, Any], custom: CustomColumns | None = None
    ) -> None:
        column = self.account_column = run.settings.account_column
        extended = schema if custom is None else custom.extend(schema)
        super().__init__(tap=tap, schema=with_account(extended, column, spec.name), name=spec.name)
        self.custom = custom
        self.tap, self.run = tap, run
        self.spec = spec
        self.keys = self.primary_keys = keys_with_account(spec.primary_key, column)
        self.replication_key = spec.replication_key
        self.selected_by_default = spec.selected
        self._stream_run: StreamRun | None = None
        self._shaper: RecordShaper | None = None
        self._book: Bookkeeping | None = None
        self.started: float | None = None
        self.finished: float | None = None
        self.complete = False
        self._memory = Memory()
        self._children: Children | None = None

    @override
    def made_by_account(self, properties: Mapping[str, Any]) -> Collection[str]:
        """Return the columns of custom fields, and of a table that the account made all but its key."""
        if self.spec.versioned:
            return properties.keys() - {*self.keys, EXTRA}
        return [name for name, part in properties.items() if self.custom is not None and id_described(part) is not None]

    @override
    def follow_types(self, kept: StreamState, settings: Settings, entry: CatalogEntry | None = None) -> None:
        """Take the form of objects and arrays that the target knows, and other names for columns of another type."""
        super().follow_types(kept, settings, entry)
        if self.custom is not None:
            self.custom.told_names = self.told_names

    # What is read

    @property
    def child_tables(self) -> list[ChildStream]:
        """The selected streams of arrays of its records."""
        return [one for one in self.child_streams if isinstance(one, ChildStream) and one.selected]

    @property
    def is_read(self) -> bool:
        """Whether it is read: for itself, or for a child table."""
        return self.selected or bool(self.child_tables)

    @property
    def written(self) -> list[CrmStream | ChildStream]:
        """The streams that are written when it is read."""
        return [*([self] if self.selected else []), *self.child_tables]

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that are written when it is read: its own, and those of arrays of its records."""
        return tuple(one.name for one in self.written)

    def read(self, emit: Emit) -> None:
        """Read the stream; called in a thread of its own."""
        self.started = time.time()
        self._check_definitions()
        kept = replace(self.kept)  # the other thread goes on with its own
        self._memory = Memory() if kept.memory is None else replace(kept.memory)
        self._stream_run = StreamRun(self.run, self, kept)
        self._stream_run.read(emit)

    @property
    def mode(self) -> str:
        """How the stream is read: ``full``, ``incremental`` or ``reconcile``."""
        return "full" if self._stream_run is None else self._stream_run.mode

    @property
    def read_from(self) -> int | None:
        """Epoch seconds from which changes were asked for; None for all."""
        return None if self._stream_run is None else self._stream_run.read_from

    @property
    def read_to(self) -> int | None:
        """Epoch seconds up to which everything was written; None before the first checkpoint."""
        return None if self._book is None else self._book.read_to

    @property
    def whole_since(self) -> str | None:
        """After a complete read, since when all rows that are there were written."""
        return None if self._book is None else self._book.whole_since

    @property
    def tells_deletions(self) -> Deletions:
        """How it is found out which rows are gone; batches carry no versions, so nothing can be concluded of theirs."""
        if self.config.get("batch_config") or self.spec.is_log:
            return Deletions.UNTOLD
        if self.spec.versioned:
            return Deletions.BY_ITSELF
        return Deletions.RECONCILED if self.is_incremental else Deletions.EACH_RUN

    @property
    @override
    def is_compared(self) -> bool:
        """Whether it is a list; who has a stream with a bookmark read as FULL_TABLE wants all of it written."""
        return self.tells_deletions is Deletions.EACH_RUN and self.spec.replication_key is None

    def _check_definitions(self) -> None:
        """Raise what kept the definitions of custom fields from being read, if columns depend on them."""
        remark = None if self.custom is None else self.custom.check(self.name, self.effective_schema["properties"])
        if remark is not None:
            self.ledger.note(remark)

    def probe(self) -> None:
        """Ask one question that shows whether the key may read this stream."""
        self.spec.source.probe(self.reading(lambda _: None, None))

    def reading(self, emit: Emit, since: int | None) -> Reading:
        """Return what a source is given to read the stream."""
        return Reading(
            spec=self.spec,
            transport=self.run.transport,
            settings=self.run.settings,
            since=since,
            emit=emit,
            ledger=self.ledger,
            lanes=self.run.lanes(),
            once_per_run=self.run.once_per_run,
            selected=self.run.selected_told,
            fields=self._wanted_of_source() | {one.table.array for one in self.child_tables},
            told_names=self.run.told_names,
            memory=self._memory,
            lists=self._stream_run.lists if self._stream_run is not None else Lists(),
        )

    # What is written

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """Yield the records of a complete read, shaped, without the deselected fields."""
        book = self._book = Bookkeeping(self, self.kept)
        try:
            for item in self.run.read_ahead.open(self.name, self.read).items(self.run.check_signals):
                if isinstance(item, Page):
                    yield from self._shape().records(item)
                elif isinstance(item, (Checkpoint, HintsKept, Overtaken)):
                    book.take(item, self.run.transport.clock.now())
                    self._keep()
                    self.note_changed_state()
        finally:
            self.run.read_ahead.close(self.name)

    @override
    def get_batches(self, batch_config: BatchSettings, context: Mapping[str, Any] | None = None) -> Iterable[Batch]:
        """Yield the batch files of a complete read.

        What cannot be written is a failure of this stream alone. The SDK fills a file only when all of its records were
        read: the state is set back to that of the last file that was written.
        """
        written = deepcopy(self.stream_state)
        try:
            for batch in super().get_batches(batch_config, context) if self.selected else self._read_for_children():
                self._flush_children()
                yield batch
                written = deepcopy(self.stream_state)
            self._flush_children()
            self.note_changed_state()
        except errors.CrmError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a storage raises
            self.set_back(written)
            self.complete = False
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            self._fail(errors.ReadError(f"{self.name}: a batch file cannot be written: {reason}"))
        self.write_state()

    def _unforeseen(self, error: Exception) -> errors.ReadError:
        """Return what is said of an error that no reading raises; one of ours goes into the log."""
        if isinstance(error, OSError):  # those of the network have names of their own by now
            return errors.ReadError(f"{self.name}: {errors.no_room(error)}")
        self.logger.error("%s: unexpected error; please report it", self.name, exc_info=error)
        return errors.ReadError(f"{self.name}: unexpected {type(error).__name__}; see the log")

    def _read_for_children(self) -> Iterator[Batch]:
        """Read for the batch files of child tables alone."""
        for _ in self.write_all(write_messages=False):
            pass
        yield from ()

    def _flush_children(self) -> None:
        """Write what waits of child tables: no STATE may pass it."""
        if self._children is not None:
            self._children.flush()

    @override
    def write_all(self, *, write_messages: bool) -> Iterator[dict[str, Any]]:
        """Write the records of a complete read, and STATE at its checkpoints.

        A failure is kept by the tap, which goes on with the other streams and ends with exit code 1.
        """
        for one in self.written:
            self.run.begin(one)
        book = self._book = Bookkeeping(self, self.kept)
        self.before_schema()
        try:
            self.run.check()
            yield from self._sync_items(book, write_messages=write_messages)
            self._end(book, write_messages=write_messages)
            self.complete = True
        except (LimitReached, errors.Cancelled):
            self._leave()
        except errors.ReadError as error:
            self._fail(error)
        except (AbortedSyncFailedException, AbortedSyncPausedException):
            return  # a test run that has seen enough
        except errors.CrmError:
            raise  # what ends the whole run
        except Exception as error:  # noqa: BLE001 - a fault of ours in one stream must not cost the others
            self._fail(self._unforeseen(error))
        finally:
            self.finished = time.time()
            self.end_held()
            self.run.read_ahead.close(self.name)
            for one in self.written:
                self.run.display.end(one.name, complete=self.complete)
            tell_of_values(self.name, self.ledger, self._shaper, self.logger)
            if self._children is not None:
                self._children.conclude()
                if not self.selected:
                    self._children.bear_costs()
            self._write_state_message_now(write_messages=write_messages)

    def _leave(self) -> None:
        """Leave the rest to the next run, which begins with the stream that waits longest."""
        self.release_held()
        for one in self.written:
            self.run.leave_unfinished(one)
        if self.kept.left_at is None:
            self.kept.left_at = int(self.run.transport.clock.now())
        self._keep()
        self.note_changed_state()

    def _fail(self, error: errors.ReadError) -> None:
        """Note that it failed, and with it its child tables."""
        self.release_held()
        for one in self.written:
            self.run.fail(one, error)

    def _begin_children(self, *, write_messages: bool) -> Children:
        """Return what writes the child tables, which are none in a test run."""

        def write_state() -> None:
            self._keep()
            if write_messages:
                self.write_state_at_once()

        tables = [] if self.is_test_run else self.child_tables
        order = self.run.date_order
        self._children = Children.of(self, tables, self.kept, write_state, self.custom, date_order=order)
        self._children.version = self.version
        self._keep()
        return self._children

    def _sync_items(self, book: Bookkeeping, *, write_messages: bool) -> Iterator[dict[str, Any]]:
        counter = self.get_record_counter()
        book.begin(self.run.transport.clock.now())
        self._keep()
        self.version = self._told(book.version)
        if self._note_types():
            self.note_changed_state()
        children = self._begin_children(write_messages=write_messages)
        self.settle_schemas()
        fast = write_messages and self._may_write_fast()
        index = 0
        with counter, self.get_sync_timer():
            for item in self.run.read_ahead.open(self.name, self.read).items(self.run.check):
                if not isinstance(item, ReadBegun) and book.note_account(self.run.account, self.account_column):
                    self._keep()
                if not isinstance(item, Page):
                    self._take_note(book, item, write_messages=write_messages)
                    continue
                if book.note_page():
                    self._keep()
                    if write_messages:
                        self.write_state_at_once()
                children.write(item, self.run.transport.clock.now())
                if not self.selected:
                    continue
                written = self._write_fast(item) if fast else None
                if written is not None:
                    index = self._booked(index, written, counter)
                    continue
                for record in self._shape().records(item):
                    self.end_test_run(index)
                    written = self.write_mapped(record) if write_messages else 1
                    index = self._booked(index, written, counter)
                    yield record
            self._settle_rows(book, counter)

    def _settle_rows(self, book: Bookkeeping, counter: Counter) -> None:
        """Write the rows that wait; if the target has just these, count none as written."""
        if not self.settle_rows(whole=book.is_whole):
            return
        counter.increment(-self.ledger.records)
        for one in self.written:
            self.run.display.advance(one.name, -one.ledger.records)
            one.ledger.add(records=-one.ledger.records)

    def _take_note(self, book: Bookkeeping, item: Item, *, write_messages: bool) -> None:
        """Follow what the reading says beside its pages."""
        before = self._read_so_far()
        noted = book.take(item, self.run.transport.clock.now())
        self.version = self._told(book.version)
        if self._children is not None:
            self._children.version = self.version
            if isinstance(item, ReadBegun):
                self._children.begin(item)
        self._keep()
        if Noted.CHANGED in noted:
            self.note_changed_state()
        if Noted.DUE in noted:
            self._write_state_message_now(write_messages=write_messages)
        if isinstance(item, (Checkpoint, Progress, HintsKept)) and self._read_so_far() != before:
            self.run.moved.update(self.tables)

    def _read_so_far(self) -> tuple[object, ...]:
        """Return what shows that a run came further: with a bookmark, also up to where events were heeded."""
        kept = self.kept
        hints = None if kept.hints is None or kept.bookmark is None else (kept.hints.place, {*kept.hints.again})
        return kept.bookmark, kept.unfinished, hints

    def _end(self, book: Bookkeeping, *, write_messages: bool) -> None:
        """Tell the target that a new version is complete, if one was begun, and keep what a complete stream has.

        The SDK would say so before the first record, and a run that dies then would have emptied the table.
        """
        now, version, as_written = self.run.transport.clock.now(), None, self.as_written
        if write_messages:
            ended = book.end(self._memory, self.started or time.time(), now, as_written=as_written)
            version = self._told(ended)
            self.ledger.add(deletions=book.gone)
            if version is not None and self.selected:
                self.write_version_end(version)
            if ended is not None:
                self.note_written(ended)
            self.note_changed_state()
        if self._children:
            self._children.end(version, now, as_written=as_written)
        self.kept.left_at = None
        self.kept.note_tables(self.name, self.tables)
        book.note_account(self.run.account, self.account_column)
        if self.custom is not None and self.custom.form != "raw":
            book.note_columns(self.custom.names(self.effective_schema["properties"]))
            self.note_changed_state()
        self._keep()

    def _told(self, version: int | None) -> int | None:
        """Return the version as the target is told; None where it is told of none."""
        return version if self.run.settings.tells_versions else None

    def _note_types(self) -> bool:
        """Keep the types of the columns that the target is told of now; tell whether there is something new."""
        own = self.selected and self.note_types(self.kept, self._wanted())
        children = [one.note_types(self.kept, one.wanted()) for one in self.child_tables]
        return own or any(children)

    def _booked(self, index: int, written: int, counter: Counter) -> int:
        self.ledger.add(records=written)
        counter.increment(written)
        self.run.display.advance(self.name, written)
        return index + written

    def _may_write_fast(self) -> bool:
        """Tell whether the lines need nothing that only the SDK's own path does."""
        config = self.config
        plain = not (config.get("stream_maps") or config.get("flattening_enabled") or config.get("batch_config"))
        return plain and self._shape().is_plain and not self.is_test_run

    def _write_fast(self, page: Page) -> int | None:
        """Write a page straight from its body; None if it needs the careful path."""
        encoded = self._shape().encoded(page)
        if encoded is None:
            return None
        self.tap.writer.write_records(self.name, self.version, encoded)
        return len(encoded)

    def _shape(self) -> RecordShaper:
        """Return what shapes the records; not known before the catalog is applied."""
        if self._shaper is None:
            form = Form(self._fixed(), self.effective_schema["properties"], self._wanted(), self.mask)
            self._shaper = RecordShaper(self.spec, form.told_by(self, self.run), self.custom)
        return self._shaper

    def _fixed(self) -> dict[str, Any]:
        """Return the properties of our own schema that are no columns of custom fields."""
        own = self.read_properties
        if self.custom is None:
            return own
        return {name: part for name, part in own.items() if not self.custom.owns(name, part)}

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over what the catalog says of the stream.

        Raises:
            ConfigError: records cannot fit it.
        """
        entry = catalog.get_stream(self.name)
        if entry is not None and entry.metadata.resolve_selection()[()]:
            check_entry(entry, self.keys, self.spec.replication_key, None if self.spec.versioned else self._fixed())
            allow_nulls(entry, self.keys)
        self.follow_types(self.tap.states_given.get(self.name, StreamState()), self.run.settings, entry)
        super().apply_catalog(catalog)

    def _wanted_of_source(self) -> frozenset[str]:
        """Return the same by the names that the source knows."""
        sources = {told: name for name, told in self.told_names.items()}
        return frozenset(sources.get(name, name) for name in self._wanted())

    def _wanted(self) -> frozenset[str]:
        """Return the top-level fields that are selected and that the catalog's schema knows."""
        known = self.effective_schema["properties"]
        keys = {*(self.primary_keys or ()), *([self.replication_key] if self.replication_key else [])}
        return frozenset(name for name in known if name in keys or self.mask.get(("properties", name), True))
