"""The generated data holds what readers trip over, the same for the same seed."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.copper import SMALL, CopperAccount, Shape
from sandbox.copper.custom_fields import KINDS

if TYPE_CHECKING:
    from sandbox.copper import CopperSandbox

MANY_RECORDS = True

EVERYTHING = ("people", "companies", "leads", "opportunities", "projects", "tasks", "activities")


def test_the_same_shape_gives_the_same_account() -> None:
    one, other = CopperAccount(SMALL), CopperAccount(replace(SMALL))
    assert [one.records(name) for name in one.objects()] == [other.records(name) for name in one.objects()]
    assert CopperAccount(replace(SMALL, seed=8)).records("people") != one.records("people")


def test_ids_are_unique_only_within_an_object(app: CopperSandbox) -> None:
    people, leads = set(app.account.ids("people")), set(app.account.ids("leads"))
    assert people & leads
    assert all(number > 5_000_000_000 for number in app.account.ids("activities") if isinstance(number, int))


@pytest.mark.parametrize("name", EVERYTHING)
def test_dates_lie_in_the_three_years_before_the_anchor(app: CopperSandbox, name: str) -> None:
    now = SMALL.now
    for one in app.account.records(name):
        assert now - 4 * 365 * 86_400 < one["date_created"] <= now
        if name != "activities":
            assert one["date_created"] <= one["date_modified"] <= now
    if name == "activities":
        rows = app.account.records(name)
        assert sum(one["activity_date"] > now for one in rows) == 5
        assert any(one["date_modified"] < one["date_created"] for one in rows)


def test_people_have_every_awkward_shape(app: CopperSandbox) -> None:
    people = app.account.records("people")
    addresses = [one["address"] for one in people]
    assert None in addresses
    assert any(address and not any(address.values()) for address in addresses)
    assert {len(one["emails"]) for one in people} >= {0, 1, 2}
    assert {None, ""} < {one["details"] for one in people}
    assert any("\n" in (one["details"] or "") for one in people)
    assert any("🦊" in one["name"] for one in people)
    categories = [phone["category"] for one in people for phone in one["phone_numbers"]]
    assert None in categories
    emails = [email["email"].casefold() for one in people for email in one["emails"]]
    assert len(emails) == len(set(emails))


def test_opportunities_write_close_dates_as_the_locale_does(app: CopperSandbox) -> None:
    dates = [one["close_date"] for one in app.account.records("opportunities")]
    assert "soon" in dates
    assert None in dates
    plain = [date for date in dates if date and re.fullmatch(r"[1-9]\d?/[1-9]\d?/20\d\d", date)]
    assert len(plain) > 30
    assert max(int(date.split("/")[0]) for date in plain if date != "31/31/2025") <= 12
    day_first = CopperAccount(replace(SMALL, dmy=True, odd_close_dates=0)).records("opportunities")
    assert max(int(one["close_date"].split("/")[0]) for one in day_first if one["close_date"]) > 12
    kinds = {type(one["converted_value"]) for one in app.account.records("opportunities")}
    assert str in kinds
    assert kinds & {int, float}


def test_some_tasks_are_due_before_1970(app: CopperSandbox) -> None:
    assert any((one["due_date"] or 0) < 0 for one in app.account.records("tasks"))


def test_custom_fields_of_every_kind(app: CopperSandbox) -> None:
    definitions = {one["id"]: one for one in app.account.records("custom_field_definitions")}
    assert len(definitions) == 28
    names = [one["name"] for one in definitions.values()]
    assert names.count("Region") == 3
    assert "Name" in names
    assert max(map(len, names)) == 200
    held: dict[str, set[str]] = {}
    orders = set()
    for name in EVERYTHING[:6]:
        for record in app.account.records(name):
            orders.add(tuple(entry["custom_field_definition_id"] for entry in record["custom_fields"]))
            for entry in record["custom_fields"]:
                kind = definitions[entry["custom_field_definition_id"]]["data_type"]
                held.setdefault(kind, set()).add(type(entry["value"]).__name__)
    assert held == {
        "String": {"str", "NoneType"},
        "Text": {"str", "NoneType"},
        "URL": {"str", "NoneType"},
        "Dropdown": {"int", "NoneType"},
        "MultiSelect": {"list"},
        "Date": {"int", "NoneType"},
        "Checkbox": {"bool"},
        "Float": {"float", "NoneType"},
        "Currency": {"float", "NoneType"},
        "Percentage": {"int", "NoneType"},
        "Connect": {"list", "NoneType"},
    }
    assert len(orders) > 50
    assert () in orders


def test_names_of_custom_fields_collide_on_one_object(app: CopperSandbox) -> None:
    names = [one["name"] for one in app.account.records("custom_field_definitions") if "person" in one["available_on"]]
    assert names.count("Region") > 1
    assert {"Fields", "fields!", "Tags"} < set(names)


def test_names_of_custom_fields_on_one_object_may_differ_only_far_behind(app: CopperSandbox) -> None:
    first, second = (one for one in app.account.records("custom_field_definitions") if len(one["name"]) == 200)
    assert first["name"] != second["name"]
    assert first["name"][:80] == second["name"][:80]
    assert set(first["available_on"]) & set(second["available_on"])


def test_names_of_custom_fields_may_have_no_latin_letter(app: CopperSandbox) -> None:
    names = {one["name"] for one in app.account.records("custom_field_definitions")}
    assert {"顧客ランク", "🎂"} < names


def test_definitions_cover_every_kind(app: CopperSandbox) -> None:
    assert {one["data_type"] for one in app.account.records("custom_field_definitions")} == set(KINDS)
    assert len(KINDS) == 11


def test_the_number_of_custom_fields_changes_nothing_else() -> None:
    few, many = (CopperAccount(replace(SMALL, custom_fields=count)).records("people") for count in (1, 60))
    assert [one | {"custom_fields": []} for one in few] == [one | {"custom_fields": []} for one in many]


def test_a_conversion_has_one_moment_in_the_lead_and_in_what_became_of_it(app: CopperSandbox) -> None:
    became = [one for name in ("people", "opportunities") for one in app.account.records(name)]
    origins = [origin for one in became for origin in one["leads_converted_from"]]
    assert origins
    for origin in origins:
        assert app.account.record("leads", origin["lead_id"])["converted_at"] == origin["converted_timestamp"]


@pytest.mark.parametrize("count", [0, 1, 5, 60, 300])
def test_the_number_of_custom_fields_is_chosen(count: int) -> None:
    account = CopperAccount(Shape(people=30, companies=5, custom_fields=count))
    definitions = account.records("custom_field_definitions")
    assert len({one["id"] for one in definitions}) == count


def test_an_account_may_be_empty() -> None:
    nothing = Shape(people=0, companies=0, leads=0, opportunities=0, projects=0, tasks=0, activities=0)
    account = CopperAccount(replace(nothing, tags=0, custom_fields=0))
    assert [account.records(name) for name in EVERYTHING] == [[]] * 7
    account.create("people", count=2)
    assert len(account.ids("people")) == 2
