"""What is left of a catalog where streams are not read, and which settings need no check by a library."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.singer.catalog_checks import without_idle
from tap_crm.singer.sdk_settings import fits_plainly

PROPERTIES = {"id": {"type": "integer"}, "at": {"type": "string"}, "name": {"type": "string"}}


def entry(name: str, **root: Any) -> dict[str, Any]:  # noqa: ANN401 - any metadata
    keys = {"table-key-properties": ["id"], "valid-replication-keys": ["at"]}
    field = {"breadcrumb": ["properties", "name"], "metadata": {"selected": True}}
    return {
        "tap_stream_id": name,
        "schema": {"type": "object", "properties": PROPERTIES},
        "metadata": [field, {"breadcrumb": [], "metadata": {**keys, **root}}],
    }


def left(catalog: list[dict[str, Any]], *, fields: bool = False) -> dict[str, dict[str, Any]]:
    return {one["tap_stream_id"]: one for one in without_idle({"streams": catalog}, fields=fields)["streams"]}


def test_a_stream_that_is_not_read_keeps_its_keys_and_what_is_said_of_it_as_a_whole() -> None:
    (found,) = left([entry("people", selected=False)]).values()
    assert found["schema"]["properties"].keys() == {"id", "at"}
    assert [part["breadcrumb"] for part in found["metadata"]] == [[]]


def test_its_fields_stay_where_rules_may_name_them() -> None:
    (found,) = left([entry("people", selected=False)], fields=True).values()
    assert len(found["metadata"]) == 2


@pytest.mark.parametrize(
    "root", [{}, {"selected": True}, {"selected": None}, {"selected": False, "inclusion": "automatic"}]
)
def test_a_stream_that_may_be_read_stays_as_it_is(root: dict[str, Any]) -> None:
    assert left([entry("people", **root)]) == {"people": entry("people", **root)}


def test_the_parent_of_a_child_table_that_is_read_stays_as_it_is() -> None:
    found = left([entry("people", selected=False), entry("people__emails", selected=True)])
    assert found["people"] == entry("people", selected=False)


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=2)
values = st.recursive(
    scalars, lambda one: st.lists(one, max_size=2) | st.dictionaries(st.sampled_from("ab"), one), max_leaves=4
)
types = st.sampled_from(["string", "number", "integer", "boolean", "array", "object", "null"])
words = st.fixed_dictionaries(
    {},
    optional={
        "type": types | st.lists(types, min_size=1, unique=True),
        "enum": st.lists(scalars, min_size=1, max_size=3),
    },
)
schemas = st.recursive(
    words,
    lambda one: st.builds(
        lambda part, more: {**part, **more},
        words,
        st.fixed_dictionaries(
            {},
            optional={"items": one, "properties": st.dictionaries(st.sampled_from("ab"), one), "minLength": st.just(1)},
        ),
    ),
    max_leaves=3,
)


@given(values, schemas)
def test_what_fits_plainly_fits_by_the_library_too(value: Any, schema: dict[str, Any]) -> None:  # noqa: ANN401
    if fits_plainly(value, schema):
        jsonschema.validate(value, schema)


@pytest.mark.parametrize("value", ["mdy", 3, 2.5, True, None, ["a"], {"a": 1}])
def test_plain_settings_need_no_library(value: Any) -> None:  # noqa: ANN401
    every = {"type": ["string", "number", "boolean", "null", "array", "object"], "items": {"type": "string"}}
    assert fits_plainly(value, every)
