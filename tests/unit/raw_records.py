"""Records as an API may send them, made from a stream's schema: what fits, what nearly fits, and what does not."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import json
import string
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types, load_schema, schema_directory

#: A schema with whatever a file may declare, at every depth, so that the shapers are not tied to Copper's files.
EVERYTHING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "when": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "amount": {"type": ["number", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "anything": {"type": ["string", "integer", "number", "boolean", "array", "object", "null"]},
        "as_text": {"type": ["string", "null"], "contentMediaType": "application/json"},
        "free_object": {"type": ["object", "null"], "properties": {}},
        "free_list": {"type": ["array", "null"], "items": {}},
        "times": {"type": ["array", "null"], "items": {"type": ["string", "null"], "format": "date-time"}},
        "days": {"type": ["array", "null"], "items": {"type": ["string", "null"], "format": "date"}},
        "amounts": {"type": ["array", "null"], "items": {"type": ["number", "null"]}},
        "nested": {
            "type": ["object", "null"],
            "properties": {
                "when": {"type": ["string", "null"], "format": "date-time"},
                "amount": {"type": ["number", "null"]},
                "as_text": {"type": ["string", "null"], "contentMediaType": "application/json"},
            },
        },
        "plain_nested": {
            "type": ["object", "null"],
            "properties": {
                "count": {"type": ["integer", "null"]},
                "names": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
                "flag": {"type": ["boolean", "null"]},
                "value": {"type": ["string", "object", "null"]},
            },
        },
        EXTRA: {"type": ["object", "null"], "properties": {}, "additionalProperties": True},
    },
}


def all_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of every Copper stream, and the one that has everything."""
    names = sorted(path.name.removesuffix(".json") for path in (schema_directory() / "copper").iterdir())
    found = {name: load_schema("copper", name) for name in names if not name.startswith("_")}
    return {**found, "everything": EVERYTHING}


#: Of how many optional fields a record has some: all of a large schema would only be slow.
FIELDS = 4
NOTHING_NEW: list[dict[str, Any]] = [{}, {EXTRA: {"theirs": 1}}, {EXTRA: "text"}]

WORDS = (
    *("", " ", "null", "NULL", "Nancy", "information", "nan", "Infinity", "-inf", "sNaN1", "1_000", "true", "FALSE"),
    *("yes", "0", "1", "-7", "5.0", "1e3", " 12 ", "١٢", "2026-01-02", "1/31/2026", "31/1/2026", "\u2028🙂", "a\nb"),
)
TEXTS = st.text(max_size=12) | st.sampled_from(WORDS)
BIG_INTEGERS = st.integers(-(10**40), 10**40) | st.sampled_from([2**53 + 1, 2**63, -(2**63), 2**64, 10**15, 10**15 + 1])
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9) | (
    st.sampled_from([Decimal(text) for text in ("0.1", "5.0", "1E+3", "-0.0", "1E-7", "9007199254740993.0", "1E+400")])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | BIG_INTEGERS | DECIMALS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
EPOCHS = st.integers(-62_135_596_800, 253_402_300_799) | st.integers(0, 2_000_000_000)
ISO_TEXTS = st.builds(
    "{}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
    st.sampled_from(["0001", "1969", "2026", "9999"]),
    st.integers(1, 12),
    st.integers(1, 28),
    st.sampled_from(["T", "T", " ", "t"]),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 60),
    st.sampled_from(["", ".5", ".123", ".123456", ".1234567"]),
    st.sampled_from(["Z", "Z", "+00:00", "-00:00", "+02:00", "-11:30", "", "+0530"]),
)
MOMENTS = (
    EPOCHS
    | st.decimals(min_value=-(10**9), max_value=10**10, allow_nan=False, places=7)
    | EPOCHS.map(str)
    | ISO_TEXTS
    | st.sampled_from(["null", "1/31/2026", "31/1/2026", "2026-01-02", 10**12, 253_402_300_800, -62_135_596_801])
)


def plain(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values as the API documents them: the fast path must take these."""
    return _values(schema, careful=False)


def odd(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values of every kind: mostly fitting, also in other forms than documented, or not fitting at all."""
    return _values(schema, careful=True)


def _values(schema: dict[str, Any], *, careful: bool) -> st.SearchStrategy[Any]:
    fitting = _fitting(schema, careful=careful)
    return st.one_of(fitting, fitting, fitting, st.none(), JSON) if careful else st.none() | fitting


def _fitting(schema: dict[str, Any], *, careful: bool) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a table
    if is_json_text(schema) or is_free_form(schema):
        return JSON
    types = json_types(schema)
    if schema.get("format") in ("date-time", "date"):
        documented = EPOCHS if schema["format"] == "date-time" else st.sampled_from(["1/31/2026", "12/1/1999"])
        return MOMENTS if careful else documented
    if "string" in types:
        return TEXTS
    if "array" in types:
        return st.lists(_values(schema.get("items") or {}, careful=careful), max_size=3)
    if "object" in types:
        return _objects(schema, careful=careful)
    if "boolean" in types:
        return st.sampled_from([True, False, 0, 1, "true", "0"] if careful else [True, False])
    if "number" in types:
        return DECIMALS | BIG_INTEGERS | (DECIMALS.map(str) if careful else st.nothing())
    small = st.integers(-(10**15), 10**15)
    return small | BIG_INTEGERS | small.map(Decimal) | small.map(str) | DECIMALS if careful else small


def _objects(schema: dict[str, Any], *, careful: bool) -> st.SearchStrategy[dict[str, Any]]:
    properties = schema.get("properties") or {}
    known = {name: _values(part, careful=careful) for name, part in properties.items()}
    if not known:
        return st.dictionaries(TEXTS, JSON, max_size=3)
    declared = st.fixed_dictionaries({}, optional=known)
    return declared | st.builds(dict.__or__, declared, unknown_fields()) if careful else declared


def unknown_fields() -> st.SearchStrategy[dict[str, Any]]:
    """Return fields that no schema knows."""
    names = st.text(string.ascii_lowercase, min_size=12, max_size=12) | st.sampled_from(["Id", "namé", "new\nfield"])
    return st.dictionaries(names, JSON, max_size=2)


def records(schema: dict[str, Any], *, careful: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Return whole records whose non-null fields, the keys, are sound: readings check that before."""
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for name, part in schema["properties"].items():
        if name == EXTRA:
            continue
        if "null" in part.get("type", ()):
            optional[name] = odd(part) if careful else plain(part)
        else:
            required[name] = st.integers(1, 10**11) if part["type"] == "integer" else st.text(max_size=8)
    unknown = unknown_fields()

    @st.composite
    def a_record(draw: st.DrawFn) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(sorted(optional)), unique=True, max_size=FIELDS)) if optional else []
        record = {name: draw(value) for name, value in required.items()}
        record |= {name: draw(optional[name]) for name in chosen}
        if careful:
            record |= draw(st.sampled_from(NOTHING_NEW)) or draw(unknown)
        return record

    return a_record()


def loads(text: bytes | str) -> Any:
    """Parse JSON with every number exact."""
    return json.loads(text, parse_float=Decimal)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; true is not 1, 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)
