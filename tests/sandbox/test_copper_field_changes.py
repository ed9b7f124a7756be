"""Custom field definitions come, change and go, and the values of records follow."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperAccount, CopperSandbox

SEARCHED = ("people", "companies", "leads", "opportunities", "projects", "tasks")


def definition(account: CopperAccount, data_type: str) -> dict[str, Any]:
    """Give the first definition of a kind."""
    return next(one for one in account.records("custom_field_definitions") if one["data_type"] == data_type)


def held(account: CopperAccount, name: str, number: int) -> dict[int, Any]:
    """Give the values that records hold of a definition, by the records' ids."""
    return {
        record["id"]: entry["value"]
        for record in account.records(name)
        for entry in record["custom_fields"]
        if entry["custom_field_definition_id"] == number
    }


def moments(account: CopperAccount) -> list[dict[int, int]]:
    """Give when each record was modified."""
    return [{one["id"]: one["date_modified"] for one in account.records(name)} for name in SEARCHED]


def test_an_added_field_is_listed_under_a_new_id(client: Client) -> None:
    before = client.get("custom_field_definitions").json()
    order = {"name": "Fields", "data_type": "Dropdown", "available_on": ["person", "lead"], "options": ["a", "b"]}
    (number,) = client.control("add_field", order)["ids"]
    after = client.get("custom_field_definitions").json()
    assert after[:-1] == before
    assert number not in {one["id"] for one in before}
    first, second = (one["id"] for one in after[-1]["options"])
    assert first not in {option["id"] for one in before for option in one.get("options", ())}
    assert after[-1] == {
        "id": number,
        "name": "Fields",
        "data_type": "Dropdown",
        "available_on": ["person", "lead"],
        "is_filterable": True,
        "options": [{"id": first, "name": "a", "rank": 0}, {"id": second, "name": "b", "rank": 1}],
    }
    assert client.get(f"custom_field_definitions/{number}").json() == after[-1]


def test_a_currency_is_named_on_fields_of_money_only(app: CopperSandbox) -> None:
    app.account.add_field("Fee", "Currency", currency="EUR")
    app.account.add_field("Rate", "Float", currency="EUR")
    fee, rate = app.account.records("custom_field_definitions")[-2:]
    assert fee["currency"] == "EUR"
    assert "currency" not in rate


def test_records_have_an_added_field_once_they_are_edited(app: CopperSandbox) -> None:
    number = app.account.add_field("Late", "Checkbox", available_on=["person"])
    assert held(app.account, "people", number) == {}
    edited = app.account.edit("people", count=3)
    app.account.edit("companies", count=3)
    values = held(app.account, "people", number)
    assert set(values) == set(edited)
    assert all(isinstance(value, bool) for value in values.values())
    assert held(app.account, "companies", number) == {}


def test_an_edit_that_gives_the_custom_fields_is_taken_at_its_word(app: CopperSandbox) -> None:
    number = app.account.add_field("Late", "Float")
    entry = {"custom_field_definition_id": number, "value": 1.5}
    (edited,) = app.account.edit("people", changes={"custom_fields": [entry]})
    assert app.account.record("people", edited)["custom_fields"] == [entry]


def test_records_made_later_have_added_fields_and_lack_removed_ones(app: CopperSandbox) -> None:
    gone = app.account.remove_field(definition(app.account, "Text")["id"])
    added = app.account.add_field("Late", "Text")
    made = set(app.account.create("people", count=30))
    assert made & set(held(app.account, "people", added))
    assert held(app.account, "people", gone) == {}


def test_an_added_field_may_be_filled_without_moving_any_record(client: Client, app: CopperSandbox) -> None:
    before = moments(app.account)
    order = {"name": "Full", "data_type": "Percentage", "available_on": ["person"], "fill": True}
    (number,) = client.control("add_field", order)["ids"]
    values = held(app.account, "people", number)
    assert set(values) == set(app.account.ids("people"))
    assert {type(value) for value in values.values()} == {int, type(None)}
    assert held(app.account, "leads", number) == {}
    assert moments(app.account) == before
    rows = client.everything("people", sort_by="date_created")
    assert sorted(rows, key=lambda row: row["id"]) == app.account.records("people")


def test_a_renamed_field_has_its_new_name_in_definitions_and_layouts(client: Client, app: CopperSandbox) -> None:
    number = definition(app.account, "String")["id"]
    before = held(app.account, "people", number)
    client.control("rename_field", {"id": number, "name": "Région"})
    assert client.get(f"custom_field_definitions/{number}").json()["name"] == "Région"
    labels = {row["field_id"]: row["field_label"] for row in client.get("field_layouts/by_entity/people").json()}
    assert labels[number] == "Région"
    assert held(app.account, "people", number) == before


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("Float", "String", 567.0, "567.0"),
        ("Checkbox", "Text", True, "true"),
        ("Date", "String", -86_400, "1969-12-31"),
        ("Float", "String", None, None),
        ("String", "Float", "1e5", 100_000.0),
        ("String", "Float", "12 apples", None),
        ("String", "Currency", "nan", None),
        ("String", "Percentage", "0042", 42),
        ("String", "Date", "1970-01-02", 86_400),
        ("String", "Date", "tomorrow", None),
        ("String", "Checkbox", "true", True),
        ("String", "Checkbox", None, False),
        ("String", "MultiSelect", "x", []),
        ("String", "Connect", "x", None),
        ("Text", "URL", "x", "x"),
    ],
)
def test_values_of_a_retyped_field_become_such_as_the_new_kind_has(
    app: CopperSandbox, old: str, new: str, before: object, after: object
) -> None:
    number = app.account.add_field("Turned", old)
    entry = {"custom_field_definition_id": number, "value": before}
    (person,) = app.account.edit("people", changes={"custom_fields": [entry]})
    app.account.retype_field(number, new)
    (now,) = app.account.record("people", person)["custom_fields"]
    assert now == {"custom_field_definition_id": number, "value": after}
    assert type(now["value"]) is type(after)


def test_options_become_their_names_and_names_become_options(app: CopperSandbox) -> None:
    number = app.account.add_field("Turned", "MultiSelect", options=["a", "b"])
    first, second = (one["id"] for one in app.account.records("custom_field_definitions")[-1]["options"])
    entry = {"custom_field_definition_id": number, "value": [second, first]}
    (person,) = app.account.edit("people", changes={"custom_fields": [entry]})
    seen = []
    for kind in ("Dropdown", "MultiSelect", "String"):
        app.account.retype_field(number, kind)
        seen.append(app.account.record("people", person)["custom_fields"][0]["value"])
    assert seen == [second, [second], "b"]
    assert "options" not in app.account.records("custom_field_definitions")[-1]
    app.account.retype_field(number, "Dropdown", options=["b"])
    (option,) = app.account.records("custom_field_definitions")[-1]["options"]
    assert app.account.record("people", person)["custom_fields"][0]["value"] == option["id"] != second


def test_a_retyped_field_is_filtered_by_its_new_values_and_moves_no_record(client: Client, app: CopperSandbox) -> None:
    number, before = definition(app.account, "String")["id"], moments(app.account)
    client.control("retype_field", {"id": number, "data_type": "Checkbox"})
    kept = held(app.account, "people", number)
    assert set(kept.values()) == {True, False}
    entry = {"custom_field_definition_id": number, "value": True}
    found = client.everything("people", custom_fields=[entry])
    assert {row["id"] for row in found} == {one for one, value in kept.items() if value}
    assert moments(app.account) == before


def test_a_removed_field_takes_its_values_along_and_moves_no_record(client: Client, app: CopperSandbox) -> None:
    before, number = moments(app.account), definition(app.account, "MultiSelect")["id"]
    others = {one["id"]: one["custom_fields"] for one in app.account.records("people")}
    assert held(app.account, "people", number)
    client.control("remove_field", {"id": number})
    assert client.get(f"custom_field_definitions/{number}").status_code == 404
    for row in client.everything("people", sort_by="date_created"):
        kept = [one for one in others[row["id"]] if one["custom_field_definition_id"] != number]
        assert row["custom_fields"] == kept
    assert all(held(app.account, name, number) == {} for name in SEARCHED)
    assert moments(app.account) == before


def test_the_id_of_a_removed_field_is_not_used_again(app: CopperSandbox) -> None:
    first = app.account.add_field("One", "String")
    app.account.remove_field(first)
    assert app.account.add_field("Two", "String") > first


def test_removing_one_end_of_a_connection_leaves_the_other_without(app: CopperSandbox) -> None:
    near = definition(app.account, "Connect")
    app.account.remove_field(near["id"])
    far = definition(app.account, "Connect")
    assert far["id"] == near["connected_id"]
    assert "connected_id" not in far


def test_options_are_added_renamed_and_removed(client: Client, app: CopperSandbox) -> None:
    before = definition(app.account, "Dropdown")
    number, taken = before["id"], before["options"][0]["id"]
    (added,) = client.control("add_option", {"id": number, "name": "Nord"})["ids"]
    client.control("rename_option", {"id": number, "option": added, "name": "Süd"})
    client.control("remove_option", {"id": number, "option": taken})
    after = client.get(f"custom_field_definitions/{number}").json()
    assert after["options"] == [*before["options"][1:], {"id": added, "name": "Süd", "rank": 8}]


def test_records_keep_the_id_of_a_removed_option_which_no_longer_has_a_name(client: Client, app: CopperSandbox) -> None:
    number = definition(app.account, "Dropdown")["id"]
    person, option = next((one, value) for one, value in held(app.account, "people", number).items() if value)
    app.account.remove_option(number, option)
    rows = client.post("people/search", {"ids": [person]}, custom_field_computed_values="true").json()
    (entry,) = (one for one in rows[0]["custom_fields"] if one["custom_field_definition_id"] == number)
    assert entry == {"custom_field_definition_id": number, "value": option, "computed_value": None}


@pytest.mark.parametrize(
    ("verb", "order"),
    [
        ("add_field", {"name": "x", "data_type": "Number"}),
        ("add_field", {"name": "x", "data_type": "String", "available_on": ["people"]}),
        ("add_field", {"name": "x", "data_type": "Dropdown", "options": "abc"}),
        ("add_field", {"name": 5, "data_type": "String"}),
        ("add_field", {"name": "x", "data_type": "String", "colour": "red"}),
        ("rename_field", {"id": 1, "name": "x"}),
        ("rename_field", {"name": "x"}),
        ("retype_field", {"id": 126_240, "data_type": "Number"}),
        ("remove_field", {"id": 1}),
        ("add_option", {"id": 126_240, "name": "x"}),
        ("rename_option", {"id": 126_249, "option": 1, "name": "x"}),
        ("remove_option", {"id": 126_249, "option": 1}),
    ],
)
def test_orders_that_make_no_sense_change_nothing(
    client: Client, app: CopperSandbox, verb: str, order: dict[str, object]
) -> None:
    before = app.account.records("custom_field_definitions")
    assert "error" in client.control(verb, order)
    assert app.account.records("custom_field_definitions") == before


def test_the_value_of_a_changed_field_shows_in_searches_after_the_index_lag(client: Client, app: CopperSandbox) -> None:
    app.behaviour.index_lag = 60.0
    number = definition(app.account, "String")["id"]
    person = next(iter(held(app.account, "people", number)))
    before = client.search("people", ids=[person])
    app.account.remove_field(number)
    assert client.search("people", ids=[person]) == before
    assert client.get(f"people/{person}").json() == app.account.record("people", person) != before[0]
