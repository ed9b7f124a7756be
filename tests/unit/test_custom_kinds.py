"""Kinds of custom fields: which type a column has, for every kind that Copper and Close document, and for others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tap_crm.shaping.custom.fields import ANY, BOOLEAN, DATE, LIST, MOMENT, NUMBER, TEXT, Schema, list_of
from tests.unit.raw_records import close_definitions, close_fields, copper_definitions, copper_fields

COPPER: dict[str, Schema] = {
    **dict.fromkeys(("String", "Text", "URL", "Dropdown"), TEXT),
    "MultiSelect": list_of(TEXT),
    "Date": DATE,
    "Checkbox": BOOLEAN,
    **dict.fromkeys(("Float", "Currency", "Percentage"), NUMBER),
    "Connect": LIST,
    "Rocket": ANY,
}
CLOSE: dict[str, Schema] = {
    **dict.fromkeys(("text", "textarea", "hidden", "url", "email", "choices"), TEXT),
    **dict.fromkeys(("user", "contact", "custom_object"), TEXT),
    "number": NUMBER,
    "date": DATE,
    "datetime": MOMENT,
}


def copper(**definition: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of JSON
    """Return a definition of Copper."""
    return {"id": 7, "name": "Region", "data_type": "String", "available_on": ["task"], **definition}


def close(**definition: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a definition of Close."""
    return {"id": "cf_1", "name": "Region", "type": "text", "accepts_multiple_values": False, **definition}


@pytest.mark.parametrize(("kind", "schema"), COPPER.items())
def test_a_kind_of_copper_has_its_type(kind: str, schema: Schema) -> None:
    """One that nobody documented is JSON text."""
    (one,) = copper_fields([copper(data_type=kind)])
    assert (one.kind, one.schema) == (kind, schema)


@pytest.mark.parametrize(("kind", "schema"), CLOSE.items())
def test_a_kind_of_close_has_its_type(kind: str, schema: Schema) -> None:
    """A list of it, where the field takes several values."""
    one, many = close_fields([close(type=kind), close(id="cf_2", type=kind, accepts_multiple_values=True)])
    assert (one.schema, many.schema) == (schema, list_of(schema))
    assert (one.kind, many.kind) == (kind, f"{kind}, several values")


@pytest.mark.parametrize("many", [False, True])
def test_a_kind_of_close_that_nobody_documented_is_json_text(many: bool) -> None:
    """A list of values, too: it is one text."""
    (one,) = close_fields([close(type="rocket", accepts_multiple_values=many)])
    assert one.schema == ANY
    assert "JSON text" in one.property()["description"]


@pytest.mark.parametrize("kind", ["Dropdown", "MultiSelect"])
def test_options_of_copper_have_labels(kind: str) -> None:
    """One without a name is called by its id; one without an id is none."""
    options = [{"id": 1, "name": "S"}, {"id": 2}, {"name": "no id"}, "text", {"id": 3, "name": ""}]
    (one,) = copper_fields([copper(data_type=kind, options=options)])
    assert one.options == {1: "S", 2: "2", 3: ""}
    assert list(one.choices) == ["1 S", "2 2", "3 "]


def test_only_kinds_with_options_have_labels() -> None:
    """A number that happens to be the id of an option stays a number."""
    (one,) = copper_fields([copper(data_type="Float", options=[{"id": 1, "name": "S"}])])
    assert one.options is None


def test_choices_of_close_are_labels_already() -> None:
    """The description lists them."""
    (one,) = close_fields([close(type="choices", choices=["a", "b"])])
    assert one.options is None
    assert "Options: a; b." in one.property()["description"]


def test_a_field_of_copper_belongs_to_the_objects_that_it_names() -> None:
    """And to no other; one that names none belongs to all."""
    definitions = [copper(id=1), copper(id=2, available_on=["lead"]), copper(id=3, available_on=None)]
    assert [one.key for one in copper_fields(definitions)] == [1, 3]


def test_a_shared_field_of_close_belongs_to_the_kinds_that_it_names() -> None:
    """One that names none belongs to all."""
    shared = [
        close(id="cf_lead", associations=[{"object_type": "lead"}]),
        close(id="cf_activity", associations=[{"object_type": "custom_activity_type"}, "odd"]),
        close(id="cf_nobody", associations=[]),
        close(id="cf_all", associations=None),
    ]
    of = {kind: {one.key for one in close_fields([], kind, shared)} for kind in ("lead", "activity", "contact")}
    assert of == {"lead": {"cf_lead", "cf_all"}, "activity": {"cf_activity", "cf_all"}, "contact": {"cf_all"}}


def test_a_shared_field_that_is_also_listed_for_its_kind_is_one_field() -> None:
    """By its id."""
    assert [one.key for one in close_fields([close()], "lead", [close(associations=None)])] == ["cf_1"]


@given(copper_definitions, close_definitions)
def test_any_definition_is_a_property(of_copper: list[dict[str, Any]], of_close: list[dict[str, Any]]) -> None:
    """Titled with the name that people gave the field."""
    for definition, one in [
        *zip(of_copper, copper_fields(of_copper), strict=True),
        *zip(of_close, close_fields(of_close), strict=True),
    ]:
        schema = one.property()
        assert "null" in schema["type"]
        assert schema["title"] == definition["name"]
        assert str(definition["id"]) in schema["description"]
        assert one.kind.partition(",")[0] in schema["description"]
