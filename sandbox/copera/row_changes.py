"""Changes of rows, with the dates that Copera would write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copera.derived_cells import links_of, note_shown_values, refresh
from sandbox.copera.moments import object_id, text_of
from sandbox.copera.samples.rows import Builder, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.copera.records import WorkspaceRecords
    from sandbox.copera.schema import BoardTable, Column, Row
    from sandbox.exchange import Record

_decode = msgspec.json.Decoder(dict).decode
_FIELDS = ("description", "owner", "createdAt", "updatedAt")


class RowEditor:
    """Edits, makes and deletes rows; called with the workspace locked."""

    def __init__(self, records: WorkspaceRecords) -> None:
        self.records = records
        self.edits = 0

    def carry_out(self, verb: str, table: BoardTable, order: Record) -> list[str]:
        """Do what is ordered to rows of a table; gives the ids of what was changed."""
        changes = order.get("changes")
        if verb == "create":
            return [self.create(table, changes or {}) for _ in range(order.get("count", 1))]
        chosen = self._chosen(table, order, linked=verb == "edit_linked")
        if verb == "edit_linked":
            return self._edit_linked(table, chosen, changes)
        if verb in ("hide", "show"):
            hidden = set(self.records.behaviour.hidden_rows)
            self.records.behaviour.hidden_rows = sorted(
                hidden | set(chosen) if verb == "hide" else hidden - set(chosen)
            )
            return chosen
        for row_id in chosen:
            if verb == "edit":
                self.edit(table, table.rows[row_id], changes)
            else:
                self.delete(table, table.rows[row_id])
        return chosen

    def edit(self, table: BoardTable, row: Row, changes: Record | None) -> None:
        """Change one row: fields, or cells by column; `updatedAt` becomes now unless `changes` says otherwise."""
        self.edits += 1
        record = _decode(row.raw + row.tail)
        if changes is None:
            changes = self._another_name(table, row)
        self.stamp(table, record)
        self.set_fields(table, row, record, changes)
        self.put(table, row, record)
        self.refresh_linkers(row.id)

    def create(self, table: BoardTable, changes: Record) -> str:
        """Add one row."""
        records, now = self.records, self.records.now()
        table.last_number += 1
        members = list(records.lists["members"])
        builder = Builder(table, records.shape, members, records.rng)
        row = builder.row(object_id(now, records.rng), table.last_number)
        builder.fill(row, Origin(now, now, records.rng.choice(members)))
        builder.finish(row, {}, {})
        table.rows[row.id] = records.rows[row.id] = row
        record = _decode(row.raw)
        drawn = {column.id: self._drawn(column) for column in table.columns if column.type == "LINK" and column.own}
        self.set_fields(table, row, record, drawn | changes)
        self.put(table, row, record)
        return row.id

    def delete(self, table: BoardTable, row: Row) -> None:
        """Delete one row; rows that linked to it no longer do, and keep their `updatedAt`."""
        records = self.records
        del table.rows[row.id], records.rows[row.id]
        records.comments.pop(row.id, None)
        for other in [records.rows[one] for one in records.linkers.pop(row.id, ()) if one in records.rows]:
            place = records.table_of(other)
            record = _decode(other.raw + other.tail)
            for column in links_of(place, record):
                self._unlink(record, column, row.id)
            self.put(place, other, record)

    def put(self, table: BoardTable, row: Row, record: Record) -> None:
        """Keep a changed row, with its derived cells as they are now."""
        note_shown_values(table, row, record)
        refresh(table, row, record, self.records.rows)
        row.raw, row.tail = msgspec.json.encode(record), b""

    def again(self, table: BoardTable, rows: Iterable[Row]) -> None:
        """Derive cells anew, without moving `updatedAt`."""
        for row in rows:
            self.put(table, row, _decode(row.raw + row.tail))

    def stamp(self, table: BoardTable, record: Record, by: str | None = None) -> None:
        """Set the date of change, and who changed it (or any member), in the row's field and the columns for it."""
        now = text_of(self.records.now())
        record["updatedAt"] = now
        someone = by or self.records.rng.choice(list(self.records.lists["members"]))
        for column in table.columns:
            if column.type in ("UPDATED_AT", "LAST_MODIFIED_BY"):
                self.set_cell(record, column.id, now if column.type == "UPDATED_AT" else someone)

    def set_cell(self, record: Record, column: str, value: Any) -> None:  # noqa: ANN401
        """Set the value of a cell, which may be missing."""
        for cell in record["columns"]:
            if cell["columnId"] == column:
                cell["value"] = value
                return
        record["columns"].append({"columnId": column, "value": value})

    def touch(self, row: Row) -> None:
        """Move a row's `updatedAt`, nothing else."""
        table, record = self.records.table_of(row), _decode(row.raw + row.tail)
        self.stamp(table, record)
        self.put(table, row, record)

    def drop_table(self, table_id: str) -> None:
        """Delete a table with its rows; links to it show nothing any more."""
        records = self.records
        table = records.tables.pop(table_id)
        linkers = {other for row_id in table.rows for other in records.linkers.pop(row_id, ())}
        for row_id in table.rows:
            del records.rows[row_id]
            records.comments.pop(row_id, None)
        for other in (records.rows[one] for one in linkers if one in records.rows):
            self.again(records.table_of(other), [other])

    def set_fields(self, table: BoardTable, row: Row, record: Record, changes: Record) -> None:
        """Set fields, or cells by column, of a decoded row; a link is set at its other side, too."""
        for name, value in changes.items():
            if name in _FIELDS:
                record[name] = value
                if name == "description":
                    self.records.texts.pop((row.id, ""), None)
                continue
            column = table.column(name)
            if column.type == "LINK":
                self._relink(column, row, record, value)
            self.set_cell(record, column.id, value)
            self.records.texts.pop((row.id, column.id), None)

    def _relink(self, column: Column, row: Row, record: Record, value: list[str] | None) -> None:
        """Change the other side of a relation, too, and note which rows link to which."""
        records = self.records
        before = next((one.get("value") for one in record["columns"] if one["columnId"] == column.id), None) or []
        after = value or []
        for one in after:
            if one not in self.records.tables[column.target].rows:
                raise KeyError(f"row {one}")
            records.linkers.setdefault(one, set()).add(row.id)
        if not column.mirror:
            return
        for one in set(before) ^ set(after):
            if one not in records.rows:
                continue
            other = records.rows[one]
            there = _decode(other.raw + other.tail)
            self._unlink(there, column.mirror, row.id)
            if one in after:
                records.linkers.setdefault(row.id, set()).add(one)
                linked = next((c.get("value") for c in there["columns"] if c["columnId"] == column.mirror), None)
                self.set_cell(there, column.mirror, [*(linked or []), row.id])
            self.put(records.table_of(other), other, there)

    def _unlink(self, record: Record, column: str, row_id: str) -> None:
        for cell in record["columns"]:
            if cell["columnId"] == column and cell.get("value"):
                cell["value"] = [one for one in cell["value"] if one != row_id]

    def refresh_linkers(self, row_id: str) -> None:
        """Derive anew the cells of rows that show this one."""
        records = self.records
        for other in [records.rows[one] for one in records.linkers.get(row_id, ()) if one in records.rows]:
            self.again(records.table_of(other), [other])

    def _edit_linked(self, table: BoardTable, chosen: list[str], changes: Record | None) -> list[str]:
        changed: dict[str, None] = {}
        for row_id in chosen:
            row = table.rows[row_id]
            others = [one for one in self.records.linkers.get(row_id, ()) if one in self.records.rows]
            before = {one: self.records.rows[one].raw for one in others}
            self.edit(table, row, changes)
            changed |= dict.fromkeys(one for one in sorted(others) if self.records.rows[one].raw != before[one])
        return list(changed)

    def _another_name(self, table: BoardTable, row: Row) -> Record:
        column = table.first("TEXT")
        return {column.id: f"{row.display.partition(' (edit')[0]} (edit {self.edits})"} if column else {}

    def _drawn(self, column: Column) -> list[str]:
        target = self.records.tables.get(column.target)
        rows = list(target.rows) if target else []
        return self.records.rng.sample(rows, min(1, len(rows)))

    def _chosen(self, table: BoardTable, order: Record, *, linked: bool) -> list[str]:
        ids = order.get("ids")
        if ids is None:
            living = [one for one in table.rows if not linked or self.records.linkers.get(one)]
            return self.records.rng.sample(living, min(order.get("count", 1), len(living)))
        for one in ids:
            if one not in table.rows:
                raise KeyError(f"row {one}")
        return list(ids)
