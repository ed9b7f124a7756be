"""What is flattened has a column for each value, whatever the CRM sends and whatever maps make of it."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from tap_crm.errors import ConfigError, ReadError
from tap_crm.shaping.conform import RecordConformer
from tap_crm.shaping.schema import EXTRA
from tap_crm.singer.mapping import Mapper
from tests.unit.raw_records import EVERYTHING, records

ADDRESS = {
    "type": ["object", "null"],
    "properties": {
        "city": {"type": ["string", "null"]},
        "place": {"type": ["object", "null"], "properties": {"x": {"type": ["number", "null"]}}},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Its type is plain.",
    "properties": {
        "id": {"type": "integer"},
        "description": {"type": ["string", "null"]},
        "address": ADDRESS,
        "open": {"type": ["object", "null"], "properties": {}},
        "any": {"type": ["string", "integer", "object", "null"]},
        "list": {"type": ["array", "null"], "items": ADDRESS},
        EXTRA: {"type": ["object", "null"], "properties": {}},
    },
}


def mapped(record: dict[str, Any], schema: dict[str, Any] = SCHEMA, **config: Any) -> Any:
    """Return the schema and what the first map of a stream makes of a record."""
    mapper = Mapper(config, logging.getLogger("test"))
    mapper.register_raw_stream_schema("people", schema, ("id",))
    first = mapper.stream_maps["people"][0]
    return first.transformed_schema, first.transform(record)


def flattened(record: dict[str, Any], depth: int = 2, **config: Any) -> Any:
    """Return a record as it is flattened."""
    return mapped(record, flattening_enabled=True, flattening_max_depth=depth, **config)[1]


@given(raw=records(EVERYTHING))
def test_every_record_fits_its_flattened_schema(raw: dict[str, Any]) -> None:
    """Names and types: numbers that stand where objects may are text there, too."""
    record = RecordConformer(EVERYTHING, frozenset(EVERYTHING["properties"]), "mdy").conform(raw)
    schema, flat = mapped(record, EVERYTHING, flattening_enabled=True, flattening_max_depth=3)
    assert flat.keys() <= schema["properties"].keys()
    Draft202012Validator(schema).validate(flat)
    assert not any(isinstance(value, (dict, list)) for value in flat.values())


def test_a_level_deeper_than_wished_is_json_text() -> None:
    """The levels count from the record down."""
    record = {"id": 1, "address": {"city": "Ulm", "place": {"x": Decimal("1.50")}}}
    assert flattened(record, 1) == {"id": 1, "address__city": "Ulm", "address__place": '{"x":1.50}'}
    assert flattened(record, 2) == {"id": 1, "address__city": "Ulm", "address__place__x": Decimal("1.50")}


def test_an_object_without_declared_fields_is_json_text() -> None:
    """So are lists; a text that stands where an object may stays as it is."""
    record = {"id": 1, "open": {"a": [1]}, "list": [{"city": None}], "any": "text", "description": "x"}
    expected = {"id": 1, "open": '{"a":[1]}', "list": '[{"city":null}]', "any": "text", "description": "x"}
    assert flattened(record) == expected
    assert flattened({"id": 1, "any": 5, "open": None}) == {"id": 1, "any": "5", "open": None}


def test_a_field_that_an_object_has_beyond_its_schema_is_kept() -> None:
    """In `_extra`, under the names that lead to it, beside what is there already."""
    record = {"id": 1, "address": {"city": "Ulm", "zip": 5, "place": {"y": 2}}, EXTRA: {"new": 1}}
    flat = flattened(record)
    assert json.loads(flat.pop(EXTRA)) == {"new": 1, "address": {"zip": 5, "place": {"y": 2}}}
    assert flat == {"id": 1, "address__city": "Ulm"}


def test_an_object_that_is_null_is_null_in_each_of_its_columns() -> None:
    """Else a loader would keep what it had before."""
    assert flattened({"id": 1, "address": None}) == {"id": 1, "address__city": None, "address__place__x": None}


def test_what_a_map_makes_is_flattened() -> None:
    """Maps see objects."""
    record = {"id": 1, "address": {"city": "Ulm"}}
    maps = {"people": {"town": "address['city']", "whole": "record"}}
    flat = flattened(record, stream_maps=maps)
    assert flat == {"id": 1, "address__city": "Ulm", "town": "Ulm", "whole__id": 1, "whole__address__city": "Ulm"}


def test_two_columns_of_one_name_are_refused() -> None:
    """By the names of stream and column, with what to do."""
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "address__city": {"type": ["string", "null"]}}}
    with pytest.raises(ConfigError, match=r"`people`.*address__city.*flattening_separator"):
        mapped({}, schema, flattening_enabled=True, flattening_max_depth=2)


def test_a_key_that_would_get_another_name_is_refused() -> None:
    """Loaders would look for it in vain."""
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "parentId": {"type": "integer"}}}
    mapper = Mapper(
        {"flattening_enabled": True, "flattening_max_depth": 1, "flattening_max_key_length": 4}, logging.getLogger("t")
    )
    with pytest.raises(ConfigError, match=r"`people`.*`parentId`.*flattening_max_key_length"):
        mapper.register_raw_stream_schema("people", schema, ("id", "parentId"))


@pytest.mark.parametrize("expression", ["nme.upper()", "int(name)", "name + 1", "name.nothing()"])
def test_a_map_that_fails_names_its_stream_and_says_nothing_of_the_record(expression: str) -> None:
    """Python's own words would repeat the value."""
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    with pytest.raises(ReadError, match=r"people: the stream map of `people`") as failed:
        mapped({"id": 1, "name": "Nancy"}, schema, stream_maps={"people": {"x": expression}})
    assert "Nancy" not in str(failed.value)


def test_a_map_that_needs_faker_says_so_where_that_is_missing() -> None:
    """The other streams are read."""
    with pytest.raises(ReadError, match=r"pip install .*faker"):
        mapped({"id": 1}, stream_maps={"people": {"name": "fake.name()"}})
