"""Custom fields of every kind are there, and come, change and go on command."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close import CloseAccount, Shape
from sandbox.close.field_names import FIELDS, MULTIPLE, TYPES

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

OWNERS = ("lead", "contact", "opportunity")
HOLDERS = ("leads", "contacts", "opportunities", "custom_activities", "custom_objects")
NAMES = ("leads", "contacts", "opportunities")


def definitions(account: CloseAccount, kind: str) -> list[dict[str, Any]]:
    return [one for one in account.records("custom_fields") if one["object_type"] == kind]


def definition(account: CloseAccount, number: str) -> dict[str, Any]:
    return next(one for one in account.records("custom_fields") if one["id"] == number)


def values(account: CloseAccount, name: str, number: str) -> dict[str, Any]:
    """Values of a field, by the ids of the records that have one."""
    key = f"custom.{number}"
    return {row["id"]: row[key] for row in account.records(name) if key in row}


def dates(account: CloseAccount) -> dict[str, str]:
    return {row["id"]: row["date_updated"] for name in HOLDERS for row in account.records(name)}


def last_event(account: CloseAccount) -> tuple[str, str, str]:
    event = account.records("events")[-1]
    return event["object_type"], event["action"], event["object_id"]


@pytest.fixture
def number(server: CloseSandbox) -> str:
    """Give a field of leads with choices, of which every lead has one."""
    return server.account.add_field(
        object_type="lead", name="Stufe", type="choices", choices=["kalt", "warm", "heiß"], fill=True
    )


@pytest.mark.parametrize("kind", OWNERS)
def test_each_large_object_has_every_type_single_and_multiple(calm_server: CloseSandbox, kind: str) -> None:
    own = definitions(calm_server.account, kind)
    single = {one["type"] for one in own if not one["accepts_multiple_values"]}
    assert single == set(TYPES)
    assert {one["type"] for one in own if one["accepts_multiple_values"]} == set(MULTIPLE)


@pytest.mark.parametrize("kind", OWNERS)
def test_names_are_such_as_readers_trip_over(calm_server: CloseSandbox, kind: str) -> None:
    names = [one["name"] for one in definitions(calm_server.account, kind)]
    assert names == [name for name, _, _ in FIELDS]
    assert names.count("Region") == 2
    assert {"Name", "Status Label", "Fields", "date_updated"} < set(names)
    long = [name for name in names if len(name) == 200]
    assert len(set(long)) == 2
    assert len({name[:80] for name in long}) == 1
    assert any(name and not any(letter.isalnum() for letter in name) for name in names)


def test_names_never_exceed_what_close_takes() -> None:
    account = CloseAccount(Shape(leads=0, contacts=0, activities=0, events=0, custom_fields=100))
    names = [one["name"] for one in definitions(account, "lead")]
    assert max(map(len, names)) == 200
    assert len(set(names)) == 99


def test_shared_fields_reach_every_kind_of_object(calm_server: CloseSandbox) -> None:
    shared = definitions(calm_server.account, "shared")
    targets = [{one["object_type"] for one in field["associations"]} for field in shared]
    assert {*OWNERS, "custom_activity_type", "custom_object_type"} in targets
    assert all({one} in targets for one in OWNERS)
    for key in ("custom_activity_type_id", "custom_object_type_id"):
        assert len({one[key] for field in shared for one in field["associations"] if key in one}) == 1


def test_two_types_of_activities_have_a_field_of_the_same_name(calm_server: CloseSandbox) -> None:
    types = [
        one["custom_activity_type_id"]
        for one in definitions(calm_server.account, "activity")
        if one["name"] == "Region"
    ]
    assert len(set(types)) == len(types) == 2


def test_lists_may_be_empty_and_choices_are_those_of_the_field(calm_server: CloseSandbox) -> None:
    account = calm_server.account
    seen: list[Any] = []
    for one in definitions(account, "lead"):
        found = values(account, "leads", one["id"])
        seen += found.values()
        if one["type"] == "choices":
            chosen = [each for value in found.values() for each in (value if isinstance(value, list) else [value])]
            assert set(chosen) <= set(one["choices"])
    assert [] in seen


def test_an_organization_may_have_hundreds_of_fields() -> None:
    start = time.process_time()
    account = CloseAccount(Shape(leads=5_000, contacts=0, activities=0, events=0, custom_fields=300))
    number = account.add_field(object_type="lead", name="Neu", type="text", fill=True)
    account.remove_field(id=number)
    tables = account.tables["leads"]
    assert sum(map(len, {row.tail for row in tables})) < 20_000_000
    assert time.process_time() - start < 5


@pytest.mark.parametrize("kind", OWNERS)
def test_a_new_field_has_no_values(asker: CloseClient, server: CloseSandbox, kind: str) -> None:
    account = server.account
    before = dates(account)
    order = {"object_type": kind, "name": "Neu 🆕", "type": "user", "accepts_multiple_values": True}
    (number,) = asker.control("add_field", order)["ids"]
    assert asker.get(f"custom_field/{kind}/{number}").json()["name"] == "Neu 🆕"
    assert number in {one["id"] for one in asker.get(f"custom_field_schema/{kind}").json()["fields"]}
    assert last_event(account) == (f"custom_fields.{kind}", "created", number)
    assert [values(account, name, number) for name in NAMES] == [{}, {}, {}]
    assert dates(account) == before


def test_a_new_field_may_be_filled_behind_the_back_of_the_records(server: CloseSandbox, number: str) -> None:
    account = server.account
    found = values(account, "leads", number)
    assert set(found) == set(account.ids("leads"))
    assert set(found.values()) == {"kalt", "warm", "heiß"}
    assert not any(one["date_updated"] > "2026-11-22" for one in account.records("leads"))


def test_a_new_shared_field_is_filled_where_it_applies(asker: CloseClient, server: CloseSandbox) -> None:
    account = server.account
    activity, thing = (account.lists[name][0]["id"] for name in ("custom_activity_types", "custom_object_types"))
    targets = [
        {"object_type": "contact"},
        {"object_type": "custom_activity_type", "custom_activity_type_id": activity},
        {"object_type": "custom_object_type", "custom_object_type_id": thing},
    ]
    order = {"object_type": "shared", "name": "Überall", "type": "number", "associations": targets, "fill": True}
    (number,) = asker.control("add_field", order)["ids"]
    assert set(values(account, "contacts", number)) == set(account.ids("contacts"))
    assert values(account, "leads", number) == {}
    for name, key, parent in (
        ("custom_activities", "custom_activity_type_id", activity),
        ("custom_objects", "custom_object_type_id", thing),
    ):
        kept = {row["id"] for row in account.records(name) if row[key] == parent}
        assert set(values(account, name, number)) == kept
    assert number in {one["id"] for one in asker.rows("custom_activity")[0]["fields"]}


def test_a_new_field_of_a_type_of_activities_is_filled_there_only(server: CloseSandbox) -> None:
    account = server.account
    parent = account.lists["custom_activity_types"][1]["id"]
    number = account.add_field(
        object_type="activity", name="Note", type="date", custom_activity_type_id=parent, fill=True
    )
    kept = {row["id"] for row in account.records("custom_activities") if row["custom_activity_type_id"] == parent}
    assert set(values(account, "custom_activities", number)) == kept


def test_records_made_later_have_values_of_a_new_field(server: CloseSandbox) -> None:
    number = server.account.add_field(object_type="lead", name="Neu", type="text")
    server.account.create("leads", count=60)
    assert values(server.account, "leads", number)


@pytest.mark.parametrize(
    ("verb", "order", "status"),
    [
        ("add_field", {"object_type": "lead", "name": "x", "type": "colour"}, "no such type"),
        ("add_field", {"object_type": "task", "name": "x", "type": "text"}, "no such object_type"),
        ("add_field", {"object_type": "activity", "name": "x", "type": "text"}, "custom_activity_type_id"),
        ("add_field", {"object_type": "shared", "name": "x", "type": "text"}, "associations"),
        ("add_field", {"object_type": "lead", "name": "x", "type": "date", "accepts_multiple_values": True}, "multi"),
        ("add_field", {"object_type": "lead", "name": "x", "type": "text", "colour": 1}, "colour"),
        ("rename_field", {"id": "cf_0", "name": "x"}, "unknown"),
        ("retype_field", {"id": "cf_0", "type": "x"}, "no such type"),
        ("remove_field", {"id": "cf_0"}, "unknown"),
        ("rename_choice", {"id": "cf_0", "choice": "a", "new": "b"}, "unknown"),
    ],
)
def test_orders_that_make_no_sense_are_refused(
    asker: CloseClient, server: CloseSandbox, verb: str, order: dict[str, Any], status: str
) -> None:
    before = server.account.records("custom_fields")
    assert status in asker.control(verb, order)["error"]
    assert server.account.records("custom_fields") == before


def test_a_renamed_field_keeps_its_id_and_values(asker: CloseClient, server: CloseSandbox, number: str) -> None:
    account = server.account
    before = (dates(account), values(account, "leads", number))
    asker.control("rename_field", {"id": number, "name": "Grad"})
    assert definition(account, number)["name"] == "Grad"
    assert last_event(account) == ("custom_fields.lead", "updated", number)
    assert (dates(account), values(account, "leads", number)) == before


def test_types_of_activities_follow_their_fields(server: CloseSandbox) -> None:
    account = server.account
    one = definitions(account, "activity")[0]
    account.rename_field(id=one["id"], name="Anders")
    (kept,) = [
        kept for kept in account.records("custom_activity_types") if kept["id"] == one["custom_activity_type_id"]
    ]
    assert next(short["name"] for short in kept["fields"] if short["id"] == one["id"]) == "Anders"


@pytest.mark.parametrize(
    ("sort", "kind"), [("text", str), ("text", list), ("number", (int, float)), ("user", list), ("custom_object", str)]
)
def test_values_follow_a_new_type(
    asker: CloseClient, server: CloseSandbox, number: str, sort: str, kind: type | tuple[type, ...]
) -> None:
    account, many = server.account, kind is list
    before = dates(account)
    asker.control("retype_field", {"id": number, "type": sort, "accepts_multiple_values": many})
    found = values(account, "leads", number)
    assert len(found) == len(account.ids("leads"))
    assert all(isinstance(value, kind) for value in found.values())
    kept = definition(account, number)
    assert (kept["type"], kept["accepts_multiple_values"], kept["choices"]) == (sort, many, None)
    assert last_event(account) == ("custom_fields.lead", "updated", number)
    assert dates(account) == before


def test_a_list_becomes_its_first_value(server: CloseSandbox, number: str) -> None:
    account = server.account
    before = values(account, "leads", number)
    account.retype_field(id=number, type="choices", accepts_multiple_values=True)
    assert values(account, "leads", number) == {lead: [value] for lead, value in before.items()}
    account.retype_field(id=number, type="choices")
    assert values(account, "leads", number) == before


def test_a_removed_field_takes_its_values_along(asker: CloseClient, server: CloseSandbox, number: str) -> None:
    account = server.account
    before = dates(account)
    asker.control("remove_field", {"id": number})
    assert values(account, "leads", number) == {}
    assert asker.get(f"custom_field/lead/{number}").status_code == 404
    assert last_event(account) == ("custom_fields.lead", "deleted", number)
    assert dates(account) == before


def test_a_new_choice_changes_no_record(asker: CloseClient, server: CloseSandbox, number: str) -> None:
    account = server.account
    before = values(account, "leads", number)
    asker.control("add_choice", {"id": number, "choice": "lau"})
    assert definition(account, number)["choices"] == ["kalt", "warm", "heiß", "lau"]
    assert values(account, "leads", number) == before
    assert "already" in asker.control("add_choice", {"id": number, "choice": "lau"})["error"]


@pytest.mark.parametrize("many", [False, True])
def test_values_follow_a_renamed_choice(asker: CloseClient, server: CloseSandbox, number: str, *, many: bool) -> None:
    account = server.account
    account.retype_field(id=number, type="choices", accepts_multiple_values=many)
    before, moments = values(account, "leads", number), dates(account)
    asker.control("rename_choice", {"id": number, "choice": "warm", "new": "lau"})
    assert definition(account, number)["choices"] == ["kalt", "lau", "heiß"]
    new = {"warm": "lau"}
    assert values(account, "leads", number) == {
        lead: [new.get(one, one) for one in value] if isinstance(value, list) else new.get(value, value)
        for lead, value in before.items()
    }
    assert dates(account) == moments


@pytest.mark.parametrize("clear", [False, True])
def test_a_removed_choice_stays_with_records_unless_cleared(server: CloseSandbox, number: str, *, clear: bool) -> None:
    account = server.account
    before = values(account, "leads", number)
    account.remove_choice(id=number, choice="warm", clear=clear)
    assert definition(account, number)["choices"] == ["kalt", "heiß"]
    assert values(account, "leads", number) == {
        lead: value for lead, value in before.items() if not clear or value != "warm"
    }


def test_searches_may_lag_behind_changed_values(asker: CloseClient, server: CloseSandbox, number: str) -> None:
    server.behaviour.index_lag = 100.0
    server.account.rename_choice(id=number, choice="warm", new="lau")
    key = f"custom.{number}"
    found = [row[key] for row in asker.search("lead", _fields={"lead": [key]}).json()["data"]]
    assert "warm" in found
    assert "lau" not in found
    listed = [row[key] for row in asker.everything("lead")]
    assert "lau" in listed
    assert "warm" not in listed


def test_fields_do_not_change_the_rest_of_the_account() -> None:
    shapes = (Shape(seed=3, now=1_790_000_000, leads=20, contacts=20, activities=40, custom_fields=n) for n in (0, 50))
    accounts = [CloseAccount(shape) for shape in shapes]
    for one, other in pairwise(accounts):
        for name in ("leads", "contacts", "emails", "custom_activities"):
            plain = [
                [
                    {
                        key: row[key]
                        for key in row
                        if key not in ("custom_activity_type_id", "contacts", "opportunities")
                        and not key.startswith("custom.")
                    }
                    for row in account.records(name)
                ]
                for account in (one, other)
            ]
            assert plain[0] == plain[1]
