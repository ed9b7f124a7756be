"""Where rows and comments are: boards, tables, rows; and the paths of their routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from target_crm.contract import NEW, Unwritable
from target_crm.kinds.base import Plain
from target_crm.kinds.links import plain_id
from target_crm.writers.copera.kinds import ANY_TABLE, ID, same_id


@dataclass(frozen=True, slots=True)
class RowReference(Plain):
    """One row: its id, or the key of one that this journal has written."""

    @override
    def read(self, value: Any) -> Any:
        found = plain_id(value)
        return None if found is None else str(found)

    @override
    def write(self, value: Any) -> Any:
        if value is not None and not ID.fullmatch(value) and not value.startswith(NEW):
            raise Unwritable(f"`{value}` is neither the id of a row nor the key of one that was written before")
        return None if value is None else same_id(value)

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        return Plain.holds(self, present, None if wanted is None else same_id(wanted))

    @override
    def references(self, value: Any) -> list[tuple[str, Any]]:
        return [] if value is None else [(ANY_TABLE, value)]

    @override
    def referring_all(self, value: Any, ids: Any) -> Any:
        return str(ids.get(value, value))


def table_path(board: str, table: str) -> str:
    """Return the path of a table."""
    return f"/board/{board}/table/{table}"


def row_path(board: str, table: str, row: str) -> str:
    """Return the path of a row."""
    return f"{table_path(board, table)}/row/{row}"
