"""Changes of a world, with the dates that Copera would write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copera import schema_changes, texts
from sandbox.copera.derived import learn, links_of, refresh
from sandbox.copera.generate import Birth, Builder
from sandbox.copera.listed_changes import ListEditor
from sandbox.copera.moments import object_id, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.copera.schema import BoardTable, Column, Row
    from sandbox.copera.world import CoperaWorld
    from sandbox.exchange import Record

_decode = msgspec.json.Decoder(dict).decode
_VERBS = ("edit", "create", "delete", "edit_linked", "hide", "show")
_FIELDS = ("description", "owner", "createdAt", "updatedAt")


class Editor:
    """Edits, makes and deletes; called with the world locked.

    `edit`, `create` and `delete` take `object` (the name of a list, or a table's id or name), `count` or `ids`, and
    `changes`; `edit_linked` edits rows that others link to and gives those others; `hide` and `show` are for rows;
    the verbs of `schema_changes` take `table` or `board`.
    """

    def __init__(self, world: CoperaWorld) -> None:
        self.world = world
        self.edits = 0
        self.lists = ListEditor(world)

    def carry_out(self, verb: str, order: Record) -> list[str]:
        """Do what is ordered; gives the ids of what was changed. KeyError for an unknown verb, object or id."""
        if verb in schema_changes.VERBS:
            return schema_changes.VERBS[verb](self, order)
        if verb not in _VERBS:
            raise KeyError(verb)
        name = order["object"].removeprefix("rows:")
        if name in texts.EDITED:
            return texts.edit(self, name, order)
        if name == "comments" or name in self.world.lists:
            return self.lists.carry_out(verb, name, order)
        return self._change_rows(verb, self.world.table_named(name), order)

    def _change_rows(self, verb: str, table: BoardTable, order: Record) -> list[str]:
        changes = order.get("changes")
        if verb == "create":
            return [self.create(table, changes or {}) for _ in range(order.get("count", 1))]
        chosen = self._chosen(table, order, linked=verb == "edit_linked")
        if verb == "edit_linked":
            return self._edit_linked(table, chosen, changes)
        if verb in ("hide", "show"):
            hidden = set(self.world.behaviour.hidden_rows)
            self.world.behaviour.hidden_rows = sorted(hidden | set(chosen) if verb == "hide" else hidden - set(chosen))
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
        self._set(table, row, record, changes)
        self.put(table, row, record)
        self._tell_linkers(row.id)

    def create(self, table: BoardTable, changes: Record) -> str:
        """Add one row."""
        world, now = self.world, self.world.now()
        table.last_number += 1
        members = list(world.lists["members"])
        builder = Builder(table, world.shape, members, world.rng)
        row = builder.row(object_id(now, world.rng), table.last_number)
        builder.fill(row, Birth(now, now, world.rng.choice(members)))
        builder.finish(row, {}, {})
        table.rows[row.id] = world.rows[row.id] = row
        record = _decode(row.raw)
        drawn = {column.id: self._drawn(column) for column in table.columns if column.type == "LINK" and column.own}
        self._set(table, row, record, drawn | changes)
        self.put(table, row, record)
        return row.id

    def delete(self, table: BoardTable, row: Row) -> None:
        """Delete one row; rows that linked to it no longer do, and keep their `updatedAt`."""
        world = self.world
        del table.rows[row.id], world.rows[row.id]
        world.comments.pop(row.id, None)
        for other in [world.rows[one] for one in world.linkers.pop(row.id, ()) if one in world.rows]:
            place = world.table_of(other)
            record = _decode(other.raw + other.tail)
            for column in links_of(place, record):
                self._unlink(record, column, row.id)
            self.put(place, other, record)

    def put(self, table: BoardTable, row: Row, record: Record) -> None:
        """Keep a changed row, with its derived cells as they are now."""
        learn(table, row, record)
        refresh(table, row, record, self.world.rows)
        row.raw, row.tail = msgspec.json.encode(record), b""

    def again(self, table: BoardTable, rows: Iterable[Row]) -> None:
        """Derive cells anew, without moving `updatedAt`."""
        for row in rows:
            self.put(table, row, _decode(row.raw + row.tail))

    def stamp(self, table: BoardTable, record: Record) -> None:
        """Let a row be changed now, in its field and in its columns that say so."""
        now = text_of(self.world.now())
        record["updatedAt"] = now
        someone = self.world.rng.choice(list(self.world.lists["members"]))
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

    def _set(self, table: BoardTable, row: Row, record: Record, changes: Record) -> None:
        for name, value in changes.items():
            if name in _FIELDS:
                record[name] = value
                if name == "description":
                    self.world.texts.pop((row.id, ""), None)
                continue
            column = table.column(name)
            if column.type == "LINK":
                self._relink(column, row, record, value)
            self.set_cell(record, column.id, value)
            self.world.texts.pop((row.id, column.id), None)

    def _relink(self, column: Column, row: Row, record: Record, value: list[str] | None) -> None:
        """Let the other side of a relation follow, and remember who shows whom."""
        world = self.world
        before = next((one.get("value") for one in record["columns"] if one["columnId"] == column.id), None) or []
        after = value or []
        for one in after:
            if one not in self.world.tables[column.target].rows:
                raise KeyError(f"row {one}")
            world.linkers.setdefault(one, set()).add(row.id)
        if not column.mirror:
            return
        for one in set(before) ^ set(after):
            if one not in world.rows:
                continue
            other = world.rows[one]
            there = _decode(other.raw + other.tail)
            self._unlink(there, column.mirror, row.id)
            if one in after:
                world.linkers.setdefault(row.id, set()).add(one)
                linked = next((c.get("value") for c in there["columns"] if c["columnId"] == column.mirror), None)
                self.set_cell(there, column.mirror, [*(linked or []), row.id])
            self.put(world.table_of(other), other, there)

    def _unlink(self, record: Record, column: str, row_id: str) -> None:
        for cell in record["columns"]:
            if cell["columnId"] == column and cell.get("value"):
                cell["value"] = [one for one in cell["value"] if one != row_id]

    def _tell_linkers(self, row_id: str) -> None:
        """Derive anew the cells of rows that show this one."""
        world = self.world
        for other in [world.rows[one] for one in world.linkers.get(row_id, ()) if one in world.rows]:
            self.again(world.table_of(other), [other])

    def _edit_linked(self, table: BoardTable, chosen: list[str], changes: Record | None) -> list[str]:
        told: dict[str, None] = {}
        for row_id in chosen:
            row = table.rows[row_id]
            others = [one for one in self.world.linkers.get(row_id, ()) if one in self.world.rows]
            before = {one: self.world.rows[one].raw for one in others}
            self.edit(table, row, changes)
            told |= dict.fromkeys(one for one in sorted(others) if self.world.rows[one].raw != before[one])
        return list(told)

    def _another_name(self, table: BoardTable, row: Row) -> Record:
        column = table.first("TEXT")
        return {column.id: f"{row.display.partition(' (edit')[0]} (edit {self.edits})"} if column else {}

    def _drawn(self, column: Column) -> list[str]:
        target = self.world.tables.get(column.target)
        rows = list(target.rows) if target else []
        return self.world.rng.sample(rows, min(1, len(rows)))

    def _chosen(self, table: BoardTable, order: Record, *, linked: bool) -> list[str]:
        ids = order.get("ids")
        if ids is None:
            living = [one for one in table.rows if not linked or self.world.linkers.get(one)]
            return self.world.rng.sample(living, min(order.get("count", 1), len(living)))
        for one in ids:
            if one not in table.rows:
                raise KeyError(f"row {one}")
        return list(ids)
