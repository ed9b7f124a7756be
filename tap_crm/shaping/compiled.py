"""The fast path: pages decoded straight into structures made from the schema, and encoded straight to lines.

The structure knows every field that the schema knows, with its type. A page that holds anything else is refused by
the decoder, and the careful path takes it: slower, same result.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from tap_crm.shaping.conform import compile_conform
from tap_crm.shaping.moments import Unfit
from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Words that the decoder takes for a number although JSON has no such number.
_NOT_NUMBERS = (b"nan", b"inf")
_AWARE = Annotated[datetime, msgspec.Meta(tz=True)]


class PageEncoder:
    """Encodes pages of one stream.

    Args:
        schema: the stream's schema, references resolved.
        wanted: the top-level fields that are selected.
        date_order: ``mdy`` or ``dmy``.
    """

    def __init__(self, schema: dict[str, Any], wanted: frozenset[str], date_order: str) -> None:
        self._keeps_extra = EXTRA in wanted
        fields: list[tuple[str, Any, Any]] = []
        names: dict[str, str] = {}
        self._dropped: list[str] = []
        self._moments: list[str] = []
        self._converted: list[tuple[str, Callable[[Any], Any]]] = []
        for number, (name, part) in enumerate(schema["properties"].items()):
            if name == EXTRA or (name not in wanted and not self._keeps_extra):
                continue
            attribute = f"f{number}"
            names[attribute] = name
            if name not in wanted:
                fields.append((attribute, msgspec.Raw | UnsetType, UNSET))
                self._dropped.append(attribute)
                continue
            by_python = is_json_text(part) or part.get("format") == "date"
            fields.append((attribute, Any if by_python else _type(part) | None | UnsetType, UNSET))
            if part.get("format") == "date-time":
                self._moments.append(attribute)
            if by_python:
                self._converted.append((attribute, compile_conform(part, date_order)))
        record = msgspec.defstruct("Record", fields, rename=names, forbid_unknown_fields=self._keeps_extra, gc=False)
        self._decoder = msgspec.json.Decoder(list[record], strict=False, float_hook=Decimal)  # type: ignore[valid-type]
        self._encoder = msgspec.json.Encoder(decimal_format="number")
        self._numbers = _has_numbers(schema)

    def encode(self, body: bytes, keep: Sequence[int] | None) -> list[bytes] | None:
        """Return the JSON of each record to write, or None if the page needs the careful path."""
        if self._numbers and any(word in body.lower() for word in _NOT_NUMBERS):
            return None
        try:
            rows = self._decoder.decode(body)
            if keep is not None:
                rows = [rows[at] for at in keep]
            for attribute in self._moments:
                if any(at and at.tzinfo is not UTC for row in rows if (at := getattr(row, attribute)) is not UNSET):
                    return None
            for attribute, conform in self._converted:
                for row in rows:
                    value = getattr(row, attribute)
                    if value is not None and value is not UNSET:
                        setattr(row, attribute, conform(value))
        except (msgspec.ValidationError, Unfit):
            return None
        for attribute in self._dropped:
            for row in rows:
                setattr(row, attribute, UNSET)
        return [self._encoder.encode(row) for row in rows]


def _has_numbers(schema: dict[str, Any]) -> bool:
    parts = [schema, *schema.get("properties", {}).values(), schema.get("items") or {}]
    return "number" in json_types(schema) or any(
        _has_numbers(part) for part in parts[1:] if isinstance(part, dict) and part
    )


def _type(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - a type expression
    """Return the type that decodes exactly the values that need no care."""
    if is_free_form(schema):
        return msgspec.Raw
    types = json_types(schema)
    if "string" in types:
        return _AWARE if schema.get("format") == "date-time" else str
    if "object" in types:
        return _structure(schema)
    if "array" in types:
        item = _type(schema.get("items") or {})
        return list[item] if item is msgspec.Raw else list[item | None]  # type: ignore[valid-type]
    if "boolean" in types:
        return bool
    return Decimal if "number" in types else int


def _structure(schema: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return a structure for a nested object, or a plain dict where its fields are not declared."""
    properties = schema.get("properties") or {}
    if not properties:
        return dict[str, Any]
    names = {f"f{number}": name for number, name in enumerate(properties)}
    return msgspec.defstruct(
        "Nested",
        [(attribute, _nested_type(properties[name]), UNSET) for attribute, name in names.items()],
        rename=names,
        forbid_unknown_fields=True,
        gc=False,
    )


def _nested_type(schema: dict[str, Any]) -> Any:  # noqa: ANN401
    return msgspec.Raw | UnsetType if is_free_form(schema) else _type(schema) | None | UnsetType
