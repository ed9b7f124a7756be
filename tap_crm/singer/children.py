"""Writes the child tables of a stream while it is read: page by page, before the bookmark passes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_crm.shaping.child_tables import elements_of
from tap_crm.shaping.custom.values import Column, CustomValues
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.shaping.schema import DELETED_AT
from tap_crm.sync.array_ends import ArrayEnds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_crm.messages import Page, ReadBegun
    from tap_crm.shaping.custom.columns import CustomColumns
    from tap_crm.singer.child_stream import ChildStream
    from tap_crm.sync.run import RunStream
    from tap_crm.sync.state import StreamState

#: Rows that are shaped and written at once.
ROWS_AT_ONCE = 1_000


@dataclass(slots=True)
class _Table:
    """A child table, and where its arrays end."""

    stream: ChildStream
    ends: ArrayEnds
    rows: list[dict[str, Any]] = field(default_factory=list)


class Children:
    """The child tables that one run writes of one stream.

    Args:
        parent: the stream.
        streams: its child tables that are selected.
        kept: what the state has of the parent; changed in place.
        write_state: writes STATE.
        values: reads the custom fields that are child tables; None where none is.
    """

    def __init__(
        self,
        parent: RunStream,
        streams: Sequence[ChildStream],
        kept: StreamState,
        write_state: Callable[[], None],
        values: CustomValues | None = None,
    ) -> None:
        self._parent, self._kept, self._write_state, self._custom = parent, kept, write_state, values
        known = kept.arrays or {}
        self._tables = [_Table(one, ArrayEnds(known.get(one.table.array))) for one in streams]
        self._changed = parent.spec.changed or parent.spec.replication_key
        self.version: int | None = None

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._tables)

    @classmethod
    def of(  # noqa: PLR0913 - what a run knows of a stream, handed over once
        cls,
        parent: RunStream,
        streams: Sequence[ChildStream],
        kept: StreamState,
        write_state: Callable[[], None],
        custom: CustomColumns | None,
        *,
        date_order: str,
    ) -> Children:
        """Return the child tables of a stream as a run begins to write it; tell the target of them.

        Args:
            parent: the stream.
            streams: its child tables that are selected.
            kept: what the state has of the parent; changed in place.
            write_state: writes STATE.
            custom: the parent's custom fields.
            date_order: how the account writes dates that come as text.
        """
        values = None if custom is None else _custom_values(streams, custom, date_order)
        for one in streams:
            one.write_schema()
        written = kept.tables_written(parent.name)
        is_first = parent.is_incremental and parent.starting_bookmark() is None
        # A table that is left out of this run, or is new in it, is behind the bookmark as soon as that moves.
        kept.note_tables(parent.name, [one for one in parent.tables if is_first or one in written])
        return cls(parent, streams, kept, write_state, values)

    def begin(self, read: ReadBegun) -> None:
        """Note that a read of the parent begins, or its complete part."""
        for table in self._tables:
            table.ends.begin(read.at, complete=read.complete)

    def write(self, page: Page, now: float) -> None:
        """Write the rows of a page of the parent's records.

        Args:
            page: as the reading yielded it.
            now: the present, by the server's clock.
        """
        if not self._tables:
            return
        self._note_lengths(page.decoded(), from_epoch(int(now)))
        for table in self._tables:
            self._hand_over(table)

    def _note_lengths(self, records: Sequence[dict[str, Any]], at: str) -> None:
        """Collect the rows; a greater length is in the state before its rows are in the target.

        A run that dies between the two would not know up to where there are rows.
        """
        grown = False
        for record in records:
            values = self._values(record)
            for table in self._tables:
                grown = self._collect(table, record, values, at) or grown
        if grown:
            self._keep_lengths()
            self._write_state()

    def _collect(self, table: _Table, record: dict[str, Any], values: dict[str, Any], at: str) -> bool:
        """Collect the rows of one array; tells whether its length changed what the state is to keep."""
        one, ends = table.stream.table, table.ends
        raw = values.get(one.array) if table.stream.field is not None else record.get(one.array)
        elements, is_array = elements_of(raw, masked=one.array in self._parent.spec.masked)
        table.stream.no_arrays += not is_array
        key, gone = one.key_of(record), record.get(DELETED_AT)
        mark = tuple(key.values())
        changed = to_epoch(record.get(self._changed)) if self._changed is not None else None
        # Rows of a log do not change.
        is_log = self._parent.spec.is_log
        until = len(elements) if is_log else ends.until(mark, len(elements), changed)
        table.rows += one.rows(key, elements, gone)
        table.rows += one.beyond(key, len(elements), until, at if gone is None else gone)
        return ends.note(mark, len(elements))

    def _values(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the values of custom fields that are child tables, with labels; those that do not fit as they come."""
        if self._custom is None:
            return {}
        misfits: dict[str, Any] = {}
        _, pairs = self._custom.layout.split(record)
        return {**self._custom.read(pairs, misfits), **misfits}

    def _hand_over(self, table: _Table) -> None:
        rows, table.rows = table.rows, []
        for start in range(0, len(rows), ROWS_AT_ONCE):
            table.stream.write_rows(rows[start : start + ROWS_AT_ONCE], self.version)

    def _keep_lengths(self) -> None:
        now = {table.stream.table.array: table.ends.to_state() for table in self._tables}
        self._kept.arrays = {**(self._kept.arrays or {}), **now}

    def end(self, version: int | None, now: float, *, as_written: bool = False) -> None:
        """Tell what no version takes out, or that a version is complete.

        Args:
            version: that the parent's target is told to be complete; None for none.
            now: the present, by the server's clock.
            as_written: nothing was written, since all rows are as an earlier run wrote them.
        """
        at = from_epoch(int(now))
        for table in self._tables:
            one = table.stream.table
            for mark, length, until in table.ends.end(is_versioned=as_written or version is not None):
                key = dict(zip(one.keys.values(), mark, strict=True))
                table.rows += one.beyond(key, length, until, at)
                if len(table.rows) >= ROWS_AT_ONCE:
                    self._hand_over(table)
            self._hand_over(table)
            if version is not None:
                table.stream.write_version_end(version)
        self._keep_lengths()

    def flush(self) -> None:
        """Write what waits into batch files."""
        for table in self._tables:
            table.stream.flush()

    def conclude(self) -> None:
        """Give back what is held, and say what is to be said of the rows of each."""
        for table in self._tables:
            stream = table.stream
            table.ends.close()
            for remark in stream.remarks():
                stream.ledger.note(remark)
                stream.logger.warning("%s", remark)
            if self._custom is not None and (count := self._custom.misfits.get(stream.table.array)):
                stream.ledger.add(misfits=count)

    def bear_costs(self) -> None:
        """Count what reading the parent cost with the first of the tables: the parent itself is not written."""
        for table in self._tables[:1]:
            table.stream.ledger.take_costs(self._parent.ledger)


def _custom_values(streams: Sequence[ChildStream], custom: CustomColumns, date_order: str) -> CustomValues | None:
    """Return what reads the custom fields that are child tables; None where none is."""
    columns = [
        Column(stream.table.array, stream.field, stream.field.schema) for stream in streams if stream.field is not None
    ]
    names = [column.name for column in columns]
    return CustomValues(custom.layout, columns, names, date_order=date_order) if columns else None
