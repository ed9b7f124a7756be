"""How a CRM's records should arrive, told by the schema files, not by the tap's code."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Key, Record

Reader: TypeAlias = "Callable[[Any], Any]"

SCHEMAS = Path(__file__).parents[1] / "schemas"


class Contract:
    """The schema files of one provider.

    Args:
        provider: the name of their folder.
        moment: reads a time as the CRM writes it, to UTC; a ValueError if it is none.
        date: reads a date, likewise.
        folder: where the files are, if not in the folder of all CRMs.
    """

    def __init__(self, provider: str, moment: Reader, date: Reader, folder: Path | None = None) -> None:
        self._folder = folder or SCHEMAS / provider
        shapes = self._folder / "_shapes.json"
        self._shapes = json.loads(shapes.read_text("utf-8"))["$defs"] if shapes.is_file() else {}
        self._formats = {"date-time": moment, "date": date}
        self._readers: dict[str, dict[str, Reader]] = {}

    def as_it_should_arrive(self, stream: str, record: Record) -> Record:
        """Return the API's record in the form of the contract: UTC times, dates, numbers, the rest unchanged."""
        readers = self._readers_of(stream)
        result: Record = {}
        extra: Record = {}
        for name, value in record.items():
            reader = readers.get(name)
            if reader is None:
                extra[name] = exact(value)
                continue
            try:
                result[name] = None if value is None else reader(value)
            except ValueError:
                result[name] = None
                extra[name] = exact(value)
        if extra:
            result["_extra"] = extra
        return result

    def without_custom_columns(self, stream: str, table: dict[Key, Record]) -> dict[Key, Record]:
        """Return the records without the columns that the account's custom fields have; they are in no file."""
        known = self._readers_of(stream)
        return {
            key: {name: value for name, value in record.items() if name in known or not name.startswith("custom_")}
            for key, record in table.items()
        }

    def _readers_of(self, stream: str) -> dict[str, Reader]:
        """Return how each property of a stream is read; made once, since accounts are large."""
        if stream not in self._readers:
            schema = json.loads((self._folder / f"{stream}.json").read_text("utf-8"))
            self._readers[stream] = {name: self._reader(part) for name, part in schema["properties"].items()}
        return self._readers[stream]

    def _reader(self, part: dict[str, Any]) -> Reader:
        """Return how a value is read that is not null."""
        if "$ref" in part:
            part = self._shapes[part["$ref"].rsplit("/", 1)[1]]
        if part.get("contentMediaType") == "application/json":
            return lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if part.get("format") in self._formats:
            return self._formats[part["format"]]
        if "number" in part["type"] and "string" not in part["type"]:
            return lambda value: Decimal(str(value))
        if {"string", "object"} <= set(part["type"]):
            return exact
        return self._nested(part)

    def _nested(self, part: dict[str, Any]) -> Reader:
        items = self._reader(part["items"]) if "items" in part else exact
        properties = {name: self._reader(inner) for name, inner in (part.get("properties") or {}).items()}
        if "items" not in part and not properties:
            return exact

        def read(value: Any) -> Any:  # noqa: ANN401 - any JSON
            if isinstance(value, list):
                return [None if item is None else items(item) for item in value]
            if isinstance(value, dict) and properties:
                return {
                    name: None if item is None else properties.get(name, exact)(item) for name, item in value.items()
                }
            return exact(value)

        return read


def exact(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the value with its numbers as they are written, which is how those of a run are parsed."""
    if isinstance(value, str | int):  # most are
        return value
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return Decimal(str(value)) if isinstance(value, float) else value


def compared(truth: dict[Key, Record], table: dict[Key, Record]) -> dict[str, Any]:
    """Return the keys that are missing, surplus or different in a table; empty if it equals the truth."""
    return {
        name: found[:5]
        for name, found in {
            "missing": sorted(truth.keys() - table.keys()),
            "surplus": sorted(table.keys() - truth.keys()),
            "different": [
                (
                    key,
                    {
                        field: (truth[key].get(field), table[key].get(field))
                        for field in truth[key] | table[key]
                        if truth[key].get(field) != table[key].get(field)
                    },
                )
                for key in truth.keys() & table.keys()
                if truth[key] != table[key]
            ],
        }.items()
        if found
    }
