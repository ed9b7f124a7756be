"""Changes of a workspace, as they are ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera import schema_changes, text_changes
from sandbox.copera.list_changes import ListEditor
from sandbox.copera.row_changes import RowEditor

if TYPE_CHECKING:
    from sandbox.copera.records import WorkspaceRecords
    from sandbox.exchange import Record

_VERBS = ("edit", "create", "delete", "edit_linked", "hide", "show")


class Editor:
    """Edits, makes and deletes; called with the workspace locked.

    `edit`, `create` and `delete` take `object` (the name of a list, or a table's id or name), `count` or `ids`, and
    `changes`; `edit_linked` edits rows that others link to and gives those others; `hide` and `show` are for rows;
    the verbs of `schema_changes` take `table` or `board`.
    """

    def __init__(self, records: WorkspaceRecords) -> None:
        self.records = records
        self.rows = RowEditor(records)
        self.lists = ListEditor(records, self.rows)

    def carry_out(self, verb: str, order: Record) -> list[str]:
        """Do what is ordered; gives the ids of what was changed. KeyError for an unknown verb, object or id."""
        if verb in schema_changes.VERBS:
            return schema_changes.VERBS[verb](self.rows, order)
        if verb not in _VERBS:
            raise KeyError(verb)
        name = order["object"].removeprefix("rows:")
        if name in text_changes.EDITED:
            return text_changes.edit(self.rows, name, order)
        if name == "comments" or name in self.records.lists:
            return self.lists.carry_out(verb, name, order)
        return self.rows.carry_out(verb, self.records.table_named(name), order)
