"""Boards' tables, their columns and their rows as the workspace holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.copera.moments import text_of

if TYPE_CHECKING:
    from sandbox.exchange import Record

UNKNOWN_TYPE = "HOLOGRAM"
TYPES = (
    *("TEXT", "DESCRIPTION", "NUMBER", "MONEY", "CHECKBOX", "DATE", "DURATION", "STATUS", "DROPDOWN", "LABELS"),
    *("USERS", "LINK", "LOOKUP", "ROLLUP", "FORMULA", "FUNCTION", "EMAIL", "PHONE", "WEBSITE", "URL", "LINK_BUTTON"),
    *("LOCATION", "FILE", "PASSWORD", "AUTONUMBER", "TRACKER", "CREATED_AT", "UPDATED_AT", "CREATED_BY"),
    *("LAST_MODIFIED_BY", UNKNOWN_TYPE),
)
"""Every column type (copera.md, section 5.1), seen and inferred spellings, and one that nobody knows."""
SELECTS = ("STATUS", "DROPDOWN", "LABELS")
DERIVED = ("LINK", "LOOKUP", "ROLLUP", "TRACKER", "FORMULA", "FUNCTION")
"""Types whose cells follow from links to other rows, or from other cells."""


class Row:
    """A row as encoded JSON (`raw` and `tail` together), with what rows that link to it show of it."""

    __slots__ = ("amount", "display", "done", "id", "number", "raw", "tail")

    def __init__(self, row_id: str, number: int, display: str) -> None:
        self.id = row_id
        self.number = number
        self.display = display
        self.amount: float | None = None
        self.done = False
        self.raw = b""
        self.tail = b""
        """The end of the JSON, which rows of a very large table share."""

    @property
    def size(self) -> int:
        """Bytes of the JSON."""
        return len(self.raw) + len(self.tail)


@dataclass(slots=True)
class Column:
    """A column, with what the API does not show of it."""

    id: str
    label: str
    type: str
    order: int | None
    options: list[Record] = field(default_factory=list)
    target: str = ""
    """The table that a LINK leads to."""
    via: str = ""
    """The LINK column that a derived column follows."""
    mirror: str = ""
    """The LINK column of the other table that shows the same relation from its side."""
    own: bool = True
    """Whether the LINK was made here; a mirror was made in the other table."""

    def shown(self) -> Record:
        """The column as an answer has it (copera.md, section 5)."""
        shown: Record = {"columnId": self.id, "label": self.label, "type": self.type}
        if self.order is not None:
            shown["order"] = self.order
        if self.type in SELECTS:
            shown["options"] = [dict(one) for one in self.options]
        return shown

    def option_ids(self) -> list[str]:
        """Ids of the options that there are."""
        return [one["optionId"] for one in self.options]


@dataclass(slots=True)
class BoardTable:
    """A table of a board."""

    id: str
    name: str
    board: str
    created: int
    updated: int
    columns: list[Column]
    rows: dict[str, Row] = field(default_factory=dict)
    last_number: int = 0

    def shown(self) -> Record:
        """The table as an answer has it, its columns included."""
        return {
            "_id": self.id,
            "name": self.name,
            "board": self.board,
            "createdAt": text_of(self.created),
            "updatedAt": text_of(self.updated),
            "columns": [one.shown() for one in self.columns],
        }

    def column(self, named: str) -> Column:
        """Find a column by id, or by a label that only one has; KeyError if that is not one."""
        found = [one for one in self.columns if one.id == named]
        found = found or [one for one in self.columns if one.label == named]
        if len(found) != 1:
            raise KeyError(f"column {named}")
        return found[0]

    def first(self, *types: str) -> Column | None:
        """Give the first column of one of the types."""
        return next((one for one in self.columns if one.type in types), None)
