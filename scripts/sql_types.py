"""The types of columns, as target-duckdb makes them of a schema."""

from __future__ import annotations

from typing import Any

_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}


def sql_type(part: dict[str, Any]) -> str:
    """Return the type of a column as target-duckdb makes it."""
    if part.get("format") == "date-time":
        return "TIMESTAMP"
    return next((kind for name, kind in _TYPES.items() if name in part.get("type", ())), "JSON")
