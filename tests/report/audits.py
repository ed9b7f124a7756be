"""Tables ``sync_audit`` that are made by plain SQL, as loaders make them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_crm.contract.stream import AUDIT
from tap_crm.shaping.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.audit.loaded import DuckDbFile, PostgreSqlDatabase

    Database = DuckDbFile | PostgreSqlDatabase

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
#: The types of columns by database: times, whole numbers, numbers, booleans, lists, texts.
TYPES = {
    "duckdb": ("TIMESTAMP", "BIGINT", "DOUBLE", "BOOLEAN", "JSON", "VARCHAR"),
    "postgresql": ("TIMESTAMP", "BIGINT", "FLOAT8", "BOOLEAN", "JSONB", "TEXT"),
    "text": ("VARCHAR",) * 6,
}


def row(stream: str, hours_ago: float = 1.0, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    """Return a row of a complete read that began so many hours ago; ``others`` are further columns."""
    began = NOW - timedelta(hours=hours_ago)
    usual = {
        "run_id": began.strftime("%Y%m%dT%H%M%SZ"),
        "stream": stream,
        "provider": "copper",
        "mode": "incremental",
        "read_to": began - timedelta(seconds=5),
        "requests": 3,
        "retries": 0,
        "rate_limited": 0,
        "seconds_waited": 0.5,
        "records": 10,
        "unexplained": 0,
        "misfits": 0,
        "deletions": 0,
        "complete": True,
        "notes": [],
        "started": began,
        "finished": began + timedelta(minutes=2),
    }
    return usual | others


def failed(stream: str, error: str, hours_ago: float = 1.0, **others: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a row of a read that failed."""
    return row(stream, hours_ago, complete=False, error=error, read_to=None, records=0, **others)


def make(
    database: Database,
    rows: Sequence[Mapping[str, Any]],
    schema: str = "copper",
    types: str = "duckdb",
    more: Mapping[str, str] | None = None,
) -> None:
    """Make the table in a schema of its own.

    Args:
        database: an open one.
        rows: by the names of columns.
        schema: that is made.
        types: which of `TYPES`.
        more: further columns, and their types.
    """
    columns = {name: _type(part, TYPES[types]) for name, part in load_schema("common", AUDIT)["properties"].items()}
    columns |= more or {}
    declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    values = ", ".join(f"({', '.join(_literal(one.get(name)) for name in columns)})" for one in rows)
    statements = [f'CREATE SCHEMA "{schema}"', f'CREATE TABLE "{schema}".{AUDIT} ({declared})']
    statements += [f'INSERT INTO "{schema}".{AUDIT} VALUES {values}'] * bool(values)  # noqa: S608 - our own names
    database.execute("; ".join(statements))


def _type(part: Mapping[str, Any], types: Sequence[str]) -> str:
    if part.get("format") == "date-time":
        return types[0]
    kinds = ("integer", "number", "boolean", "array", "string")
    return next(types[place] for place, kind in enumerate(kinds, start=1) if kind in part["type"])


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        value = value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, list):
        value = json.dumps(value)
    return "'{}'".format(str(value).replace("'", "''"))
