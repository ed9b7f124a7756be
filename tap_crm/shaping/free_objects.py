"""Objects and arrays as JSON text: some loaders take no others, and all load text at the least cost."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.shaping.schema import is_free_form, is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_SAID = "JSON text."


def is_free(schema: Mapping[str, Any]) -> bool:
    """Tell whether a value may have, at any depth, an object or a list whose parts are not declared."""
    part = dict(schema)
    if is_json_text(part):
        return False
    types = json_types(part)
    if is_free_form(part) or (len(types) > 1 and types & {"object", "array"}):
        return True
    if "object" in types:
        properties = part.get("properties") or {}
        return not properties or any(map(is_free, properties.values()))
    return "array" in types and is_free(part.get("items") or {})


def is_nested(schema: Mapping[str, Any]) -> bool:
    """Tell whether a value may be an object or an array, with declared parts or without."""
    return not is_json_text(dict(schema)) and (is_free(schema) or bool(json_types(dict(schema)) & {"object", "array"}))


class Texts(Enum):
    """Which objects and arrays are written as JSON text."""

    NONE = "none"
    FREE = "free"
    NESTED = "nested"

    def takes(self, schema: Mapping[str, Any]) -> bool:
        """Tell whether a property of this schema is written as JSON text."""
        if self is Texts.NONE:
            return False
        return is_free(schema) if self is Texts.FREE else is_nested(schema)

    def among(self, properties: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
        """Return the properties that are written as JSON text."""
        return frozenset(name for name, part in properties.items() if self.takes(part))


def declared_as_text(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a property's schema becomes where it arrives as JSON text."""
    said = {name: part[name] for name in ("title", "description") if name in part}
    text = str(said.get("description") or "")
    said["description"] = text if _SAID in text else f"{text} {_SAID}".strip()
    return {"type": ["string", "null"], "contentMediaType": "application/json", **said}


def with_texts(properties: Mapping[str, Mapping[str, Any]], texts: Collection[str]) -> dict[str, Any]:
    """Return the properties, those that are named declared as JSON text."""
    return {name: declared_as_text(part) if name in texts else part for name, part in properties.items()}


def to_text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return any value as JSON text, with every digit of its numbers; null stays null."""
    return None if value is None else _ENCODER.encode(value).decode()
