"""The columns of Copera's tables as fields that can be written; names are the tap's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_crm.providers.copera.columns import IDS, LABELS, NAMES, SELECTS
from target_crm.contract import Columns, Field, Unwritable
from target_crm.kinds.plain import Text
from target_crm.writers.copera.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_crm.providers.copera.tables import Table
    from target_crm.contract import Id, ObjectSpec
    from target_crm.kinds.options import Choice
    from target_crm.writers.copera.kinds import Shown

CELLS = "columns"
_DESCRIBED = re.compile(r"(?:JSON text\. )?Column ([0-9a-fA-F]{24}), type ")
_BESIDE = {"USERS": NAMES, "LINK": LABELS, **dict.fromkeys(SELECTS, IDS)}


def columns(
    spec: ObjectSpec,
    table: Table,
    members: Callable[[], Sequence[Choice]],
    shown: Callable[[str], Callable[[], Shown]],
) -> Columns:
    """Return the fields of a table: those of every row, and its columns.

    Args:
        spec: the object.
        table: the table.
        members: returns the workspace's members.
        shown: from a column's id to what returns what is shown for the rows that it links to.
    """
    fields: dict[str, Field] = {}
    by_id: dict[str, Field] = {}
    for column in table.columns.values():
        kind = kind_of(column, members, shown(column.key))
        # A password is never shown, so it cannot be compared.
        made = Field(column.name, kind, custom=column.key, only_new=column.kind == "PASSWORD")
        fields[column.name] = by_id[column.key] = made
        if column.kind in _BESIDE:
            beside = column.name + _BESIDE[column.kind]
            fields[beside] = Field(beside, Text(), label_of=column.name)
    return Columns({**spec.fields, **fields}, by_id, dict(by_id), (CELLS, _split), described)


def described(schema: Mapping[str, Any]) -> str | None:
    """Return the id of the column from which the tap made a property; None for any other property."""
    found = _DESCRIBED.match(str(schema.get("description") or ""))
    return found[1] if found else None


def _split(value: Any) -> list[tuple[Id, Any]]:  # noqa: ANN401
    is_list = isinstance(value, list)
    if not is_list or not all(isinstance(one, dict) and isinstance(one.get("columnId"), str) for one in value):
        raise Unwritable(f"`{CELLS}` must be a list of objects with `columnId` and `value`")
    return [(one["columnId"], one.get("value")) for one in value]
