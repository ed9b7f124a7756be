"""Records of Close change, disappear and merge, and the log tells of it."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close.object_types import TABLES

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseAccount, CloseSandbox

CHILDREN = TABLES[1:]


def news(account: CloseAccount, before: set[int | str]) -> list[dict[str, Any]]:
    """Events that were not there before, oldest first."""
    return [one for one in account.records("events") if one["id"] not in before]


def children(account: CloseAccount, lead_id: str) -> set[str]:
    return {number for name in CHILDREN for number in account.tables[name].by_lead.get(lead_id, ())}


def busy_lead(account: CloseAccount) -> str:
    return max(map(str, account.ids("leads")), key=lambda number: len(children(account, number)))


@pytest.mark.parametrize("name", ["leads", "contacts", "opportunities", "tasks", "emails", "meetings", "lead_merges"])
def test_an_edit_moves_the_date_and_is_told(asker: CloseClient, server: CloseSandbox, name: str) -> None:
    account, start = server.account, datetime.now(UTC)
    before = set(account.ids("events"))
    (number,) = asker.control("edit", {"object": name, "count": 1})["ids"]
    record = account.record(name, number)
    assert (datetime.fromisoformat(record["date_updated"]) - start).total_seconds() > -0.01
    (event,) = news(account, before)
    assert (event["action"], event["object_id"]) == ("updated", number)
    assert event["changed_fields"]
    assert set(event["changed_fields"]) <= set(event["previous_data"])
    assert record.items() >= {key: event["data"][key] for key in event["changed_fields"]}.items()


def test_edits_as_ordered(server: CloseSandbox) -> None:
    account = server.account
    key = next(key for row in account.records("contacts") for key in row if key.startswith("custom."))
    number = next(row["id"] for row in account.records("contacts") if key in row)
    account.edit("contacts", ids=[number], changes={"title": "Chef", key: None})
    assert account.record("contacts", number)["title"] == "Chef"
    assert key not in account.record("contacts", number)
    task = next(row["id"] for row in account.records("tasks") if not row["is_complete"])
    account.edit("tasks", ids=[task], changes={"is_complete": True})
    assert account.records("events")[-1]["action"] == "completed"
    with pytest.raises(KeyError):
        account.edit("leads", ids=["lead_0"])


def test_every_object_can_be_changed_over_http(asker: CloseClient, server: CloseSandbox) -> None:
    for name in server.account.objects():
        if name in ("events", "organization"):
            continue
        count = len(server.account.ids(name))
        (edited,) = asker.control("edit", {"object": name, "count": 1})["ids"]
        (made,) = asker.control("create", {"object": name, "count": 1})["ids"]
        assert {edited, made} <= set(server.account.ids(name)), name
        asker.control("delete", {"object": name, "ids": [made]})
        assert len(server.account.ids(name)) == count + (name == "comments"), name
    truth = asker.control("truth")
    assert truth["leads"]["count"] == len(truth["leads"]["ids"])
    assert asker.control("truth/pipelines") == server.account.records("pipelines")


def test_activities_may_be_dated_back(asker: CloseClient, server: CloseSandbox) -> None:
    before = set(server.account.ids("events"))
    order = {"object": "emails", "count": 3, "dated": 1_600_000_000}
    made = asker.control("create", order)["ids"]
    rows = asker.rows("activity/email", date_created__lte="2020-09-13T12:26:40Z")
    assert {row["id"] for row in rows} == set(made)
    assert {row["date_created"] for row in rows} == {"2020-09-13T12:26:40+00:00"}
    assert {one["object_id"] for one in news(server.account, before)} == set(made)
    assert all(one["date_created"] >= "2026" for one in news(server.account, before))
    assert {row["lead_id"] for row in rows} <= set(server.account.ids("leads"))


def test_deleting_a_lead_deletes_its_children(asker: CloseClient, server: CloseSandbox) -> None:
    account = server.account
    lead_id = busy_lead(account)
    gone = children(account, lead_id) | {lead_id}
    before = set(account.ids("events"))
    asker.control("delete", {"object": "leads", "ids": [lead_id]})
    assert asker.get(f"lead/{lead_id}").status_code == 404
    assert children(account, lead_id) == set()
    told = news(account, before)
    silent = {number for number in gone if number.startswith("acti_")} - {one["object_id"] for one in told}
    assert gone - silent <= {one["object_id"] for one in told}
    assert len(silent) <= 3
    assert {one["action"] for one in told} == {"deleted"}
    assert all(one["data"] is None and one["previous_data"] for one in told)
    deleted = asker.events(object_type="lead", action="deleted")
    assert lead_id in {one["object_id"] for one in deleted}


@pytest.mark.parametrize("told", [False, True])
def test_a_merge_moves_everything(asker: CloseClient, server: CloseSandbox, *, told: bool) -> None:
    server.behaviour.merge_deletes_source = told
    account = server.account
    before = set(account.ids("events"))
    leads = {row["id"]: row for row in account.records("leads")}
    created = {row["id"]: row["lead_id"] for row in account.records("created_activities")}
    owners = {number: children(account, number) for number in leads}
    (source,) = asker.control("merge", {"count": 1})["ids"]
    merge = account.records("lead_merges")[-1]
    destination = merge["destination_lead_id"]
    assert (merge["source_lead_id"], merge["lead_id"]) == (source, destination)
    assert source not in account.ids("leads")
    dropped = {number for number, lead_id in created.items() if lead_id == source}
    assert children(account, destination) == (owners[source] | owners[destination] | {merge["id"]}) - dropped
    events = news(account, before)
    meta = {"merge_source_lead_id": source, "merge_destination_lead_id": destination}
    assert all(one["meta"].items() >= meta.items() for one in events)
    (merged,) = [one for one in events if one["action"] == "merged"]
    assert (merged["object_id"], merged["data"]["id"]) == (destination, destination)
    assert (source in {one["object_id"] for one in events if one["action"] == "deleted"}) is told
    moved = {one["object_id"] for one in events if one["action"] == "updated"}
    assert {number for number in owners[source] if number.startswith(("cont_", "oppo_", "task_"))} <= moved
    assert asker.get(f"lead/{destination}").json()["date_updated"] > leads[destination]["date_updated"]


def test_a_leads_contact_list_is_its_own_field(server: CloseSandbox) -> None:
    account = server.account
    before = set(account.ids("events"))
    (number,) = account.create("contacts")
    lead_id = account.record("contacts", number)["lead_id"]
    created, listed = sorted(news(account, before), key=lambda one: str(one["object_type"]))
    assert (created["object_type"], created["action"]) == ("contact", "created")
    assert (listed["object_id"], listed["changed_fields"]) == (lead_id, ["contact_ids"])
    assert number in listed["data"]["contact_ids"]
    assert number not in listed["previous_data"]["contact_ids"]


@pytest.mark.parametrize("moves", [False, True])
def test_children_may_move_their_lead(server: CloseSandbox, *, moves: bool) -> None:
    server.behaviour.children_move_lead = moves
    account = server.account
    contact = next(row for row in account.records("contacts") if row["lead_id"])
    before = account.record("leads", contact["lead_id"])["date_updated"]
    account.edit("contacts", ids=[contact["id"]])
    assert (account.record("leads", contact["lead_id"])["date_updated"] != before) is moves


def test_a_deleted_custom_field_takes_its_values_along(server: CloseSandbox) -> None:
    account = server.account
    shared = next(one["id"] for one in account.records("custom_fields") if one["object_type"] == "shared")
    key = f"custom.{shared}"
    before = {row["id"]: row for row in account.records("leads")}
    assert any(key in row for row in before.values())
    account.delete("custom_fields", ids=[shared])
    after = account.records("leads")
    assert all(row == {name: before[row["id"]][name] for name in before[row["id"]] if name != key} for row in after)
    account.create("leads", count=30)
    assert not any(key in row for row in account.records("leads"))


def test_removed_comments_stay_until_their_thread_is_gone(asker: CloseClient, server: CloseSandbox) -> None:
    comment = next(one for one in server.account.records("comments") if not one["removed_at"])
    asker.control("delete", {"object": "comments", "ids": [comment["id"]]})
    rows = {row["id"]: row for row in asker.rows("comment", thread_id=comment["thread_id"])}
    assert rows[comment["id"]]["body"] == ""
    assert rows[comment["id"]]["removed_at"]
    asker.control("delete", {"object": "comment_threads", "ids": [comment["thread_id"]]})
    assert asker.rows("comment", thread_id=comment["thread_id"]) == []


def test_churn_before_the_core_lists(asker: CloseClient, server: CloseSandbox) -> None:
    asker.control("configure", {"churn": {"edit": 1, "delete": 2, "create": 1}})
    for path, name in (("contact", "contacts"), ("task", "tasks"), ("activity/call", "calls"), ("lead", "leads")):
        before = len(server.account.ids(name))
        asker.get(path)
        assert len(server.account.ids(name)) == before - 1
    asker.control("configure", {"churn": {"edit": 1, "objects": ["tasks"]}})
    stamp = time.time()
    asker.get("opportunity")
    assert not any(
        datetime.fromisoformat(row["date_updated"]).timestamp() >= stamp
        for row in server.account.records("opportunities")
    )
