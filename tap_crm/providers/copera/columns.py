"""Columns of Copera's tables as properties: a type and a way to read a cell for each kind of column.

Facts: Copera's guides on boards and field types. Kinds and values are an open set there; whatever is not known is kept
as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_crm.shaping.custom.fields import ANY, BOOLEAN, MOMENT, NUMBER, TEXT, Schema, list_of
from tap_crm.shaping.naming import LONGEST, ROOM_FOR_A_SUFFIX, distinct_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_crm.providers.common.records import Record

INTEGER: Schema = {"type": ["integer", "null"]}
TEXTS = list_of(TEXT)

_BY_TYPE: dict[str, Schema] = {
    **dict.fromkeys(
        ("TEXT", "DESCRIPTION", "EMAIL", "PHONE", "WEBSITE", "URL", "FORMULA", "FUNCTION", "PASSWORD"), TEXT
    ),
    **dict.fromkeys(("PARAGRAPH", "RICH_TEXT", "DATE", "CREATED_BY", "LAST_MODIFIED_BY", "UPDATED_BY"), TEXT),
    **dict.fromkeys(("NUMBER", "MONEY", "DURATION", "TRACKER"), NUMBER),
    **dict.fromkeys(("STATUS", "DROPDOWN"), TEXT),
    **dict.fromkeys(("LABELS", "USERS", "LINK"), TEXTS),
    **dict.fromkeys(("CREATED_AT", "UPDATED_AT"), MOMENT),
    "AUTONUMBER": INTEGER,
    "CHECKBOX": BOOLEAN,
}
SELECTS = ("STATUS", "DROPDOWN", "LABELS")
_NOT_PLAIN = frozenset({*SELECTS, "USERS", "LINK", "LOOKUP", "DATE"})
#: What stands beside a column's own property.
NAMES, LABELS, IDS = "_names", "_labels", "_ids"
_SUFFIXES = {"USERS": NAMES, "LINK": LABELS, **dict.fromkeys(SELECTS, IDS)}
#: The fields of every row.
FIXED = ("_id", "rowId", "owner", "board", "table", "description", "createdAt", "updatedAt", "columns", "_extra")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        key: its id, which a renaming does not change.
        name: of its property.
        kind: its type, in capitals.
        options: labels by id, for columns that have options.
    """

    key: str
    name: str
    kind: str
    label: str
    options: Mapping[str, str] = field(default_factory=dict)

    def properties(self, *, with_ids: bool) -> dict[str, Schema]:
        """Return the properties that the column gives a row."""
        schema = {
            **_BY_TYPE.get(self.kind, ANY),
            "title": self.label,
            "description": f"{'JSON text. ' if self.kind not in _BY_TYPE else ''}Column {self.key}, type {self.kind}.",
        }
        found = {self.name: schema}
        if self.kind == "USERS":
            found[self.name + NAMES] = {**TEXTS, "description": f"Names of the users in {self.name}, in its order."}
        if self.kind == "LINK":
            found[self.name + LABELS] = {**TEXTS, "description": f"What Copera shows for the rows in {self.name}."}
        if with_ids and self.kind in SELECTS:
            found[self.name + IDS] = {**TEXTS, "description": f"Ids of the options in {self.name}."}
        return found

    @property
    def is_plain(self) -> bool:
        """Tell whether its values arrive as they are, in one property."""
        return self.kind not in _NOT_PLAIN

    def read(self, cell: Record, names: Callable[[str], str | None], *, with_ids: bool) -> dict[str, Any]:
        """Return a cell's values by property; empty cells are null, whichever way they are empty."""
        value = filled(cell.get("value"))
        if self.kind in SELECTS:
            return self._read_options(value, with_ids=with_ids)
        if self.kind == "USERS":
            users = _listed(value)
            return {self.name: users, self.name + NAMES: users and [names(str(user)) for user in users]}
        if self.kind == "LINK":
            return {self.name: _listed(value), self.name + LABELS: _listed(filled(cell.get("linkValue")))}
        if self.kind == "LOOKUP":
            found = filled(cell.get("lookupValue"))
            return {self.name: value if found is None else found}
        if self.kind == "DATE":
            return {self.name: _range(value)}
        return {self.name: value}

    def _read_options(self, value: Any, *, with_ids: bool) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Return labels for ids; an option that no definition knows stays as its id."""
        ids = _listed(value)
        labels = ids and [self.options.get(str(one), one) for one in ids]
        if self.kind != "LABELS" and labels is not None:
            found = {self.name: labels[0] if len(labels) == 1 else ", ".join(str(label) for label in labels)}
        else:
            found = {self.name: labels}
        return {**found, self.name + IDS: ids} if with_ids else found

    def unread(self, cell: Record) -> Record:
        """Return what of a cell is in none of the column's properties; nearly always nothing."""
        read = {"columnId", "value"}
        if self.kind == "LINK":
            read.add("linkValue")
        if self.kind == "LOOKUP":
            read.add("lookupValue")
            if filled(cell.get("lookupValue")) is not None:
                read.remove("value")
        return {name: value for name, value in cell.items() if name not in read and filled(value) is not None}

    def knows(self, cell: Record) -> bool:
        """Tell whether every option of a cell has a label; if not, the definitions are older than the row."""
        ids = _listed(filled(cell.get("value"))) if self.kind in SELECTS else None
        return ids is None or all(str(one) in self.options for one in ids)


def filled(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value, or None for what is empty in Copera."""
    return value if value or value not in ("", [], {}) else None


def _listed(value: Any) -> list[Any] | None:  # noqa: ANN401 - any JSON
    if value is None:
        return None
    return value if isinstance(value, list) else [value]


def _range(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a range of dates as ISO 8601 has it, start/end; anything else as it is."""
    if not isinstance(value, dict) or sorted(value) not in (["end", "start"], ["from", "to"]):
        return value
    ends = [value.get("start") or value.get("from"), value.get("end") or value.get("to")]
    if not all(end is None or isinstance(end, str) for end in ends):
        return value
    return "/".join(end or ".." for end in ends)


def columns_of(table: Record) -> dict[str, Column]:
    """Return a table's columns by id."""
    described = sorted(table["columns"], key=lambda column: (_order(column), column["columnId"]))
    labels = [(column["columnId"], str(column.get("label") or "")) for column in described]
    taken = {name.lower() for name in FIXED} | set(FIXED)
    names = _distinct_names(described, labels, taken)
    return {
        column["columnId"]: Column(
            key=column["columnId"],
            name=names[column["columnId"]],
            kind=str(column.get("type") or "").upper(),
            label=str(column.get("label") or ""),
            options={
                str(option["optionId"]): str(option.get("label") or option["optionId"])
                for option in column.get("options") or ()
                if isinstance(option, dict) and option.get("optionId")
            },
        )
        for column in described
    }


def _distinct_names(described: list[Record], labels: list[tuple[str, str]], taken: set[str]) -> dict[str, str]:
    """Return the columns' names, which are also none of those that stand beside one of them."""
    most = LONGEST - ROOM_FOR_A_SUFFIX
    names = distinct_names(labels, taken, otherwise="column", most=most)
    beside = {
        names[column["columnId"]] + suffix
        for column in described
        if (suffix := _SUFFIXES.get(str(column.get("type") or "").upper())) is not None
    }
    return distinct_names(labels, taken | beside, otherwise="column", most=most)


def _order(column: Record) -> float:
    order = column.get("order")
    return float(order) if isinstance(order, (int, float)) and not isinstance(order, bool) else float("inf")
