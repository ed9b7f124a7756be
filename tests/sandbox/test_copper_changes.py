"""Records change while they are read, and the truth follows."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sandbox.behaviour import Churn

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox
    from sandbox.simulator import Moment

MANY_RECORDS = True


def test_an_edit_moves_a_record_to_the_end(client: Client, app: CopperSandbox) -> None:
    before = int(time.time())
    (number,) = app.account.edit("people", count=1)
    last = client.search("people", sort_by="date_modified", sort_direction="desc", page_size=1)[0]
    assert last["id"] == number
    assert last["date_modified"] >= before
    assert client.get(f"people/{number}").json() == last == app.account.record("people", number)


def test_orders_over_http(client: Client) -> None:
    edited = client.control("edit", {"object": "people", "count": 50})["ids"]
    assert len(set(edited)) == 50
    changes = {"name": "Same", "date_modified": 1_700_000_000}
    client.control("edit", {"object": "people", "ids": edited[:2], "changes": changes})
    found = client.search("people", minimum_modified_date=1_700_000_000, maximum_modified_date=1_700_000_000)
    assert {row["id"] for row in found if row["name"] == "Same"} == set(edited[:2])
    created = client.control("create", {"object": "companies", "count": 3, "changes": {"name": "New Co"}})["ids"]
    assert [client.get(f"companies/{number}").json()["name"] for number in created] == ["New Co"] * 3
    client.control("delete", {"object": "companies", "ids": created[:1]})
    assert client.get(f"companies/{created[0]}").status_code == 404
    truth = client.control("truth")["companies"]
    assert truth["count"] == len(truth["ids"]) == 42
    assert "error" in client.control("delete", {"object": "companies", "ids": [1]})
    assert "error" in client.control("configure", {"no_such_knob": 1})
    assert "error" in client.control("configure", {"total": "wrong"})


def test_deleted_activities_leave_stubs(client: Client, app: CopperSandbox) -> None:
    (first,) = app.account.delete("activities")
    assert client.get(f"activities/{first}").json() == {"id": first, "is_deleted": True}
    assert len(client.everything("activities")) == 399
    app.behaviour.stubs_in_search = True
    (second,) = app.account.delete("activities")
    rows = client.everything("activities")
    assert {"id": second, "is_deleted": True} in rows
    assert len(rows) == 399
    assert len(app.account.records("activities")) == 398


def test_an_edited_activity_keeps_its_place(client: Client, app: CopperSandbox) -> None:
    order = [row["id"] for row in client.everything("activities")]
    (number,) = app.account.edit("activities", changes={"details": "edited"})
    rows = client.everything("activities")
    assert [row["id"] for row in rows] == order
    row = next(row for row in rows if row["id"] == number)
    assert row["details"] == "edited"
    assert row["date_modified"] >= int(time.time()) - 5


def test_activities_can_be_back_dated(client: Client, app: CopperSandbox) -> None:
    (number,) = app.account.create("activities", changes={"activity_date": 1_000_000_000})
    assert client.everything("activities")[-1]["id"] == number


@pytest.mark.parametrize("moves", [True, False])
def test_converting_a_lead(client: Client, app: CopperSandbox, *, moves: bool) -> None:
    app.behaviour.conversion_moves_modified = moves
    lead = next(one for one in app.account.records("leads") if not one["converted_at"])
    client.control("convert", {"ids": [lead["id"]]})
    assert lead["id"] not in {row["id"] for row in client.everything("leads")}
    after = client.search("leads", ids=[lead["id"]], include_converted_leads=True)[0]
    assert (after["date_modified"] > lead["date_modified"]) is moves
    for name, key in (("people", "converted_contact_id"), ("opportunities", "converted_opportunity_id")):
        made = client.get(f"{name}/{after[key]}").json()
        assert made["leads_converted_from"][0]["lead_id"] == lead["id"]


def test_churn_makes_an_upward_walk_lose_records(client: Client, app: CopperSandbox) -> None:
    app.behaviour.churn = Churn(edit=5, objects=["people"])
    upper = int(time.time()) - 5
    rows = client.everything("people", sort_by="date_modified", maximum_modified_date=upper)
    untouched = {one["id"] for one in app.account.records("people") if one["date_modified"] <= upper}
    assert untouched - {row["id"] for row in rows}


def test_churn_creates_deletes_and_converts(client: Client, app: CopperSandbox) -> None:
    app.behaviour.churn = Churn(create=2, delete=1, convert=1)
    before = app.account.records("leads")
    client.search("leads")
    after = app.account.records("leads")
    assert len(after) == len(before) + 1
    assert abs(sum(bool(one["converted_at"]) for one in after) - sum(bool(one["converted_at"]) for one in before)) <= 1


def test_callbacks_see_every_answer(client: Client, app: CopperSandbox) -> None:
    seen: list[tuple[str, str, int | None]] = []

    def note(moment: Moment) -> None:
        seen.append((moment.when, moment.request.path, moment.answer.status if moment.answer else None))
        if moment.when == "before":
            app.account.delete("projects", count=15)

    stop = app.on_answer(note)
    assert client.search("projects") == []
    stop()
    client.get("account")
    assert seen == [("before", "projects/search", None), ("after", "projects/search", 200)]


def test_the_search_index_may_lag(client: Client, app: CopperSandbox) -> None:
    app.behaviour.index_lag = 1.2
    before = client.search("people", sort_by="date_modified", sort_direction="desc", page_size=1)[0]
    (number,) = app.account.edit("people", changes={"name": "Late"})
    (gone,) = app.account.delete("people", ids=[one for one in [before["id"]] if one != number] or [number])
    assert client.search("people", sort_by="date_modified", sort_direction="desc", page_size=1) == [before]
    assert client.get(f"people/{gone}").status_code == 404
    time.sleep(1.25)
    names = [row["name"] for row in client.everything("people", sort_by="date_modified")]
    assert len(names) == 299
    assert (names[-1] == "Late") is (gone != number)


def test_new_fields_appear(client: Client, app: CopperSandbox) -> None:
    app.behaviour.extra_fields = True
    assert client.search("people")[0]["brand_new_field"] == {"a": 1}
    assert "brand_new_field" not in client.search("companies")[0]
    app.behaviour.extra_fields = {"tasks": {"x": None}}
    rows = client.everything("tasks", sort_by="date_created")
    assert sorted(rows, key=lambda row: row["id"]) == app.account.records("tasks")
    assert rows[0]["x"] is None
