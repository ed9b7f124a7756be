"""Columns whose type changes: a loader's column keeps its type, so that the values go on in another column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

from tap_crm.shaping.naming import LONGEST
from tap_crm.shaping.schema import is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_Part = TypeVar("_Part")

#: What becomes of a column that has no field any more.
KEEPS = "keeps what was loaded before"
_ANY = "any"
_TIMES = {"date": "date", "date-time": "time"}
#: Characters of the mark that sets a shortened name apart.
_MARK = 9


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the word for what a loader makes a column of: ``text``, ``number``, ``date_list`` and so on."""
    if is_json_text(dict(schema)):
        return "json"
    types = json_types(dict(schema))
    if len(types) != 1:
        return _ANY
    (only,) = types
    if only == "array":
        items = type_of(schema.get("items") or {})
        return "list" if items == _ANY else f"{items}_list"
    return _TIMES.get(schema.get("format", ""), "text") if only == "string" else only


def told_names(
    properties: Mapping[str, Mapping[str, Any]], made: Collection[str], types: Mapping[str, str]
) -> dict[str, str]:
    """Return the names under which a target is told of columns that it knows with another type.

    The same properties and types give the same names, so that a column stays the same in later runs; a field that gets
    its former kind back has its former column again.

    Args:
        properties: of the stream's schema.
        made: those that the account makes; the others never change.
        types: of each column that was ever told, by its name.

    Returns:
        the names in the target by those in the schema; only those that differ.
    """
    taken = {name.lower() for name in properties}
    names: dict[str, str] = {}
    for name in sorted(made):
        kind = type_of(properties[name])
        if types.get(name, kind) == kind:
            continue
        names[name] = next(
            one for one in _candidates(name, kind) if one.lower() not in taken and types.get(one, kind) == kind
        )
        taken.add(names[name].lower())
    return names


def _candidates(name: str, kind: str) -> Iterator[str]:
    """Yield names for a column of another type, the most wanted first; none is longer than databases keep."""
    number = 1
    while True:
        end = f"_{kind}" if number == 1 else f"_{kind}_{number}"
        most = LONGEST - len(end)
        start = name if len(name) <= most else f"{name[: most - _MARK]}_{crc32(name.encode()):08x}"
        yield start + end
        number += 1


def renamed(parts: Mapping[str, _Part], names: Mapping[str, str]) -> dict[str, _Part]:
    """Return what stands under each name, under the names in the target."""
    return {names.get(name, name): part for name, part in parts.items()}


def moved(names: Mapping[str, str], types: Mapping[str, str]) -> list[str]:
    """Return what is to be said of columns that the target is told of for the first time.

    Args:
        names: in the target, by those in the schema.
        types: of each column that was told before.
    """
    return [
        f"`{old}` is of another kind now: its values arrive in `{new}` from now on; `{old}` {KEEPS}"
        for old, new in names.items()
        if new not in types
    ]
