"""Custom fields as columns of a stream: what a definition makes of a schema, whichever CRM it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

from tap_crm.shaping.naming import LONGEST, ROOM_FOR_A_SUFFIX, set_apart, slug

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Schema: TypeAlias = "dict[str, Any]"
Id: TypeAlias = "int | str"

#: How the name of every column of a custom field begins.
PREFIX = "custom_"

TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
BOOLEAN: Schema = {"type": ["boolean", "null"]}
DATE: Schema = {"type": ["string", "null"], "format": "date"}
MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
#: A value of any shape, as JSON text: loaders disagree on columns that hold now a text, now an object.
ANY: Schema = {"type": ["string", "null"], "contentMediaType": "application/json"}
LIST: Schema = {
    "type": ["array", "null"],
    "items": {
        "type": ["string", "integer", "number", "boolean", "array", "object", "null"],
        "properties": {},
        "additionalProperties": True,
    },
}

#: Options that a description names; all of them are in the stream `custom_fields`.
MOST_OPTIONS_NAMED = 100
_DESCRIBED = re.compile(r"Custom field (\S+), kind ")


def list_of(schema: Schema) -> Schema:
    """Return the schema of a list of such values."""
    return {"type": ["array", "null"], "items": schema}


@dataclass(frozen=True, slots=True)
class CustomField:
    """A definition, as far as a stream needs it.

    Attributes:
        key: the field's id, as values refer to it.
        label: the name that people gave it.
        kind: the CRM's word for what its values are.
        schema: of a value.
        options: labels by the id that a value holds, for kinds whose values are such ids.
        choices: what the description lists of options.
    """

    key: Id
    label: str
    kind: str
    schema: Schema
    options: Mapping[Id, str] | None = None
    choices: Sequence[str] = field(default=())

    def property(self) -> Schema:
        """Return the property of a stream's schema: titled with the name, described with kind, id and options."""
        said = f"Custom field {self.key}, kind {self.kind}."
        if self.choices:
            named = "; ".join(self.choices[:MOST_OPTIONS_NAMED])
            more = len(self.choices) - MOST_OPTIONS_NAMED
            said += f" Options: {named}{f'; and {more} more' if more > 0 else ''}."
        if self.schema is ANY:
            said += " JSON text."
        return {**self.schema, "title": self.label, "description": said}


def id_described(schema: Schema) -> str | None:
    """Return the id of the custom field from which a catalog's property was made; None for any other property."""
    found = _DESCRIBED.match(str(schema.get("description") or ""))
    return found[1] if found else None


def columns_of(fields: Sequence[CustomField], taken: Collection[str], *, by: str) -> dict[str, CustomField]:
    """Return the fields by the names of their columns, the same whatever their order.

    Args:
        fields: of one stream, each id once.
        taken: the names of the stream's other properties.
        by: ``name`` or ``id``: of what the columns' names are made.
    """
    most = LONGEST - len(PREFIX)
    room = most - ROOM_FOR_A_SUFFIX
    plain = [
        (
            str(one.key),
            f"{PREFIX}{(slug(one.label, room) if by == 'name' else '') or slug(str(one.key), most)}",
        )
        for one in fields
    ]
    names = _distinct(set_apart(plain, taken))
    return dict(sorted(((names[str(one.key)], one) for one in fields), key=itemgetter(0)))


def _distinct(names: dict[str, str]) -> dict[str, str]:
    """Return the names with those apart that ids set apart only by capitals."""
    count: dict[str, int] = {}
    for name in names.values():
        count[name] = count.get(name, 0) + 1
    return {
        key: name if count[name] == 1 else f"{name[: LONGEST - 9]}_{crc32(key.encode()):08x}"
        for key, name in names.items()
    }
