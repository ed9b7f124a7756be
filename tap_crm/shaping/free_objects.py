"""Properties that hold objects whose fields are not declared, as JSON text: some loaders take no such objects."""

from __future__ import annotations

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


def free_in(properties: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the properties that hold such objects."""
    return frozenset(name for name, part in properties.items() if is_free(part))


def declared_as_text(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a property's schema becomes where it arrives as JSON text."""
    said = {name: part[name] for name in ("title", "description") if name in part}
    text = str(said.get("description") or "")
    said["description"] = text if _SAID in text else f"{text} {_SAID}".strip()
    return {"type": ["string", "null"], "contentMediaType": "application/json", **said}


def with_texts(properties: Mapping[str, Mapping[str, Any]], free: Collection[str]) -> dict[str, Any]:
    """Return the properties, those that are free as JSON text."""
    return {name: declared_as_text(part) if name in free else part for name, part in properties.items()}


def to_text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return any value as JSON text, with every digit of its numbers; null stays null."""
    return None if value is None else _ENCODER.encode(value).decode()
