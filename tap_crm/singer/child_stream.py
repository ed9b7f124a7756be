"""An array of a stream's records as a stream of its own: written while its parent is read, by the parent's bookmark."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import Stream
from singer_sdk.batch import Batcher
from typing_extensions import override

from tap_crm.contract.stream import StreamSpec
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from tap_crm.shaping.account_column import keys_with_account, with_account
from tap_crm.shaping.child_tables import POSITION
from tap_crm.shaping.schema import DELETED_AT, EXTRA
from tap_crm.singer.catalog_checks import allow_nulls, check_entry
from tap_crm.singer.record_shaper import Form, RecordShaper
from tap_crm.singer.told_stream import ToldStream
from tap_crm.sync.state import StreamState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from singer_sdk.singerlib import Catalog

    from tap_crm.contract.stream import Deletions, Reading
    from tap_crm.messages import Emit
    from tap_crm.shaping.child_tables import ChildTable
    from tap_crm.shaping.custom.fields import CustomField
    from tap_crm.singer.command_line import CommandLine
    from tap_crm.sync.run import Run, RunStream

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class ChildStream(ToldStream):
    """The table of one array.

    Args:
        tap: the tap that writes it.
        run: what the streams of a run share.
        parent: whose records have the array.
        table: what is made of it.
        field: the custom field whose values it has; None for an array that every account has.
    """

    TYPE_CONFORMANCE_LEVEL = Stream.TYPE_CONFORMANCE_LEVEL.NONE

    def __init__(
        self, tap: CommandLine, run: Run, parent: RunStream, table: ChildTable, field: CustomField | None = None
    ) -> None:
        column = self.account_column = run.settings.account_column
        super().__init__(tap=tap, schema=with_account(table.schema, column, table.stream), name=table.stream)
        self.parent_stream_type = Stream  # the SDK does not read a stream that has one by itself
        self.tap, self.run, self.parent, self.table, self.field = tap, run, parent, table, field
        self.spec = StreamSpec(
            table.stream,
            table.primary_key,
            parent.spec.source,
            selected=parent.spec.selected,
            is_log=parent.spec.is_log,
            # The account makes the type of such a value; a catalog may be older.
            versioned=parent.spec.versioned or field is not None,
            declared=parent.spec.declared,
        )
        self.keys = self.primary_keys = keys_with_account(table.primary_key, column)
        self.selected_by_default = parent.spec.selected
        self.ledger = Ledger()
        self.no_arrays = 0
        self._shaper: RecordShaper | None = None
        self._waiting: list[dict[str, Any]] = []

    @property
    @override
    def kept_under(self) -> str:
        """The stream under whose name the state has what is kept of it."""
        return self.parent.name

    @property
    @override
    def mark_in_types(self) -> str:
        """Its name: the state has the types beside those of its parent."""
        return f"{self.name}."

    @override
    def made_by_account(self, properties: Mapping[str, Any]) -> Collection[str]:
        """Return the columns of an element, where the account makes the array."""
        own = {*self.keys, POSITION, DELETED_AT, EXTRA}
        return properties.keys() - own if self.spec.versioned else ()

    # What became of it, as of its parent

    @property
    def tables(self) -> tuple[str, ...]:
        """Its own."""
        return (self.name,)

    @property
    def is_incremental(self) -> bool:
        """Whether its parent is read by a bookmark."""
        return self.parent.is_incremental

    @property
    def tells_deletions(self) -> Deletions:
        """How it is found out which rows are gone."""
        return self.parent.tells_deletions

    @property
    def mode(self) -> str:
        """How its parent is read."""
        return self.parent.mode

    @property
    def read_from(self) -> int | None:
        """Epoch seconds from which changes were asked for; None for all."""
        return self.parent.read_from

    @property
    def read_to(self) -> int | None:
        """Epoch seconds up to which everything was read; None if that is not known."""
        return self.parent.read_to

    @property
    def whole_since(self) -> str | None:
        """After a complete read, since when all rows that are there were written."""
        return self.parent.whole_since

    @property
    def started(self) -> float | None:
        """When its parent was begun, in epoch seconds."""
        return self.parent.started

    @property
    def finished(self) -> float | None:
        """When its parent was over, in epoch seconds."""
        return self.parent.finished

    @property
    def complete(self) -> bool:
        """Whether everything was read and written."""
        return self.parent.complete

    def starting_bookmark(self) -> int | None:
        """Return its parent's bookmark."""
        return self.parent.starting_bookmark()

    def reading(self, emit: Emit, since: int | None) -> Reading:
        """Return what its parent's source is given."""
        return self.parent.reading(emit, since)

    # What the SDK asks of a stream

    @override
    def write_all(self, *, write_messages: bool) -> Iterator[dict[str, Any]]:
        """Write nothing: that is done while the parent is read."""
        return iter(())

    @override
    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        """Return nothing, likewise."""
        return ()

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Do nothing: the state has no entry of its own."""

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over what the catalog says of the stream.

        Raises:
            ConfigError: rows cannot fit it.
        """
        entry = catalog.get_stream(self.name)
        if entry is not None and entry.metadata.resolve_selection()[()]:
            own = None if self.spec.versioned else self.schema["properties"]
            check_entry(entry, self.keys, None, own)
            allow_nulls(entry, self.keys)
        self.follow_types(self.tap.states_given.get(self.kept_under, StreamState()), self.run.settings, entry)
        super().apply_catalog(catalog)

    # What is written

    def write_rows(self, rows: list[dict[str, Any]], version: int | None) -> None:
        """Write rows, or keep them for a batch file.

        Args:
            rows: not shaped yet.
            version: theirs; None for none.
        """
        if not rows:
            return
        self.version = version
        shaped = self._shape().records(Page(records=rows))
        if self.config.get("batch_config"):
            self._waiting += shaped
            self._book(len(rows))
            if len(self._waiting) >= self._batch_size():
                self.flush()
        elif self.config.get("stream_maps") or self.config.get("flattening_enabled"):
            self._book(sum(self.write_mapped(row) for row in shaped))
        else:
            self.tap.writer.write_records(self.name, self.version, map(_ENCODER.encode, shaped))
            self._book(len(rows))

    def _book(self, rows: int) -> None:
        self.ledger.add(records=rows)
        self.run.display.advance(self.name, rows)

    def _shape(self) -> RecordShaper:
        """Return what shapes the rows; not known before the catalog is applied."""
        if self._shaper is None:
            form = Form(self.read_properties, self.effective_schema["properties"], self.wanted(), self.mask)
            self._shaper = RecordShaper(self.spec, form.told_by(self, self.run), None)
        return self._shaper

    def wanted(self) -> frozenset[str]:
        """Return the columns that are selected."""
        told, keys = self.effective_schema["properties"], self.keys
        return frozenset(name for name in told if name in keys or self.mask.get(("properties", name), True))

    # Batch files

    def _batch_size(self) -> int:
        config = self.get_batch_config(self.config)
        return config.batch_size if config is not None else 1

    def flush(self) -> None:
        """Write the rows that wait into batch files; whatever a storage raises passes through."""
        config = self.get_batch_config(self.config)
        if config is None or not self._waiting:
            return
        rows, self._waiting = self._waiting, []
        batcher = Batcher(tap_name=self.tap_name, stream_name=self.name, batch_config=config)
        for manifest in batcher.get_batches(iter(rows)):
            self.write_batch((config.encoding, manifest))

    def misfits(self) -> Counter[str]:
        """Return how many values of each column did not fit their type."""
        return self._shaper.misfits() if self._shaper is not None else Counter()

    def remarks(self) -> Iterator[str]:
        """Yield what is to be said of its rows, and count what did not fit."""
        for name, count in sorted(self.misfits().items()):
            self.ledger.add(misfits=count)
            yield (
                f"{self.name}: {count} values of `{name}` did not fit their type; they are null, and kept as they are "
                f"in `{EXTRA}`"
            )
        if self.no_arrays:
            self.ledger.add(misfits=self.no_arrays)
            yield f"{self.name}: {self.no_arrays} values of `{self.table.array}` were no array; each has one row"
