"""Arrays of records as tables of their own: what they are called, which columns they have, and their rows.

A row has the parent's primary key (``people_id``), the place in the array (``_position``, from 0), and the element: an
object's properties, or ``value`` for anything else. Whatever has no column is in ``_extra``.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tap_crm.config.nearest import did_you_mean
from tap_crm.errors import ConfigError
from tap_crm.shaping.conform import mask
from tap_crm.shaping.naming import LONGEST
from tap_crm.shaping.schema import DELETED_AT, EXTRA, is_free_form, is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

POSITION, VALUE = "_position", "value"
#: What a property of an element is called that has the name of one of the row's own columns.
_SET_APART = "element_"
_POSITION_SCHEMA = {"type": ["integer"], "description": "The place in the array, from 0."}
_DELETED_SCHEMA = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "When the element, or its record, was found to be gone, UTC; null for one that is there. Added by "
    "the tap.",
}
_EXTRA_SCHEMA = {
    "type": ["object", "null"],
    "properties": {},
    "additionalProperties": True,
    "description": "What the element has and no column holds, as the CRM has it. Added by the tap.",
}
_ANY = {"type": ["string", "null"], "contentMediaType": "application/json", "description": "JSON text."}


@dataclass(frozen=True, slots=True)
class ChildTable:
    """One array of a stream's records, as a table.

    Attributes:
        stream: the name of its own stream.
        parent: the stream whose records have the array.
        array: the property.
        keys: the columns of the parent's primary key, by its fields.
        schema: of a row.
        has_objects: whether elements are objects with columns of their own.
    """

    stream: str
    parent: str
    array: str
    keys: Mapping[str, str]
    schema: Mapping[str, Any]
    has_objects: bool

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The parent's key, and the place in the array."""
        return (*self.keys.values(), POSITION)

    @property
    def _own(self) -> frozenset[str]:
        return _own_columns(self.keys)

    def rows(self, key: Mapping[str, Any], elements: Sequence[Any], deleted_at: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """Return the rows of one record, not shaped yet.

        Args:
            key: the columns of the parent's key.
            elements: of the array.
            deleted_at: when the record was deleted; None for one that is there.
        """
        gone = {} if deleted_at is None else {DELETED_AT: deleted_at}
        return [{**self._element(one), **key, POSITION: at, **gone} for at, one in enumerate(elements)]

    def _element(self, element: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        if element is None:
            return {}
        if self.has_objects and isinstance(element, dict):
            own = self._own
            return {f"{_SET_APART}{name}" if name in own else name: value for name, value in element.items()}
        return {VALUE: element}

    def key_of(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of the parent's key."""
        return {column: record.get(name) for name, column in self.keys.items()}

    def beyond(self, key: Mapping[str, Any], length: int, until: int, at: str) -> Iterator[dict[str, Any]]:
        """Yield rows that say of the places from ``length`` on, up to ``until``, that nothing is there."""
        for position in range(length, until):
            yield {**key, POSITION: position, DELETED_AT: at}


def elements_of(value: Any, *, masked: bool = False) -> tuple[list[Any], bool]:  # noqa: ANN401 - any JSON
    """Return the elements of what a record has for its array, and whether that is one; nothing is an empty one."""
    if value is None:
        return [], True
    if masked:
        value = mask(value)
    return (value, True) if isinstance(value, list) else ([value], False)


def arrays_of(properties: Mapping[str, Any]) -> list[str]:
    """Return the properties of a schema that are arrays."""
    return [name for name, part in properties.items() if _is_array(part)]


def _is_array(part: Mapping[str, Any]) -> bool:
    return json_types(dict(part)) == {"array"} and not is_json_text(dict(part))


def wished(parent: str, array: str, wishes: Sequence[str]) -> bool:
    """Tell whether the setting ``child_tables`` names an array; ``*`` stands for any text."""
    names = (array, f"{parent}.{array}", child_name(parent, array))
    return any(fnmatchcase(name, wish) for wish in wishes for name in names)


def child_name(parent: str, array: str) -> str:
    """Return the name of an array's stream; one that loaders would cut ends in a part that sets it apart."""
    name = f"{parent}__{array}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}_{crc32(name.encode()):08x}"


def child_table(parent: str, keys: Sequence[str], properties: Mapping[str, Any], array: str) -> ChildTable:
    """Return the table of one array.

    Args:
        parent: the stream.
        keys: its primary key.
        properties: of its schema.
        array: one of these.
    """
    columns = {key: f"{parent}_{key.lstrip('_')}" for key in keys}
    items = properties[array].get("items") or {}
    elements = _columns(items)
    own = _own_columns(columns)
    schema = {
        "type": "object",
        "description": f"The elements of `{array}` of {parent}, a row each.",
        "properties": {
            **{
                column: {**_as_declared(properties[key]), "description": f"Key into {parent}: `{key}`."}
                for key, column in columns.items()
            },
            POSITION: _POSITION_SCHEMA,
            **{f"{_SET_APART}{name}" if name in own else name: part for name, part in elements.items()},
            DELETED_AT: _DELETED_SCHEMA,
            EXTRA: _EXTRA_SCHEMA,
        },
    }
    has_objects = VALUE not in elements or bool(items.get("properties"))
    return ChildTable(child_name(parent, array), parent, array, columns, copy.deepcopy(schema), has_objects)


def _own_columns(keys: Mapping[str, str]) -> frozenset[str]:
    return frozenset({*keys.values(), POSITION, DELETED_AT, EXTRA})


def _as_declared(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in ("title", "description")}


def _columns(items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of an element; all of them may be null, as where an element is."""
    types = json_types(dict(items))
    if types == {"object"} and items.get("properties"):
        return {name: _nullable(part) for name, part in items["properties"].items()}
    if is_free_form(dict(items)) or len(types) > 1:  # loaders disagree on columns that hold now this, now that
        return {VALUE: dict(_ANY)}
    return {VALUE: _nullable(items)}


def _nullable(part: Mapping[str, Any]) -> dict[str, Any]:
    declared = part.get("type", ())
    types = [declared] if isinstance(declared, str) else list(declared)
    return {**part, "type": [*types, "null"]} if types and "null" not in types else dict(part)


def check_wishes(wishes: Sequence[str], offered: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that each name of the setting ``child_tables`` is one of an array.

    Args:
        wishes: the setting.
        offered: the properties of each stream.

    Raises:
        ConfigError: one is not; names the nearest one that is.
    """
    arrays = {stream: arrays_of(properties) for stream, properties in offered.items()}
    for wish in wishes:
        if not any(wished(stream, array, [wish]) for stream, names in arrays.items() for array in names):
            raise ConfigError(f"the setting `child_tables`: {_why_not(wish, offered, arrays)}")


def _why_not(wish: str, offered: Mapping[str, Mapping[str, Any]], arrays: Mapping[str, Sequence[str]]) -> str:
    stream, _, name = wish.rpartition(".")
    others = {
        one: part
        for one, properties in offered.items()
        for field, part in properties.items()
        if field == name and stream in ("", one)
    }
    if others:
        where = ", ".join(list(others)[:3])
        is_object = any(json_types(dict(part)) == {"object"} for part in others.values())
        what = "an object, which has one value for each record" if is_object else "one value"
        return f"`{name}` of {where} is no array, but {what}; only arrays become tables"
    if stream and stream not in offered and not set(stream) & set("*?["):
        return f"there is no stream `{stream}`{did_you_mean(stream, offered)}"
    known = {array for names in arrays.values() for array in names}
    known |= {f"{one}.{array}" for one, names in arrays.items() for array in names}
    return f"no stream has an array `{wish}`{did_you_mean(wish, sorted(known))}"
