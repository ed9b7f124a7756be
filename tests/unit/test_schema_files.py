"""The schema files: found, whole, and such that every loader can make a table of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tap_crm.contract.stream import AUDIT, WRITES
from tap_crm.providers import PROVIDERS
from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types, load_schema, schema_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.contract.stream import StreamSpec

KEYS = {(provider.name, spec.name): spec.primary_key for provider in PROVIDERS.values() for spec in provider.streams}
KEYS["common", AUDIT] = ("run_id", "stream")
KEYS["common", WRITES] = ("journal_id", "sequence")


def parts_of(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property and every kind of item, at any depth."""
    for name, part in schema.get("properties", {}).items():
        yield f"{path}.{name}", part
        yield from parts_of(part, f"{path}.{name}")
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from parts_of(schema["items"], f"{path}[]")


@cache
def schema_of(provider: str, stream: str) -> dict[str, Any]:
    """Return a stream's schema, which no test here changes."""
    return load_schema(provider, stream)


def test_in_a_checkout_the_schemas_stand_beside_the_package() -> None:
    """So that they are edited where they are read."""
    assert Path(str(schema_directory())) == Path(__file__).parents[2] / "schemas"


def test_there_is_a_file_for_each_stream_and_a_stream_for_each_file() -> None:
    """Neither without the other."""
    files = {
        (folder.name, path.stem)
        for folder in Path(str(schema_directory())).iterdir()
        for path in folder.glob("*.json")
        if not path.name.startswith("_")
    }
    assert files == KEYS.keys()


@pytest.mark.parametrize(("provider", "stream"), KEYS)
class TestEachSchema:
    """What holds for every one."""

    def test_is_a_valid_schema(self, provider: str, stream: str) -> None:
        """By its own draft, which targets need not know."""
        schema = schema_of(provider, stream)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert "$schema" not in schema

    def test_has_every_reference_resolved(self, provider: str, stream: str) -> None:
        """Targets do not follow them."""
        assert "$ref" not in json.dumps(schema_of(provider, stream))

    def test_has_a_type_for_every_property(self, provider: str, stream: str) -> None:
        """A column needs one."""
        for path, part in parts_of(schema_of(provider, stream)):
            assert part.get("type"), path
            assert is_free_form(part) or len(json_types(part)) == 1, path

    def test_has_keys_that_are_never_null(self, provider: str, stream: str) -> None:
        """And nothing else that is promised."""
        properties = schema_of(provider, stream)["properties"]
        keys = KEYS[provider, stream]
        assert keys
        for name, part in properties.items():
            assert ("null" in part["type"]) == (name not in keys), name

    def test_says_what_its_formats_are(self, provider: str, stream: str) -> None:
        """Only those that the shapers know."""
        for path, part in parts_of(schema_of(provider, stream)):
            assert part.get("format", "date") in ("date", "date-time"), path
            assert part.get("contentMediaType", "application/json") == "application/json", path
            if "format" in part or is_json_text(part):
                assert json_types(part) == {"string"}, path


@pytest.mark.parametrize(("provider", "stream"), [key for key in KEYS if key[0] != "common"])
def test_a_crms_stream_has_a_place_for_what_its_schema_does_not_know(provider: str, stream: str) -> None:
    """Nothing is dropped silently."""
    properties = schema_of(provider, stream)["properties"]
    assert list(properties)[-1] == EXTRA
    assert json_types(properties[EXTRA]) == {"object"}


def test_shared_shapes_are_not_shared_in_memory() -> None:
    """A change to one stream's schema must not reach another's."""
    one, other = load_schema("copper", "people"), load_schema("copper", "people")
    one["properties"]["tags"]["items"]["type"] = "changed"
    assert other["properties"]["tags"]["items"]["type"] != "changed"
    assert load_schema("copper", "companies")["properties"]["tags"]["items"]["type"] != "changed"


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["string", "null"]}, {"string"}),
        ({}, set()),
        ({"type": "null"}, set()),
    ],
)
def test_null_is_no_type_of_its_own(schema: dict[str, Any], types: set[str]) -> None:
    """Every column but a key may be null."""
    assert json_types(schema) == types


@pytest.mark.parametrize(("crm", "stream"), [(crm.name, spec) for crm in PROVIDERS.values() for spec in crm.streams])
def test_a_stream_whose_records_tell_their_last_change_declares_it(crm: str, stream: StreamSpec) -> None:
    """What compares a target with the CRM relies on it."""
    known = schema_of(crm, stream.name)["properties"]
    named = [name for name in ("date_modified", "date_updated", "updatedAt", "updated_at") if name in known]
    assert stream.changed == (named[0] if named else None)
