"""Creates, changes and deletes rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from sandbox.copera.moments import object_id, text_of
from sandbox.copera.schema import Row
from sandbox.copera.tokens import AI_USER
from sandbox.copera.writes import texts
from sandbox.copera.writes.cells import emptied, written_cells

if TYPE_CHECKING:
    from sandbox.copera.schema import BoardTable
    from sandbox.copera.workspace import CoperaAccount
    from sandbox.exchange import Record


class RowWriter:
    """Writes to a workspace's rows as the API does; called with the workspace locked.

    What is written is given back as the row is afterwards. With `carried` False nothing is kept of it.
    """

    def __init__(self, account: CoperaAccount) -> None:
        self.account = account
        self.rows = account.editor.rows

    def create(
        self, table: BoardTable, given: dict[str, Any], description: str | None, by: str, *, carried: bool
    ) -> Record:
        """Make a row of the cells given; its description shows later (knob `markdown_lag`)."""
        account, now = self.account, self.account.now()
        cells = written_cells(account, table, given, new=True)
        row = Row(object_id(now, account.rng), table.last_number + 1, "")
        record: Record = {"_id": row.id, "rowId": row.number, "owner": by, "table": table.id, "board": table.board}
        record |= {"createdAt": text_of(now), "updatedAt": text_of(now), "columns": self._stamped(table, row, by, now)}
        long_texts = {
            one.id: cells.pop(one.id) for one in table.columns if one.type == "DESCRIPTION" and one.id in cells
        }
        if not carried:
            record["columns"] += [{"columnId": column, "value": value} for column, value in cells.items()]
            return account.in_form(record)
        table.last_number += 1
        row.raw = msgspec.json.encode(record)
        table.rows[row.id] = account.rows[row.id] = row
        self._keep(table, row, record, cells, b"")
        for column, text in (long_texts | ({"": description} if description else {})).items():
            texts.replace(account, row, column, text or "")
        return self._automated("create", table, row)

    def update(self, table: BoardTable, row: Row, given: dict[str, Any], by: str, *, carried: bool) -> Record:
        """Change the cells given; the knob `unlisted_cells` rules the others."""
        account = self.account
        before = account.plain_record(row)
        cells = written_cells(account, table, given, new=False)
        if account.behaviour.unlisted_cells == "cleared":
            cells |= emptied(table, given)
        held = {one["columnId"]: one.get("value") for one in before["columns"]}
        changed = any(held.get(column) != value for column, value in cells.items())
        record = account.plain_record(row)
        if not carried:
            for column, value in cells.items():
                self.rows.set_cell(record, column, value)
            return account.in_form(record)
        if changed or account.behaviour.unchanged_moves_updated:
            self.rows.stamp(table, record, by)
        self._keep(table, row, record, cells, row.raw + row.tail)
        return self._automated("update", table, row)

    def delete(self, table: BoardTable, row: Row, *, carried: bool) -> None:
        """Delete a row."""
        if carried:
            self.account.delete(table.id, ids=[row.id])

    def _keep(self, table: BoardTable, row: Row, record: Record, cells: Record, before: bytes) -> None:
        account, lag = self.account, self.account.behaviour.index_lag
        if lag > 0:
            now = account.clock()
            until, known = account.before_write.get(row.id, (0.0, before))
            account.before_write[row.id] = (now + lag, known if until > now else before)
        self.rows.set_fields(table, row, record, cells)
        self.rows.put(table, row, record)
        self.rows.refresh_linkers(row.id)

    def _automated(self, event: Literal["create", "update"], table: BoardTable, row: Row) -> Record:
        """Let the board's automations run; gives the row as the answer has it."""
        answered = self.account.record(row)
        for one in self.account.behaviour.automations:
            if self.account.table_named(one.table) is not table or one.on not in (event, "both"):
                continue
            record = self.account.plain_record(row)
            self.rows.stamp(table, record, AI_USER)
            self.rows.set_fields(table, row, record, one.changes)
            self.rows.put(table, row, record)
            self.rows.refresh_linkers(row.id)
            answered = self.account.record(row) if one.shown else answered
        return answered

    def _stamped(self, table: BoardTable, row: Row, by: str, now: int) -> list[Record]:
        """Give the cells that every new row has."""
        values: Record = {
            "AUTONUMBER": row.number,
            "CREATED_AT": text_of(now),
            "UPDATED_AT": text_of(now),
            "CREATED_BY": by,
            "LAST_MODIFIED_BY": by,
        }
        return [{"columnId": one.id, "value": values[one.type]} for one in table.columns if one.type in values]
