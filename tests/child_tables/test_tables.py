"""Which tables the arrays of a schema become, and what their rows are."""

from __future__ import annotations

from typing import Any

import pytest

from tap_crm.config.child_tables import parse_child_tables
from tap_crm.errors import ConfigError
from tap_crm.shaping.child_tables import arrays_of, check_wishes, child_table, elements_of, wished
from tap_crm.shaping.schema import load_schema

TEXT = {"type": ["string", "null"]}
PEOPLE: dict[str, Any] = {
    "id": {"type": ["integer"], "description": "x"},
    "name": TEXT,
    "address": {"type": ["object", "null"], "properties": {"city": TEXT}},
    "emails": {
        "type": ["array", "null"],
        "items": {"type": ["object", "null"], "properties": {"email": {"type": "string"}, "_position": TEXT}},
    },
    "tags": {"type": ["array", "null"], "items": TEXT},
    "opens": {"type": ["array", "null"], "items": {"type": ["object", "null"], "properties": {}}},
    "anything": {"type": ["array", "null"], "items": {}},
    "notes": {"type": ["string", "null"], "contentMediaType": "application/json"},
}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("*", ("*",)),
        (["emails", "people.tags", "emails"], ("emails", "people.tags")),
        ('["emails", "tags"]', ("emails", "tags")),
        ('"*"', ("*",)),
        ("emails, tags", ("emails", "tags")),
    ],
)
def test_the_setting_is_a_list_or_text(value: Any, names: tuple[str, ...]) -> None:  # noqa: ANN401 - any JSON
    """As a config file, Meltano and the environment have it."""
    assert parse_child_tables(value, "child_tables") == names


@pytest.mark.parametrize("value", [1, True, {"emails": 1}, [1], [""], "{}", "[", '{"a": 1}'])
def test_a_setting_of_another_form_is_refused(value: Any) -> None:  # noqa: ANN401 - any JSON
    """One line that names the setting."""
    with pytest.raises(ConfigError, match="the setting `child_tables`"):
        parse_child_tables(value, "child_tables")


def test_only_arrays_become_tables() -> None:
    """No object, and no text that holds JSON."""
    assert arrays_of(PEOPLE) == ["emails", "tags", "opens", "anything"]


@pytest.mark.parametrize(
    ("wish", "is_meant"),
    [
        ("*", True),
        ("emails", True),
        ("people.emails", True),
        ("people.*", True),
        ("people__emails", True),
        ("leads.emails", False),
        ("email", False),
        ("tags", False),
    ],
)
def test_an_array_is_named_alone_or_with_its_stream(wish: str, *, is_meant: bool) -> None:
    """A star stands for any text."""
    assert wished("people", "emails", [wish]) == is_meant


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("emials", "no stream has an array `emials`; did you mean `emails`?"),
        ("people.emials", "no stream has an array `people.emials`; did you mean `people.emails`?"),
        ("peopel.emails", "there is no stream `peopel`; did you mean `people`?"),
        ("address", "`address` of people is no array, but an object"),
        ("people.name", "`name` of people is no array, but one value"),
    ],
)
def test_a_name_that_is_none_of_an_array_is_refused(wish: str, says: str) -> None:
    """With the nearest one that is."""
    with pytest.raises(ConfigError) as caught:
        check_wishes(["emails", wish], {"people": PEOPLE})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_objects_have_a_column_for_each_property() -> None:
    """Beside the parent's key and the place; all may be null; a property with the name of one of these is set apart."""
    table = child_table("people", ("id",), PEOPLE, "emails")
    assert table.stream == "people__emails"
    assert table.primary_key == ("people_id", "_position")
    properties = table.schema["properties"]
    assert list(properties) == [
        *("people_id", "_position", "email", "element__position", "_sdc_deleted_at", "_extra"),
    ]
    assert properties["people_id"]["type"] == ["integer"]
    assert properties["email"]["type"] == ["string", "null"]
    assert table.rows({"people_id": 1}, [{"email": "a", "_position": "x"}, None, "odd"], None) == [
        {"email": "a", "element__position": "x", "people_id": 1, "_position": 0},
        {"people_id": 1, "_position": 1},
        {"value": "odd", "people_id": 1, "_position": 2},
    ]


@pytest.mark.parametrize(
    ("array", "types"),
    [("tags", ["string", "null"]), ("opens", ["object", "null"]), ("anything", ["string", "null"])],
)
def test_anything_else_is_a_value(array: str, types: list[str]) -> None:
    """An object whose properties nobody declared stays one; what may be anything is JSON text."""
    table = child_table("people", ("id",), PEOPLE, array)
    assert list(table.schema["properties"]) == ["people_id", "_position", "value", "_sdc_deleted_at", "_extra"]
    assert table.schema["properties"]["value"]["type"] == types
    assert table.rows({"people_id": 1}, ["a"], "2026-01-01T00:00:00Z") == [
        {"value": "a", "people_id": 1, "_position": 0, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}
    ]


def test_a_key_of_several_fields_is_kept_whole() -> None:
    """Each field has a column that names the stream; a leading underscore is not doubled."""
    properties = load_schema("copera", "pipelines")["properties"]
    table = child_table("pipelines", ("table", "columnId"), properties, "stages")
    assert table.primary_key == ("pipelines_table", "pipelines_columnId", "_position")
    assert child_table("boards", ("_id",), {"_id": TEXT, "tags": PEOPLE["tags"]}, "tags").keys == {"_id": "boards_id"}


def test_a_long_name_stays_within_what_loaders_keep() -> None:
    """Two that begin alike stay two."""
    names = [
        child_table("b" * 60, ("id",), {**PEOPLE, "tagt": PEOPLE["tags"]}, name).stream for name in ("tags", "tagt")
    ]
    assert all(len(name) == 63 for name in names)
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("value", "elements", "is_array"),
    [(None, [], True), ([], [], True), ([1, None], [1, None], True), ("odd", ["odd"], False), ({}, [{}], False)],
)
def test_what_is_no_array_is_its_only_element(value: Any, elements: list[Any], *, is_array: bool) -> None:  # noqa: ANN401
    """Nothing is lost, and it can be told."""
    assert elements_of(value) == (elements, is_array)


def test_secrets_stay_masked() -> None:
    """As in the parent."""
    assert elements_of([{"a": "secret"}, "secret"], masked=True)[0] == [{"a": "********"}, "********"]
