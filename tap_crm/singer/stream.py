"""The one bridge to the SDK: runs a reading, writes its records, moves the bookmark at checkpoints only."""

from __future__ import annotations

import time
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.mapper import RemoveRecordTransform
from typing_extensions import override

from tap_crm import errors
from tap_crm.contract.stream import Deletions, Reading
from tap_crm.ledger import Ledger
from tap_crm.messages import Checkpoint, NewVersion, Page, Progress, ReadBegun
from tap_crm.reading.emptiness import Lists
from tap_crm.shaping.moments import from_epoch
from tap_crm.shaping.schema import EXTRA
from tap_crm.singer.catalog_checks import allow_nulls, check_entry
from tap_crm.singer.child_stream import ChildStream
from tap_crm.singer.children import Children, custom_values
from tap_crm.singer.record_shaper import Form, RecordShaper
from tap_crm.singer.sdk_internals import SdkStream
from tap_crm.sync.account import ACCOUNT
from tap_crm.sync.given_state import forget_future
from tap_crm.sync.input_checks import parse_bookmark
from tap_crm.sync.stream_run import StreamRun
from tap_crm.sync.tables import note_tables, tables_written
from tap_crm.sync.versions import Versions, told_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.metrics import Counter
    from singer_sdk.singerlib import Catalog

    from tap_crm.contract.stream import StreamSpec
    from tap_crm.messages import Emit, Item
    from tap_crm.shaping.custom.columns import CustomColumns
    from tap_crm.singer.command_line import CommandLine
    from tap_crm.singer.sdk_internals import Batch, BatchSettings
    from tap_crm.sync.run import Run

#: What the state of a stream calls its columns by the ids of custom fields.
COLUMNS = "custom_fields"


class CrmStream(SdkStream):
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
        super().__init__(tap=tap, schema=schema if custom is None else custom.extend(schema), name=spec.name)
        self.custom = custom
        self.tap, self.run = tap, run
        self.spec = spec
        self.primary_keys = spec.keys
        self.replication_key = spec.replication_key
        self.selected_by_default = spec.selected
        self.ledger = Ledger()
        self._stream_run: StreamRun | None = None
        self._shaper: RecordShaper | None = None
        self.read_to: int | None = None
        self.started: float | None = None
        self.finished: float | None = None
        self.complete = False
        self.whole_since: str | None = None
        self._memory: dict[str, Any] = {}
        self._children: Children | None = None

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
        # Not `stream_state`, which adds an entry to the state while the main thread may be writing it.
        kept = dict(self.tap_state.get("bookmarks", {}).get(self.name, {}))
        memory = kept.get("memory")
        self._memory = dict(memory) if isinstance(memory, dict) else {}
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
    def tells_deletions(self) -> Deletions:
        """How it is found out which rows are gone; batches carry no versions, so nothing can be concluded of theirs."""
        if self.config.get("batch_config") or self.spec.is_log:
            return Deletions.UNTOLD
        if self.spec.versioned:
            return Deletions.BY_ITSELF
        return Deletions.RECONCILED if self.is_incremental else Deletions.EACH_RUN

    @property
    def is_incremental(self) -> bool:
        """Whether it is read by a bookmark."""
        return self.replication_method == "INCREMENTAL"

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
            shared=self.run.shared,
            selected=self.run.selected_told,
            fields=self._wanted() | {one.table.array for one in self.child_tables},
            memory=self._memory,
            lists=self._stream_run.lists if self._stream_run is not None else Lists(),
        )

    def starting_bookmark(self) -> int | None:
        """Return the bookmark in epoch seconds, or None where the stream is read in full.

        Raises:
            ConfigError: the state holds something that is no time.
        """
        if not self.is_incremental:
            return None
        return parse_bookmark(self.name, self.stream_state.get("replication_key_value"))

    def told_to(self) -> int | None:
        """Return up to where the CRM's own log of changes was heeded, in epoch seconds; None on a first run."""
        return told_to(self.stream_state, self.starting_bookmark())

    @property
    def is_mapped_away(self) -> bool:
        """Whether the setting ``stream_maps`` removes the stream as a whole."""
        return all(isinstance(one, RemoveRecordTransform) for one in self.stream_maps)

    def forget_future(self, now: float) -> None:
        """Take out of the state what is later than the server's present, and say so.

        Raises:
            ConfigError: the state holds something that is no time.
        """
        if self.name not in self.tap_state.get("bookmarks", {}):
            return
        remark = forget_future(self.name, self.stream_state, now)
        if remark is not None:
            self.ledger.note(remark)
            self.logger.warning("%s", remark)

    # What is written

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never before the records, whatever the SDK's setting says: a run that dies would empty the table.

        Versions begin and end by :class:`Versions`.
        """
        return False

    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Yield the records of a complete read, shaped, without the deselected fields."""
        try:
            for item in self.run.feeds.open(self.name, self.read).items(self.run.glance):
                if isinstance(item, Page):
                    yield from self._shape().records(item)
                elif isinstance(item, Checkpoint):
                    self._move_bookmark(item)
        finally:
            self.run.feeds.close(self.name)

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
            self.stream_state.clear()
            self.stream_state.update(written)
            self.complete = False
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            self._fail(errors.ReadError(f"{self.name}: a batch file cannot be written: {reason}"))
        self.write_state()

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
        try:
            yield from self._sync_items(write_messages=write_messages)
            self._end_version(write_messages=write_messages)
            self._remember_account()
            self._remember_columns()
            note_tables(self.stream_state, self.name, self.tables)
            self.complete = True
        except errors.ReadError as error:
            self._fail(error)
        except (AbortedSyncFailedException, AbortedSyncPausedException):
            return  # a test run that has seen enough
        except errors.CrmError:
            raise  # what ends the whole run
        except Exception as error:  # a fault of ours in one stream must not cost the others
            self.logger.exception("%s: unexpected error; please report it", self.name)
            self._fail(errors.ReadError(f"{self.name}: unexpected {type(error).__name__}; see the log"))
        finally:
            self.finished = time.time()
            self.run.feeds.close(self.name)
            for one in self.written:
                self.run.display.end(one.name, complete=self.complete)
            self._warn_of_misfits()
            self._conclude_children()
            self._write_state_message_now(write_messages=write_messages)

    def _fail(self, error: errors.ReadError) -> None:
        """Note that it failed, and with it its child tables."""
        for one in self.written:
            self.run.fail(one, error)

    def _begin_children(self, *, write_messages: bool) -> Children:
        """Return what writes the child tables, which are none in a test run; tell the target of them."""
        tables = [] if self.is_test_run else self.child_tables
        order = self.run.settings.date_order
        values = custom_values(tables, self.custom, order) if self.custom is not None else None

        def write_state() -> None:
            self._write_changed_state(write_messages=write_messages)

        self._children = Children(self, tables, self.stream_state, write_state, values)
        self._children.version = self.version
        for one in tables:
            one.write_schema()
        written = tables_written(self.stream_state, self.name)
        is_first = self.is_incremental and self.starting_bookmark() is None
        # A table that is left out of this run, or is new in it, is behind the bookmark as soon as that moves.
        note_tables(self.stream_state, self.name, [one for one in self.tables if is_first or one in written])
        return self._children

    def _conclude_children(self) -> None:
        """Say what is to be said of child tables, and who bears the cost where the stream itself is not written."""
        if self._children is None:
            return
        self._children.close()
        for child, remark in self._children.remarks():
            child.ledger.note(remark)
            child.logger.warning("%s", remark)
        if not self.selected:
            for child in self.child_tables[:1]:
                child.ledger.take_costs(self.ledger)

    def _sync_items(self, *, write_messages: bool) -> Iterator[dict[str, Any]]:
        counter = self.get_record_counter()
        self._versions = Versions(self.stream_state, self.tells_deletions)
        self._versions.count_days_from(self.run.transport.clock.now())
        self.version = self._versions.present
        children = self._begin_children(write_messages=write_messages)
        fast = write_messages and self._may_write_fast()
        index = 0
        with counter, self.get_sync_timer():
            for item in self.run.feeds.open(self.name, self.read).items(self.run.glance):
                self._remember_account()
                if not isinstance(item, Page):
                    self._take_note(item, write_messages=write_messages)
                    continue
                # A run that dies from here on leaves the target between what was remembered and what is there now.
                if self._versions.forget_memory():
                    self._write_changed_state(write_messages=write_messages)
                children.write(item, self.run.transport.clock.now())
                if not self.selected:
                    continue
                written = self._write_fast(item) if fast else None
                if written is not None:
                    index = self._booked(index, written, counter)
                    continue
                for record in self._shape().records(item):
                    self.end_test_run(index)
                    written = self._write_maps(record) if write_messages else 1
                    index = self._booked(index, written, counter)
                    yield record

    def _write_maps(self, record: dict[str, Any]) -> int:
        """Write a record as the stream maps have it; returns 1, or 0 if they leave it out."""
        messages = list(self.mapped(record))
        for message in messages:
            self.tap.write_message(message)
        self.note_changed_state()
        return min(1, len(messages))

    def _take_note(self, item: Item, *, write_messages: bool) -> None:
        """Follow what the reading says beside its pages."""
        if isinstance(item, NewVersion):
            first = self.starting_bookmark() is None
            self._versions.begin(item, self.run.transport.clock.now(), first=first)
            self.version = self._versions.present
            if self._children is not None:
                self._children.version = self.version
        elif isinstance(item, ReadBegun):
            if self._children is not None:
                self._children.begin(item)
        elif isinstance(item, Progress):
            self._versions.note_progress(item)
            if self.mode == "reconcile":  # else a checkpoint follows
                self._write_changed_state(write_messages=write_messages)
        elif isinstance(item, Checkpoint):
            self._move_bookmark(item)
            self._write_state_message_now(write_messages=write_messages)
        elif self._versions.take(item, self.run.transport.clock.now()):
            self.note_changed_state()

    def _end_version(self, *, write_messages: bool) -> None:
        """Tell the target that a new version is complete, if one was begun.

        The SDK would say so before the first record, and a run that dies then would have emptied the table.
        """
        now = self.run.transport.clock.now()
        if not write_messages:
            self._end_children(None, now)
            return
        version = self._versions.end(self._memory, self.started or time.time(), now)
        self.ledger.add(deletions=self._versions.gone)
        self.whole_since = self._versions.whole_since
        if version is not None and self.selected:
            self.write_version_end(version)
        self._end_children(version, now)
        self.note_changed_state()

    def _end_children(self, version: int | None, now: float) -> None:
        if self._children:
            self._children.end(version, now)

    def _remember_account(self) -> None:
        """Keep which account the rows are of, beside whatever else the state has of them."""
        if self.run.account is not None:
            self.stream_state[ACCOUNT] = self.run.account

    def _remember_columns(self) -> None:
        """Keep the names of columns by the ids of their fields, so that the next run notices a renaming."""
        if self.custom is not None and self.custom.form != "raw":
            self.stream_state[COLUMNS] = self.custom.names(self.effective_schema["properties"])
            self.note_changed_state()

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
        version = b"" if self.version is None else b',"version":%d' % self.version
        prefix = b'{"type":"RECORD","stream":%s,"record":' % msgspec.json.encode(self.name)
        suffix = version + b',"time_extracted":"%s"}' % datetime.now(UTC).isoformat().encode()
        self.tap.writer.write_lines([prefix + record + suffix for record in encoded])
        return len(encoded)

    def _shape(self) -> RecordShaper:
        """Return what shapes the records; not known before the catalog is applied."""
        if self._shaper is None:
            told, order = self.effective_schema["properties"], self.run.settings.date_order
            self._shaper = RecordShaper(
                self.spec, Form(self._fixed(), told, self._wanted(), self.mask, order), self.custom
            )
        return self._shaper

    def _fixed(self) -> dict[str, Any]:
        """Return the properties of our own schema that are no columns of custom fields."""
        own: dict[str, Any] = self.schema["properties"]
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
            check_entry(
                entry, self.spec.keys, self.spec.replication_key, None if self.spec.versioned else self._fixed()
            )
            allow_nulls(entry, self.spec.keys)
        super().apply_catalog(catalog)

    def _wanted(self) -> frozenset[str]:
        """Return the top-level fields that are selected and that the catalog's schema knows."""
        known = self.effective_schema["properties"]
        keys = {*(self.primary_keys or ()), *([self.replication_key] if self.replication_key else [])}
        return frozenset(name for name in known if name in keys or self.mask.get(("properties", name), True))

    def _warn_of_misfits(self) -> None:
        shaper = self._shaper
        for remark in shaper.remarks() if shaper is not None else ():
            self.ledger.note(remark)
            self.logger.warning("%s: %s", self.name, remark)
        for name, count in sorted(shaper.misfits().items()) if shaper is not None else ():
            self.ledger.add(misfits=count)
            self.logger.warning(
                "%s: %d values of `%s` did not fit their type; they are null, and kept as they are in `%s`",
                self.name,
                count,
                name,
                EXTRA,
            )
        for remark in self._remarks_on_characters():
            self.ledger.note(remark)
            self.logger.warning("%s: %s", self.name, remark)

    def _remarks_on_characters(self) -> list[str]:
        """Return what was done to characters that no text can hold."""
        replaced, removed = self.ledger.characters_replaced, self.ledger.characters_removed
        found = [f"{replaced} broken characters in the CRM's answers: U+FFFD stands in their place"] if replaced else []
        return [*found, f"{removed} NUL characters in the CRM's answers are left out"] if removed else found

    # State

    def _move_bookmark(self, checkpoint: Checkpoint) -> None:
        """Remember that everything up to the checkpoint is written; a bookmark never moves back."""
        self.read_to = checkpoint.at if self.read_to is None else max(self.read_to, checkpoint.at)
        if not self.is_incremental or self.replication_key is None:
            return
        before = self.starting_bookmark()
        if before is None or checkpoint.at > before:
            self.stream_state.update(
                replication_key=self.replication_key, replication_key_value=from_epoch(checkpoint.at)
            )
        self.note_changed_state()

    def _write_changed_state(self, *, write_messages: bool) -> None:
        self.note_changed_state()
        self._write_state_message_now(write_messages=write_messages)

    def _write_state_message_now(self, *, write_messages: bool) -> None:
        if write_messages:
            self.write_state()
