"""The careful path: every record fits its schema, and nothing is lost."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tap_crm.shaping.conform import MASK, RecordConformer, compile_conform, mask
from tap_crm.shaping.moments import Unfit
from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types
from tests.unit.raw_records import EVERYTHING, JSON, all_schemas, loads, records, same

SCHEMAS = all_schemas()
ODD = {name: records(schema) for name, schema in SCHEMAS.items()}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
ENCODER = msgspec.json.Encoder(decimal_format="number")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def conformer(schema: dict[str, Any], **options: Any) -> RecordConformer:
    """Return a conformer that wants every field."""
    options.setdefault("wanted", frozenset(schema["properties"]))
    return RecordConformer(schema, date_order="mdy", **options)


def says_the_same(raw: Any, shaped: Any, schema: dict[str, Any]) -> bool:  # noqa: PLR0911 - a table
    """Tell whether a shaped value is the raw one, in the form that the schema declares."""
    types = json_types(schema)
    if raw is None or (raw in ("null", "NULL") and shaped is None):
        return shaped is None
    if is_json_text(schema):
        return same(loads(shaped), raw)
    if is_free_form(schema):
        return same(raw, shaped)
    if schema.get("format") in ("date-time", "date"):
        return bool((MOMENT if schema["format"] == "date-time" else DAY).fullmatch(shaped))
    if "string" in types:
        return isinstance(shaped, str) and shaped == str(raw)
    if "array" in types:
        item = schema.get("items") or {}
        return len(raw) == len(shaped) and all(says_the_same(a, b, item) for a, b in zip(raw, shaped, strict=True))
    if "object" in types:
        parts = schema.get("properties") or {}
        return raw.keys() == shaped.keys() and all(says_the_same(raw[n], shaped[n], parts.get(n, {})) for n in raw)
    if "boolean" in types:
        return isinstance(shaped, bool) and str(raw).lower() in (("1", "true") if shaped else ("0", "false"))
    return not isinstance(shaped, bool) and Decimal(raw) == shaped


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=8)
@given(data=st.data())
def test_every_record_fits_its_schema_and_nothing_is_lost(name: str, data: st.DataObject) -> None:
    """Whatever the API sends: a field is there as declared, or whole in `_extra`."""
    schema = SCHEMAS[name]
    raw = loads(ENCODER.encode(data.draw(ODD[name])))
    shaper = conformer(schema)
    shaped = shaper.conform(raw)

    VALIDATORS[name].validate(shaped)
    assert shaped.keys() <= schema["properties"].keys()
    extra = shaped.get(EXTRA) or {}
    for field, value in raw.items():
        if field in extra:
            assert same(extra[field], value)
            assert field == EXTRA or shaped.get(field) is None
        else:
            assert says_the_same(value, shaped[field], schema["properties"][field])
    assert extra.keys() <= raw.keys()
    assert shaper.misfits == {field: 1 for field in extra if field in schema["properties"] and field != EXTRA}


@settings(max_examples=25)
@given(raw=records(EVERYTHING), data=st.data())
def test_a_field_that_is_not_wanted_does_not_appear(raw: dict[str, Any], data: st.DataObject) -> None:
    """Neither by its name nor, unfit, in `_extra`."""
    names = sorted(EVERYTHING["properties"])
    wanted = frozenset(data.draw(st.sets(st.sampled_from(names))))
    shaped = conformer(EVERYTHING, wanted=wanted).conform(loads(ENCODER.encode(raw)))
    assert shaped.keys() <= wanted
    assert not (shaped.get(EXTRA) or {}).keys() & (set(names) - wanted - {EXTRA})


def test_a_field_that_the_source_itself_calls_extra_is_kept() -> None:
    """It is an unknown field like any other."""
    raw = {"id": 1, EXTRA: {"theirs": 1}, "new": 2}
    assert conformer(EVERYTHING).conform(raw) == {"id": 1, EXTRA: {EXTRA: {"theirs": 1}, "new": 2}}


def test_misfits_are_counted_by_field() -> None:
    """They are told to the user once per stream."""
    shaper = conformer(EVERYTHING)
    for value in ("x", 1, "y"):
        shaper.conform({"id": 1, "amount": value, "flag": "perhaps"})
    assert shaper.misfits == {"amount": 2, "flag": 3}


def test_absent_stays_absent_and_null_stays_null() -> None:
    """The API's difference between the two is kept."""
    assert conformer(EVERYTHING).conform({"id": 1, "when": None}) == {"id": 1, "when": None}


def test_a_list_with_one_misfit_is_kept_whole() -> None:
    """Half a list would be a lie."""
    raw = {"id": 1, "times": [0, "never"]}
    assert conformer(EVERYTHING).conform(raw) == {"id": 1, "times": None, EXTRA: {"times": [0, "never"]}}


@pytest.mark.parametrize(
    ("declared", "value", "shaped"),
    [
        ({"type": "integer"}, "5", 5),
        ({"type": "integer"}, Decimal("5.0"), 5),
        ({"type": "integer"}, 2**64, 2**64),
        ({"type": "integer"}, Decimal("9007199254740993.0"), 9_007_199_254_740_993),
        ({"type": "integer"}, "null", None),
        ({"type": "number"}, "250000.0", Decimal("250000.0")),
        ({"type": "number"}, Decimal("0.10000000000000000001"), Decimal("0.10000000000000000001")),
        ({"type": "number"}, "null", None),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, 0, False),
        ({"type": "boolean"}, "null", None),
        ({"type": "string"}, 5, "5"),
        ({"type": "string"}, "null", "null"),
        ({"type": "string", "format": "date"}, "1/31/2026", "2026-01-31"),
        ({"type": "string", "format": "date-time"}, 0, "1970-01-01T00:00:00Z"),
        ({"type": "string", "format": "date-time"}, "null", None),
        ({"type": "string", "contentMediaType": "application/json"}, {"a": [1, None]}, '{"a":[1,null]}'),
        ({"type": "string", "contentMediaType": "application/json"}, "text", '"text"'),
        ({"type": "string", "contentMediaType": "application/json"}, None, None),
        ({}, {"any": "thing"}, {"any": "thing"}),
    ],
)
def test_values_in_another_form_are_understood(declared: dict[str, Any], value: object, shaped: object) -> None:
    """APIs write one thing in several ways."""
    result = compile_conform(declared, "mdy")(value)
    assert same(result, shaped)


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"type": "integer"}, True),
        ({"type": "integer"}, Decimal("5.5")),
        ({"type": "integer"}, "five"),
        ({"type": "integer"}, ""),
        ({"type": "integer"}, Decimal("1E+999999999")),
        ({"type": "number"}, "NaN"),
        ({"type": "number"}, "Infinity"),
        ({"type": "number"}, [1]),
        ({"type": "number"}, False),
        ({"type": "boolean"}, 2),
        ({"type": "boolean"}, "yes"),
        ({"type": "boolean"}, Decimal("1.0")),
        ({"type": "string"}, True),
        ({"type": "string"}, {"a": 1}),
        ({"type": "object", "properties": {}}, "text"),
        ({"type": "object", "properties": {"n": {"type": "integer"}}}, {"n": "x"}),
        ({"type": "array", "items": {}}, {"a": 1}),
        ({"type": "string", "format": "date-time"}, [2026]),
    ],
)
def test_what_does_not_fit_is_told(declared: dict[str, Any], value: object) -> None:
    """Never bent until it fits: the SDK makes True of the text "false"."""
    with pytest.raises(Unfit):
        compile_conform(declared, "mdy")(value)


def leaves(value: Any) -> list[Any]:
    """Return every leaf of a JSON value."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def names_of(value: Any) -> list[Any]:
    """Return the structure of a JSON value without its leaves."""
    if isinstance(value, dict):
        return [[name, names_of(part)] for name, part in value.items()]
    return [names_of(part) for part in value] if isinstance(value, list) else []


@given(JSON)
def test_a_mask_hides_every_leaf_at_any_depth(value: Any) -> None:
    """Names stay, so that one sees what is set; null stays, since it hides nothing."""
    hidden = mask(value)
    assert names_of(hidden) == names_of(value)
    assert all(
        after is None if before is None else after == MASK
        for before, after in zip(leaves(value), leaves(hidden), strict=True)
    )


@given(secret=JSON)
def test_a_secret_of_any_shape_is_never_emitted(secret: Any) -> None:
    """Where it does not fit its type, `_extra` holds the mask, too."""
    shaper = conformer(SCHEMAS["webhooks"], masked=frozenset({"secret", "headers", "unknown_to_the_schema"}))
    shaped = shaper.conform({"id": 1, "secret": secret, "headers": [secret], "unknown_to_the_schema": secret})
    assert all(leaf in (1, None, MASK) for leaf in leaves(shaped))
