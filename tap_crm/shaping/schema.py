"""Finds the schema files: the data contract, one file per stream."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: When a record was deleted at the source; null for all that are there.
DELETED_AT = "_sdc_deleted_at"
#: Where unknown fields and values of the wrong type are kept.
EXTRA = "_extra"
#: What schema files have: each is read once in a process, though the shared shapes serve every stream of a CRM.
_READ: dict[Traversable, dict[str, Any]] = {}


def schema_directory() -> Traversable:
    """Return the folder of all schema files: in a wheel inside of the package, in a checkout beside it."""
    packaged = importlib.resources.files("tap_crm") / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "schemas"


def load_schema(provider: str, stream: str, folder: Traversable | None = None) -> dict[str, Any]:
    """Return the schema of a stream with every ``$ref`` replaced by what it refers to.

    Args:
        provider: the CRM's name.
        stream: the stream's.
        folder: where its schema files are, if not beside those of the other CRMs.
    """
    folder = folder or schema_directory() / provider
    resolved: dict[str, Any] = _resolve(_content(folder / f"{stream}.json"), _content(folder / "_shapes.json"))
    resolved.pop("$schema", None)
    return resolved


def _content(file: Traversable) -> dict[str, Any]:
    """Return what a file has, which nobody changes; nothing where there is no file of shared shapes."""
    if file not in _READ:
        is_there = file.name != "_shapes.json" or file.is_file()
        _READ[file] = json.loads(file.read_text("utf-8")) if is_there else {}
    return _READ[file]


def _resolve(node: Any, shapes: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Return a copy of the node with its references into the file of shared shapes resolved."""
    if isinstance(node, list):
        return [_resolve(item, shapes) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = shapes
        for part in node["$ref"].split("#/", 1)[1].split("/"):
            target = target[part]
        return _resolve(target, shapes)
    return {key: _resolve(value, shapes) for key, value in node.items()}


def json_types(schema: dict[str, Any]) -> frozenset[str]:
    """Return the JSON types that a schema allows besides null; empty where it allows any."""
    declared = schema.get("type", ())
    types = {declared} if isinstance(declared, str) else set(declared)
    return frozenset(types - {"null"})


def is_free_form(schema: dict[str, Any]) -> bool:
    """Tell whether a value of any shape is allowed."""
    types = json_types(schema)
    return not types or {"object", "string"} <= types


def is_json_text(schema: dict[str, Any]) -> bool:
    """Tell whether values of any shape are to be emitted as JSON text."""
    return schema.get("contentMediaType") == "application/json"
