"""What Copper's server does with written values and definitions of custom fields."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox

KEY = "custom_field_definition_id"
IDS = {
    "String": 126_240,
    "Text": 126_243,
    "URL": 126_246,
    "Dropdown": 126_249,
    "MultiSelect": 126_252,
    "Date": 126_255,
    "Checkbox": 126_258,
    "Float": 126_261,
    "Currency": 126_264,
    "Percentage": 126_267,
}


def _values(record: dict[str, Any]) -> dict[int, Any]:
    return {one[KEY]: one["value"] for one in record["custom_fields"]}


def _written(client: Client, number: int, kind: str, value: object) -> Any:  # noqa: ANN401
    return client.put(f"people/{number}", {"custom_fields": [{KEY: IDS[kind], "value": value}]})


@pytest.fixture
def person(client: Client) -> int:
    number: int = client.post("people", {"name": "Ada"}).json()["id"]
    return number


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("String", "0042", "0042"),
        ("Text", "two\nlines", "two\nlines"),
        ("URL", "https://x.example", "https://x.example"),
        ("Dropdown", 700_122, 700_122),
        ("MultiSelect", [700_164, 700_162, 700_164], [700_164, 700_162]),
        ("Date", 86_400 * 5 + 7, 86_400 * 5),
        ("Date", -86_400, -86_400),
        ("Checkbox", True, True),
        ("Float", 5, 5.0),
        ("Currency", 0.1, 0.1),
        ("Percentage", 100, 100),
    ],
)
def test_a_value_of_each_kind_is_kept_and_null_clears_it(
    client: Client, person: int, kind: str, value: object, kept: object
) -> None:
    empty = _values(client.get(f"people/{person}").json())[IDS[kind]]
    assert _values(_written(client, person, kind, value).json())[IDS[kind]] == kept
    assert _values(client.get(f"people/{person}").json())[IDS[kind]] == kept
    assert _values(_written(client, person, kind, None).json())[IDS[kind]] == empty
    assert empty == {"Checkbox": False, "MultiSelect": []}.get(kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", 42),
        ("Dropdown", "California"),
        ("Dropdown", [700_120]),
        ("Dropdown", 1),
        ("MultiSelect", 700_160),
        ("MultiSelect", ["California"]),
        ("Date", "2026-01-14"),
        ("Date", "1/14/2026"),
        ("Checkbox", 1),
        ("Float", "5"),
        ("Percentage", 5.5),
        ("Percentage", True),
    ],
)
def test_a_value_of_another_kind_is_refused(client: Client, person: int, kind: str, value: object) -> None:
    assert _written(client, person, kind, value).status_code == 422


@pytest.mark.parametrize(("knob", "stays"), [("kept", True), ("cleared", False)])
def test_fields_that_are_not_listed_are_kept_or_cleared(
    client: Client, app: CopperSandbox, person: int, knob: Literal["kept", "cleared"], stays: bool
) -> None:
    app.behaviour.unlisted_custom_fields = knob
    _written(client, person, "String", "x")
    held = _values(_written(client, person, "Text", "y").json())
    assert held[IDS["Text"]] == "y"
    assert (held[IDS["String"]] == "x") is stays
    assert not any(_values(client.put(f"people/{person}", {"custom_fields": None}).json()).values())


def test_entries_have_two_keys_and_come_once(client: Client, app: CopperSandbox, person: int) -> None:
    one = {KEY: IDS["Dropdown"], "value": 700_120, "computed_value": "California"}
    assert client.put(f"people/{person}", {"custom_fields": [one]}).status_code == 422
    app.behaviour.unwritable = "ignored"
    assert client.put(f"people/{person}", {"custom_fields": [one]}).status_code == 200
    twice = [{KEY: IDS["String"], "value": text} for text in "ab"]
    assert client.put(f"people/{person}", {"custom_fields": twice}).status_code == 422
    assert client.put(f"people/{person}", {"custom_fields": [{KEY: IDS["String"]}]}).status_code == 422


@pytest.mark.parametrize("knob", ["refused", "ignored", "written"])
def test_connect_values_are_refused_ignored_or_written(
    client: Client, app: CopperSandbox, person: int, knob: Literal["refused", "ignored", "written"]
) -> None:
    app.behaviour.connect_values = knob
    company = app.account.ids("companies")[0]
    answer = client.put(f"people/{person}", {"custom_fields": [{KEY: 126_270, "value": [company]}]})
    assert answer.status_code == (422 if knob == "refused" else 200)
    assert _values(client.get(f"people/{person}").json())[126_270] == ([company] if knob == "written" else None)
    answer = client.put(f"people/{person}", {"custom_fields": [{KEY: 126_270, "value": [5]}]})
    assert answer.status_code == (200 if knob == "ignored" else 422)


def test_answers_to_writes_have_the_names_of_options_if_asked(client: Client) -> None:
    body = {"name": "Ada", "custom_fields": [{KEY: IDS["MultiSelect"], "value": [700_160]}]}
    answer = client.post("people", body, custom_field_computed_values="true")
    shown = {one[KEY]: one.get("computed_value") for one in answer.json()["custom_fields"]}
    assert shown[IDS["MultiSelect"]] == ["California"]


def test_a_definition_is_made_changed_used_and_removed(client: Client, app: CopperSandbox) -> None:
    body = {"name": "Key", "data_type": "Dropdown", "available_on": ["lead"], "options": [{"name": "a"}, {"name": "b"}]}
    made = client.post("custom_field_definitions", body).json()
    assert [one["name"] for one in made["options"]] == ["a", "b"]
    assert client.get(f"custom_field_definitions/{made['id']}").json() == made
    entry = {KEY: made["id"], "value": made["options"][1]["id"]}
    lead = client.post("leads", {"name": "Ada", "custom_fields": [entry]}).json()
    assert client.post("people", {"name": "Ada", "custom_fields": [entry]}).status_code == 422, "only leads have it"
    changes = {"name": "Other", "is_filterable": False, "options": [{"id": made["options"][0]["id"], "name": "A"}]}
    changed = client.put(f"custom_field_definitions/{made['id']}", changes).json()
    assert (changed["name"], changed["is_filterable"]) == ("Other", False)
    assert [one["name"] for one in changed["options"]] == ["A", "b"]
    app.behaviour.unlisted_options = "removed"
    changed = client.put(f"custom_field_definitions/{made['id']}", changes).json()
    assert [one["name"] for one in changed["options"]] == ["A"]
    assert client.delete(f"custom_field_definitions/{made['id']}").status_code == 200
    assert made["id"] not in _values(client.get(f"leads/{lead['id']}").json())


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"data_type": "Number"},
        {"available_on": ["leads"]},
        {"available_on": []},
        {"options": [{"name": "a"}]},
        {"is_filterable": "yes"},
        {"rank": 1},
    ],
)
def test_a_definition_that_is_not_documented_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    body = {"name": "Key", "data_type": "String", "available_on": ["lead"]}
    assert client.post("custom_field_definitions", body | wrong).status_code == 422


def test_nobody_but_the_writer_gives_a_new_field_a_value(client: Client, app: CopperSandbox) -> None:
    body = {"name": "Key", "data_type": "String", "available_on": ["person"]}
    made = client.post("custom_field_definitions", body).json()
    edited = app.account.edit("people", count=20) + app.account.create("people", count=20)
    assert all(made["id"] not in _values(app.account.record("people", number)) for number in edited)
