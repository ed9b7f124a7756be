"""Makes records ready to be flattened: what has no columns of its own becomes JSON text, so that no value is lost.

The SDK flattens by the schema. An object whose fields the schema does not declare gets no column there, and neither
does a field that the CRM has added to an object since; numbers in a field that may also hold objects do not fit the
text that is declared for it. Here each of these is put into a form for which there is a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.shaping.schema import EXTRA, is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_SAID = ("title", "description")


@dataclass(frozen=True, slots=True)
class Layout:
    """How an object is flattened.

    Attributes:
        schema: what the SDK is to flatten: only objects that get columns of their own are objects there.
        objects: fields that are such objects.
        texts: fields that become text; True where a text stays as it is, and only other values become JSON.
        fields: the names of all fields.
    """

    schema: dict[str, Any]
    objects: Mapping[str, Layout]
    texts: Mapping[str, bool]
    fields: frozenset[str]

    @classmethod
    def of(cls, schema: Mapping[str, Any], depth: int) -> Layout:
        """Return the layout of an object of which so many levels are flattened."""
        properties: dict[str, Any] = {}
        objects: dict[str, Layout] = {}
        texts: dict[str, bool] = {}
        for name, part in schema.get("properties", {}).items():
            types = json_types(part)
            if types == {"object"} and part.get("properties") and depth > 0:
                objects[name] = cls.of(part, depth - 1)
                properties[name] = objects[name].schema
            elif is_json_text(part) or (types and not types & {"object", "array"}):
                properties[name] = part
            else:
                texts[name] = not types or "string" in types
                properties[name] = _text_of(part)
        # The SDK takes the schema's own title and description for those of fields that have such names.
        rest = {name: value for name, value in schema.items() if name not in _SAID}
        return cls({**rest, "properties": properties}, objects, texts, frozenset(properties))

    def ready(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record as the SDK can flatten it; what no column is for is kept in ``_extra``."""
        result, unknown = self.split(record)
        if unknown and EXTRA in self.fields:
            known = record.get(EXTRA)
            # Fields without any column go beside what was kept before: the names are those of other fields.
            result[EXTRA] = _json({**(known if isinstance(known, dict) else {}), **unknown})
        return result

    def split(self, record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what has columns, and what has none, at any depth."""
        result: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        for name, value in record.items():
            if name not in self.fields:
                unknown[name] = value
            elif name in self.texts:
                is_plain = value is None or (self.texts[name] and isinstance(value, str))
                result[name] = value if is_plain else _json(value)
            elif name not in self.objects:
                result[name] = value
            elif isinstance(value, dict):
                result[name], beyond = self.objects[name].split(value)
                if beyond:
                    unknown[name] = beyond
            else:
                result[name] = self.objects[name].nothing()
                if value is not None:
                    unknown[name] = value
        return result, unknown

    def nothing(self) -> dict[str, Any]:
        """Return what an object that is null has: null in each column, so that no older value stays in one."""
        return {name: self.objects[name].nothing() if name in self.objects else None for name in self.fields}


def _text_of(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": ["string", "null"], **{name: part[name] for name in _SAID if name in part}}


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    return _TEXT.encode(value).decode()
