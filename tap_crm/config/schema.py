"""Settings as a JSON schema, which is what the SDK, `--about` and Meltano know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_crm.config.setting import Setting


def schema_of(rows: Iterable[Setting]) -> dict[str, Any]:
    """Return the JSON schema of a config that may hold these settings."""
    rows = list(rows)
    return {
        "type": "object",
        "properties": {row.name: _property(row) for row in rows},
        "required": [row.name for row in rows if row.required],
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }


def _property(row: Setting) -> dict[str, Any]:
    types = [*row.kind.types, *([] if row.required else ["null"])]
    found: dict[str, Any] = {"type": types, **row.kind.form, "description": row.text}
    if row.default not in (None, ()):
        found["default"] = row.default
    if row.secret:
        found |= {"secret": True, "writeOnly": True}  # the former for the SDK, the latter for JSON Schema
    return found
