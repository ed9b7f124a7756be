"""Merged records: one survives and is edited, the other is gone without a trace."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.behaviour import Churn

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperAccount, CopperSandbox

MANY_RECORDS = True

MERGED = ("people", "companies", "leads")
ALL = {"leads": {"include_converted_leads": True}}


def pointing(account: CopperAccount, name: str, attribute: str) -> dict[int, Any]:
    """Give what an attribute of each record holds, where it holds anything."""
    return {one["id"]: one[attribute] for one in account.records(name) if one[attribute] is not None}


def merged_on(app: CopperSandbox, name: str, attribute: str, of: str) -> tuple[int, int, set[int]]:
    """Merge away a record that others point at; gives it, its survivor and the others."""
    held = pointing(app.account, name, attribute)
    lost = next(iter(held.values()))
    survivor = next(one for one in app.account.ids(of) if one != lost)
    assert isinstance(survivor, int)
    app.account.merge(of, pairs=[(lost, survivor)])
    return lost, survivor, {number for number, value in held.items() if value == lost}


@pytest.mark.parametrize("name", MERGED)
def test_the_lost_record_is_gone_and_the_survivor_is_edited(client: Client, app: CopperSandbox, name: str) -> None:
    before = {one["id"]: one for one in app.account.records(name)}
    now = int(time.time())
    ((lost, survivor),) = app.account.merge(name)
    assert client.get(f"{name}/{lost}").status_code == 404
    assert set(app.account.ids(name)) == set(before) - {lost}
    kept = client.get(f"{name}/{survivor}").json()
    assert kept["date_modified"] >= now
    assert kept["date_created"] == before[survivor]["date_created"]
    assert kept["name"] == before[survivor]["name"]
    assert set(kept["tags"]) == {*before[lost]["tags"], *before[survivor]["tags"]}
    rows = client.everything(name, sort_by="date_modified", **ALL.get(name, {}))
    assert rows[-1] == kept
    assert lost not in {row["id"] for row in rows}


def test_pairs_are_chosen_over_http_and_answered_in_turn(client: Client, app: CopperSandbox) -> None:
    first, second, third, *_ = app.account.ids("companies")
    order = {"object": "companies", "pairs": [[first, second], [second, third]]}
    assert client.control("merge", order)["ids"] == [first, second, second, third]
    assert len(client.control("merge", {"object": "companies", "count": 4})["ids"]) == 8
    assert len(app.account.ids("companies")) == 40 - 2 - 4


@pytest.mark.parametrize(
    ("name", "attribute", "of"),
    [
        ("people", "company_id", "companies"),
        ("opportunities", "company_id", "companies"),
        ("opportunities", "primary_contact_id", "people"),
        ("companies", "primary_contact_id", "people"),
        ("leads", "converted_contact_id", "people"),
    ],
)
def test_records_that_pointed_at_the_lost_one_point_at_the_survivor(
    app: CopperSandbox, name: str, attribute: str, of: str
) -> None:
    lost, survivor, others = merged_on(app, name, attribute, of)
    now = pointing(app.account, name, attribute)
    assert lost not in now.values()
    assert {now[one] for one in others} == {survivor}


def test_people_carry_the_name_of_the_surviving_company(app: CopperSandbox) -> None:
    _, survivor, others = merged_on(app, "people", "company_id", "companies")
    name = app.account.record("companies", survivor)["name"]
    assert {app.account.record("people", one)["company_name"] for one in others} == {name}


@pytest.mark.parametrize(("of", "kind"), [("people", "person"), ("companies", "company"), ("leads", "lead")])
def test_activities_move_to_the_survivor(client: Client, app: CopperSandbox, of: str, kind: str) -> None:
    living = set(app.account.ids(of))
    activities = app.account.records("activities")
    lost = next(one["parent"]["id"] for one in activities if one["parent"]["type"] == kind)
    moved = {one["id"] for one in activities if one["parent"] == {"id": lost, "type": kind}}
    survivor = next(one for one in living if one != lost)
    assert isinstance(survivor, int)
    app.account.merge(of, pairs=[(lost, survivor)])
    rows = client.everything("activities", parent={"id": survivor, "type": kind})
    assert moved <= {row["id"] for row in rows}
    # A person and a lead may have the same id: only those of this kind move.
    others = [one for one in activities if one["id"] not in moved]
    assert all(app.account.record("activities", one["id"]) == one for one in others)


@pytest.mark.parametrize("moves", [True, False])
def test_whether_those_that_pointed_at_the_lost_one_are_modified_is_a_knob(app: CopperSandbox, *, moves: bool) -> None:
    app.behaviour.merge_moves_modified = moves
    before = {one["id"]: one["date_modified"] for one in app.account.records("opportunities")}
    _, _, others = merged_on(app, "opportunities", "company_id", "companies")
    for one in others:
        assert (app.account.record("opportunities", one)["date_modified"] > before[one]) is moves


def test_added_fields_of_the_server_are_not_written_into_the_survivor(client: Client, app: CopperSandbox) -> None:
    app.behaviour.extra_fields = {"people": {"x": [1]}}
    ((_, survivor),) = app.account.merge("people")
    assert client.get(f"people/{survivor}").json()["x"] == [1]
    app.behaviour.extra_fields = False
    assert "x" not in client.get(f"people/{survivor}").json()


def test_merges_that_make_no_sense_change_nothing(client: Client, app: CopperSandbox) -> None:
    first, second, third, *_ = app.account.ids("people")
    before = app.account.records("people")
    for name, pairs in (
        ("people", [[first, first]]),
        ("people", [[first, 1]]),
        ("people", [[first, second], [third, first]]),
        ("people", [[first]]),
        ("tasks", [[first, second]]),
    ):
        assert "error" in client.control("merge", {"object": name, "pairs": pairs})
    assert app.account.records("people") == before


def test_churn_merges_the_searched_object(client: Client, app: CopperSandbox) -> None:
    app.behaviour.churn = Churn(merge=2)
    for name in MERGED:
        before = len(app.account.ids(name))
        client.search(name)
        assert len(app.account.ids(name)) == before - 2
    before = len(app.account.ids("tasks"))
    client.search("tasks")
    assert len(app.account.ids("tasks")) == before
