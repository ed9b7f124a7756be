"""The one bridge to the SDK: runs a reading, writes its records, moves the bookmark at checkpoints only.

This is the only module that overrides private methods of ``singer_sdk.Stream``. Why it must: the SDK moves a bookmark
to the greatest value it has seen, record by record, while a bookmark here may move only when everything before it was
read. ``tests/sdk`` holds both ways of writing against each other, line by line.
"""

from __future__ import annotations

import time
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.mapper import RemoveRecordTransform
from typing_extensions import override

from tap_crm import errors
from tap_crm.contract.stream import Deletions, Reading
from tap_crm.ledger import Ledger
from tap_crm.messages import Checkpoint, NewVersion, Page, Progress
from tap_crm.reading.emptiness import Lists
from tap_crm.shaping.compiled import PageEncoder
from tap_crm.shaping.conform import RecordConformer
from tap_crm.shaping.moments import from_epoch
from tap_crm.shaping.schema import EXTRA, json_types
from tap_crm.shaping.selection import Within
from tap_crm.singer.catalog_checks import allow_nulls, check_entry, texts_of
from tap_crm.sync.account import ACCOUNT
from tap_crm.sync.given_state import forget_future
from tap_crm.sync.input_checks import parse_bookmark
from tap_crm.sync.stream_run import StreamRun
from tap_crm.sync.versions import Versions, told_to

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.singerlib import Catalog

    from tap_crm.contract.stream import StreamSpec
    from tap_crm.messages import Emit, Item
    from tap_crm.shaping.custom.columns import CustomColumns
    from tap_crm.shaping.custom.values import CustomValues
    from tap_crm.singer.tap import TapCRM

#: What the state of a stream calls its columns by the ids of custom fields.
COLUMNS = "custom_fields"
_JSON = msgspec.json.Encoder(decimal_format="number")


class CrmStream(Stream):
    """A declared stream as the SDK sees it.

    Args:
        tap: the tap that owns the transport, the feeds and the state.
        spec: the declaration.
        schema: its schema, references resolved.
        custom: what the account has of custom fields.
    """

    TYPE_CONFORMANCE_LEVEL = Stream.TYPE_CONFORMANCE_LEVEL.NONE  # records fit already: see shaping/

    def __init__(
        self, tap: TapCRM, spec: StreamSpec, schema: dict[str, Any], custom: CustomColumns | None = None
    ) -> None:
        super().__init__(tap=tap, schema=schema if custom is None else custom.extend(schema), name=spec.name)
        self.custom = custom
        self.tap = tap
        self.spec = spec
        self.primary_keys = spec.keys
        self.replication_key = spec.replication_key
        self.selected_by_default = spec.selected
        self.ledger = Ledger()
        self.run: StreamRun | None = None
        self.read_to: int | None = None
        self.started: float | None = None
        self.finished: float | None = None
        self.complete = False
        self.whole_since: str | None = None
        self._memory: dict[str, Any] = {}

    # What is read

    def read(self, emit: Emit) -> None:
        """Read the stream; called in a thread of its own."""
        self.started = time.time()
        self._check_definitions()
        # Not `stream_state`, which adds an entry to the state while the main thread may be writing it.
        kept = dict(self.tap_state.get("bookmarks", {}).get(self.name, {}))
        memory = kept.get("memory")
        self._memory = dict(memory) if isinstance(memory, dict) else {}
        self.run = StreamRun(self, kept)
        self.run.read(emit)

    @property
    def mode(self) -> str:
        """How the stream is read: ``full``, ``incremental`` or ``reconcile``."""
        return "full" if self.run is None else self.run.mode

    @property
    def read_from(self) -> int | None:
        """Epoch seconds from which changes were asked for; None for all."""
        return None if self.run is None else self.run.read_from

    @property
    def tells_deletions(self) -> Deletions:
        """How it is found out which rows are gone; batches carry no versions, so nothing can be concluded of theirs."""
        if self.config.get("batch_config") or self.spec.is_log:
            return Deletions.UNTOLD
        if self.spec.versioned:
            return Deletions.BY_ITSELF
        return Deletions.RECONCILED if self.replication_method == "INCREMENTAL" else Deletions.EACH_RUN

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
            transport=self.tap.transport,
            settings=self.tap.settings,
            since=since,
            emit=emit,
            ledger=self.ledger,
            lanes=self.tap.lanes(),
            shared=self.tap.shared,
            selected=self.tap.selected_told,
            fields=self._wanted(),
            memory=self._memory,
            lists=self.run.lists if self.run is not None else Lists(),
        )

    def starting_bookmark(self) -> int | None:
        """Return the bookmark in epoch seconds, or None where the stream is read in full.

        Raises:
            ConfigError: the state holds something that is no time.
        """
        if self.replication_method != "INCREMENTAL":
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
            for item in self.tap.feeds.open(self.name, self.read).items(self.tap.glance):
                if isinstance(item, Page):
                    yield from self._records(item)
                elif isinstance(item, Checkpoint):
                    self._move_bookmark(item)
        finally:
            self.tap.feeds.close(self.name)

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Mapping[str, Any] | None = None
    ) -> Iterable[tuple[BaseBatchFileEncoding, list[str]]]:
        """Yield the batch files of a complete read.

        What cannot be written is a failure of this stream alone. The SDK fills a file only when all of its records were
        read: the state is set back to that of the last file that was written.
        """
        written = deepcopy(self.stream_state)
        try:
            for batch in super().get_batches(batch_config, context):
                yield batch
                written = deepcopy(self.stream_state)
        except errors.CrmError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a storage raises
            self.stream_state.clear()
            self.stream_state.update(written)
            self.complete = False
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            self.tap.fail(self, errors.ReadError(f"{self.name}: a batch file cannot be written: {reason}"))

    def _sync_records(
        self,
        context: Mapping[str, Any] | None = None,  # noqa: ARG002 - there is one context
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Write the records of a complete read, and STATE at its checkpoints.

        A failure is kept by the tap, which goes on with the other streams and ends with exit code 1.
        """
        self.tap.begin(self)
        try:
            yield from self._sync_items(write_messages=write_messages)
            self._end_version(write_messages=write_messages)
            self._remember_account()
            self._remember_columns()
            self.complete = True
        except errors.ReadError as error:
            self.tap.fail(self, error)
        except (AbortedSyncFailedException, AbortedSyncPausedException):
            return  # a test run that has seen enough
        except errors.CrmError:
            raise  # what ends the whole run
        except Exception as error:  # a fault of ours in one stream must not cost the others
            self.logger.exception("%s: unexpected error; please report it", self.name)
            self.tap.fail(self, errors.ReadError(f"{self.name}: unexpected {type(error).__name__}; see the log"))
        finally:
            self.finished = time.time()
            self.tap.feeds.close(self.name)
            self.tap.progress.end(self.name, complete=self.complete)
            self._warn_of_misfits()
            self._write_state_message_now(write_messages=write_messages)

    def _sync_items(self, *, write_messages: bool) -> Generator[dict[str, Any], None, None]:
        counter = self.get_record_counter()
        self._versions = Versions(self.stream_state, self.tells_deletions)
        self._versions.count_days_from(self.tap.transport.clock.now())
        self._stream_version = self._versions.present
        fast = write_messages and self._may_write_fast()
        index = 0
        with counter, self.get_sync_timer():
            for item in self.tap.feeds.open(self.name, self.read).items(self.tap.glance):
                self._remember_account()
                if not isinstance(item, Page):
                    self._take_note(item, write_messages=write_messages)
                    continue
                # A run that dies from here on leaves the target between what was remembered and what is there now.
                if self._versions.forget_memory():
                    self._write_changed_state(write_messages=write_messages)
                written = self._write_fast(item) if fast else None
                if written is not None:
                    index = self._booked(index, written, counter)
                    continue
                for record in self._records(item):
                    if self.ABORT_AT_RECORD_COUNT is not None:
                        self._check_max_record_limit(current_record_index=index)
                    written = self._write_maps(record) if write_messages else 1
                    index = self._booked(index, written, counter)
                    yield record

    def _write_maps(self, record: dict[str, Any]) -> int:
        """Write a record as the stream maps have it; returns 1, or 0 if they leave it out."""
        messages = list(self._generate_record_messages(record))
        for message in messages:
            self.tap.write_message(message)
        self.state_manager.is_flushed = False
        return min(1, len(messages))

    def _take_note(self, item: Item, *, write_messages: bool) -> None:
        """Follow what the reading says beside its pages."""
        if isinstance(item, NewVersion):
            first = self.starting_bookmark() is None
            self._versions.begin(item, self.tap.transport.clock.now(), first=first)
            self._stream_version = self._versions.present
        elif isinstance(item, Progress):
            self._versions.note_progress(item)
            if self.mode == "reconcile":  # else a checkpoint follows
                self._write_changed_state(write_messages=write_messages)
        elif isinstance(item, Checkpoint):
            self._move_bookmark(item)
            self._write_state_message_now(write_messages=write_messages)
        elif self._versions.take(item, self.tap.transport.clock.now()):
            self.state_manager.is_flushed = False

    def _end_version(self, *, write_messages: bool) -> None:
        """Tell the target that a new version is complete, if one was begun.

        The SDK would say so before the first record, and a run that dies then would have emptied the table.
        """
        if not write_messages:
            return
        version = self._versions.end(self._memory, self.started or time.time(), self.tap.transport.clock.now())
        self.ledger.add(deletions=self._versions.gone)
        self.whole_since = self._versions.whole_since
        if version is not None:
            self._write_activate_version_message(version)
        self.state_manager.is_flushed = False

    def _remember_account(self) -> None:
        """Keep which account the rows are of, beside whatever else the state has of them."""
        if self.tap.account is not None:
            self.stream_state[ACCOUNT] = self.tap.account

    def _remember_columns(self) -> None:
        """Keep the names of columns by the ids of their fields, so that the next run notices a renaming."""
        if self.custom is not None and self.custom.form != "raw":
            self.stream_state[COLUMNS] = self.custom.names(self.effective_schema["properties"])
            self.state_manager.is_flushed = False

    def _booked(self, index: int, written: int, counter: Any) -> int:  # noqa: ANN401 - the SDK's counter
        self.ledger.add(records=written)
        counter.increment(written)
        self.tap.progress.advance(self.name, written)
        return index + written

    def _may_write_fast(self) -> bool:
        """Tell whether the lines need nothing that only the SDK's own path does."""
        config = self.config
        plain = not (config.get("stream_maps") or config.get("flattening_enabled") or config.get("batch_config"))
        known = self.custom is None or not self.custom.gathers_unknown
        whole = not self.spec.masked and not self._deselected and not self._texts
        return plain and known and whole and self.ABORT_AT_RECORD_COUNT is None

    def _write_fast(self, page: Page) -> int | None:
        """Write a page straight from its body; None if it needs the careful path."""
        if page.body is None:
            return None
        encoded = self._encoder().encode(page.body, page.keep, page.within)
        if encoded is None:
            return None
        version = b"" if self._stream_version is None else b',"version":%d' % self._stream_version
        prefix = b'{"type":"RECORD","stream":%s,"record":' % msgspec.json.encode(self.name)
        suffix = version + b',"time_extracted":"%s"}' % datetime.now(UTC).isoformat().encode()
        self.tap.writer.write_lines([prefix + record + suffix for record in encoded])
        return len(encoded)

    def _records(self, page: Page) -> Iterable[dict[str, Any]]:
        """Yield the records of a page by the careful path."""
        conformer = self._conformer()
        for found in page.decoded():
            record = self._deselected.leave_out(conformer.conform(found))
            for name in self._texts & record.keys():
                if not isinstance(record[name], (str, NoneType)):
                    record[name] = _JSON.encode(record[name]).decode()
            yield record

    @cached_property
    def _deselected(self) -> Within:
        """What is deselected within objects; not known before the catalog is applied."""
        return Within(self.mask)

    @cached_property
    def _texts(self) -> frozenset[str]:
        """What the catalog wants as text, and is none; where the account makes the schema, that is minded elsewhere."""
        return frozenset() if self.spec.versioned else texts_of(self._fixed(), self.effective_schema["properties"])

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

    def _shaping_schema(self) -> dict[str, Any]:
        """Return our own schema, cut down to what the catalog knows: the rest goes to ``_extra``.

        Where the account makes the schema, the type of a field may be another one than when the catalog was made. What
        is emitted fits the catalog's then, which is the one that the target is told.
        """
        known, own = self.effective_schema["properties"], self._fixed()
        retyped = {
            name
            for name, part in own.items()
            if self.spec.versioned and json_types(known.get(name) or part) != json_types(part)
        }
        return {"properties": {name: known[name] if name in retyped else own[name] for name in own if name in known}}

    def _encoder(self) -> PageEncoder:
        if self._page_encoder is None:
            self._page_encoder = PageEncoder(
                self._shaping_schema(),
                self._wanted(),
                self.tap.settings.date_order,
                self._custom(),
                self.spec.envelope,
            )
        return self._page_encoder

    def _conformer(self) -> RecordConformer:
        if self._record_conformer is None:
            self._record_conformer = RecordConformer(
                self._shaping_schema(),
                self._wanted(),
                self.tap.settings.date_order,
                self.spec.masked,
                custom=self._custom(),
                envelope=self.spec.envelope,
            )
        return self._record_conformer

    def _custom(self) -> CustomValues | None:
        """Return what reads custom fields into columns; None where the values are emitted just as they come."""
        if self.custom is None or self.custom.is_left_as_it_comes:
            return None
        if self._custom_values is None:
            self._custom_values = self.custom.values(
                self.effective_schema["properties"], self._wanted(), self.tap.settings.date_order
            )
        return self._custom_values

    _custom_values: CustomValues | None = None
    _page_encoder: PageEncoder | None = None
    _record_conformer: RecordConformer | None = None

    def _warn_of_misfits(self) -> None:
        misfits = Counter(self._record_conformer.misfits if self._record_conformer is not None else {})
        if self._custom_values is not None:
            misfits += self._custom_values.misfits
            for remark in self._custom_values.remarks():
                self.ledger.note(remark)
                self.logger.warning("%s: %s", self.name, remark)
        for name, count in sorted(misfits.items()):
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
        if self.replication_method != "INCREMENTAL" or self.replication_key is None:
            return
        before = self.starting_bookmark()
        if before is None or checkpoint.at > before:
            self.stream_state.update(
                replication_key=self.replication_key, replication_key_value=from_epoch(checkpoint.at)
            )
        self.state_manager.is_flushed = False

    def _write_changed_state(self, *, write_messages: bool) -> None:
        self.state_manager.is_flushed = False
        self._write_state_message_now(write_messages=write_messages)

    def _write_state_message_now(self, *, write_messages: bool) -> None:
        if write_messages:
            self._write_state_message()

    def _increment_stream_state(
        self, latest_record: dict[str, Any], *, context: Mapping[str, Any] | None = None
    ) -> None:
        """Do nothing: a record moves no bookmark here, a checkpoint does."""
