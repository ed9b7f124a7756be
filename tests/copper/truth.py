"""What a target should hold, made from the sandbox's own truth and the schema files, not by the tap's code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.copper import CopperWorld
    from tests.singer import Key, Record

SCHEMAS = Path(__file__).parents[2] / "schemas" / "copper"
SHAPES = json.loads((SCHEMAS / "_shapes.json").read_text("utf-8"))["$defs"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The sandbox's name of each stream, where it differs.
SOURCES = {"custom_fields": "custom_field_definitions"}
SEARCHED = ("people", "companies", "leads", "opportunities", "projects", "tasks", "activities")
LISTED = (
    "account",
    "pipelines",
    "pipeline_stages",
    "custom_fields",
    "users",
    "activity_types",
    "custom_activity_types",
    "contact_types",
    "customer_sources",
    "loss_reasons",
    "lead_statuses",
    "tags",
    "webhooks",
    "field_layouts",
)


def expected(world: CopperWorld, stream: str, keys: tuple[str, ...] = ("id",)) -> dict[Key, Record]:
    """Return every living record of a stream as it should arrive, by its key."""
    schema = json.loads((SCHEMAS / f"{stream}.json").read_text("utf-8"))
    records = world.records(SOURCES.get(stream, stream))
    shaped = (as_it_should_arrive(record, schema) for record in records)
    return {tuple(record[key] for key in keys): record for record in shaped}


def as_it_should_arrive(record: Record, schema: dict[str, Any]) -> Record:
    """Return the API's record in the form of the contract: UTC times, dates, numbers, the rest unchanged."""
    result: Record = {}
    extra: Record = {}
    for name, value in record.items():
        part = schema["properties"].get(name)
        if part is None:
            extra[name] = value
            continue
        try:
            result[name] = _value(value, part)
        except ValueError:
            result[name] = None
            extra[name] = value
    if extra:
        result["_extra"] = extra
    return result


def _value(value: Any, part: dict[str, Any]) -> Any:  # noqa: ANN401, C901, PLR0911 - a case for each kind of value
    if "$ref" in part:
        part = SHAPES[part["$ref"].rsplit("/", 1)[1]]
    if value is None:
        return None
    if part.get("contentMediaType") == "application/json":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if part.get("format") == "date-time":
        moment = EPOCH + timedelta(seconds=value)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    if part.get("format") == "date":
        if "/" not in value:
            return datetime.fromisoformat(value).strftime("%Y-%m-%d")
        month, day, year = value.split("/")
        return f"{datetime(int(year), int(month), int(day), tzinfo=UTC):%Y-%m-%d}"
    if "number" in part["type"] and "string" not in part["type"]:
        return Decimal(str(value))
    if {"string", "object"} <= set(part["type"]):
        return value
    if isinstance(value, list):
        return [_value(item, part["items"]) for item in value]
    if isinstance(value, dict) and part.get("properties"):
        return {name: _value(item, part["properties"].get(name, {"type": []})) for name, item in value.items()}
    return value


def comparable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the value with numbers and JSON texts in a form that compares by meaning."""
    if isinstance(value, dict):
        return {name: comparable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, float):
        return Decimal(str(value))
    return value


def differences(
    world: CopperWorld, stream: str, table: dict[Key, Record], keys: tuple[str, ...] = ("id",)
) -> dict[str, Any]:
    """Return the keys that are missing, surplus or different in a table; empty if it equals the truth."""
    truth = {key: comparable(record) for key, record in expected(world, stream, keys).items()}
    loaded = {key: comparable(record) for key, record in table.items()}
    return {
        name: found[:5]
        for name, found in {
            "missing": sorted(truth.keys() - loaded.keys()),
            "surplus": sorted(loaded.keys() - truth.keys()),
            "different": [
                (
                    key,
                    {
                        field: (truth[key].get(field), loaded[key].get(field))
                        for field in truth[key] | loaded[key]
                        if truth[key].get(field) != loaded[key].get(field)
                    },
                )
                for key in truth.keys() & loaded.keys()
                if truth[key] != loaded[key]
            ],
        }.items()
        if found
    }
