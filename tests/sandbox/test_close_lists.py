"""Every list of Close gives the truth, page by page."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close.contract import is_paged
from sandbox.close.object_types import ACTIVITIES, ADDED
from sandbox.close.small_lists import LISTS

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

MANY_RECORDS = True

CORE = {"lead": "leads", "contact": "contacts", "opportunity": "opportunities"}
TYPED = {f"activity/{one.path}": one.name for one in ACTIVITIES}


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize(("path", "name"), [*CORE.items(), *TYPED.items()])
def test_pages_add_up_to_the_truth_newest_first(asker: CloseClient, server: CloseSandbox, path: str, name: str) -> None:
    rows = asker.everything(path, _limit=37)
    assert by_id(rows) == by_id(server.account.records(name))
    moments = [datetime.fromisoformat(row["date_created"]) for row in rows]
    assert all(one >= other for one, other in pairwise(moments))
    assert asker.get(f"{path}/{rows[0]['id']}").json() == rows[0]
    assert asker.rows(path, _fields="id,lead_id,custom", _limit=1)[0].keys() <= {"id", "lead_id"} | {
        key for key in rows[0] if key.startswith("custom.")
    }


def test_small_lists_answer(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = calm_server.account
    for path, one in LISTS.items():
        if one.one_of:
            continue
        query = {"type__in": ",".join({row["type"] for row in truth.records("smart_views")})}
        answer = calm.get(path, **(query if path == "saved_search" else {})).json()
        assert ("has_more" in answer) is (one.paged and is_paged(path))
        kept = [row for row in truth.records(one.name) if one.where is None or row[one.where[0]] == one.where[1]]
        added = {ADDED.get(one.name), *one.without}
        assert answer["data"] == [{key: row[key] for key in row if key not in added} for row in kept]
        number = kept[-1].get("id") or kept[-1]["email"]
        single = calm.get(f"{path}/{number}").json()
        assert single.items() >= answer["data"][-1].items()
        assert calm.get(f"{path}/nobody").status_code == 404


def test_lists_that_need_a_parent(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = calm_server.account
    for name, path, key in (
        ("custom_objects", "custom_object", "lead_id"),
        ("sequence_subscriptions", "sequence_subscription", "sequence_id"),
        ("comments", "comment", "thread_id"),
    ):
        records = truth.records(name)
        found = [row for parent in sorted({row[key] for row in records}) for row in calm.rows(path, **{key: parent})]
        assert by_id(found) == by_id(records)
    thread = truth.records("comment_threads")[0]
    rows = calm.rows("comment", object_id=thread["object_id"])
    assert {row["thread_id"] for row in rows} == {thread["id"]}
    assert any(row["removed_at"] and row["body"] == "" for row in truth.records("comments"))


def test_small_lists_have_pages_and_filters(asker: CloseClient) -> None:
    asker.control("configure", {"limit_caps": {"email_template": 4}, "unpaged_has_more": "shown"})
    assert len(asker.everything("email_template", _limit=4)) == 6
    assert {row["is_archived"] for row in asker.rows("email_template", is_archived="true", _limit=4)} == {True}
    assert asker.get("pipeline").json()["has_more"] is False
    assert {row["type"] for row in asker.rows("saved_search")} == {"lead"}
    assert {row["type"] for row in asker.rows("saved_search", type="contact")} == {"contact"}
    assert all(row["archived_at"] for row in asker.rows("playbook", is_archived="true"))
    assert all(row["position"] > 2 for row in asker.rows("playbook", position__gt=2))
    names = [row["first_name"] for row in asker.rows("user", _order_by="-first_name")]
    assert names == sorted(names, reverse=True)
    assert all(row["status"] == "ended" for row in asker.rows("dialer", status__in="ended,x"))


def test_the_organization_knows_former_members(calm: CloseClient, calm_server: CloseSandbox) -> None:
    me = calm.get("me").json()
    number = me["organizations"][0]["id"]
    assert me["memberships"][0]["role_id"] == "admin"
    assert {"lead_statuses", "pipelines"} < set(me["organizations"][0])
    expand = "memberships__user,inactive_memberships__user"
    organization = calm.get(f"organization/{number}", _expand=expand).json()
    members = organization["memberships"] + organization["inactive_memberships"]
    assert {one["id"] for one in members} == set(calm_server.account.ids("memberships"))
    assert {one["user"]["id"] for one in members} == {one["user_id"] for one in members}
    assert len(organization["inactive_memberships"]) == 3
    assert set(calm_server.account.ids("users")) == {one["user_id"] for one in organization["memberships"]}
    assert "user" not in calm.get(f"organization/{number}").json()["memberships"][0]


def test_schemas_merge_shared_fields_in(calm: CloseClient) -> None:
    own = calm.rows("custom_field/lead")
    merged = calm.get("custom_field_schema/lead").json()["fields"]
    assert merged[: len(own)] == own
    assert {one["is_shared"] for one in merged[len(own) :]} == {True}
    for kind, path in (("activity", "custom_activity"), ("custom_object", "custom_object_type")):
        number = calm.rows(path)[0]["id"]
        assert calm.get(f"custom_field_schema/{kind}/{number}").json()["fields"]
        assert calm.get(f"custom_field_schema/{kind}/nothing").status_code == 404


def test_groups_and_sequences_say_more_one_by_one(calm: CloseClient) -> None:
    group, sequence = calm.rows("group")[1], calm.rows("sequence")[0]
    assert "members" not in group
    assert calm.get(f"group/{group['id']}").json()["members"]
    assert "active" in calm.get(f"sequence/{sequence['id']}").json()["subscription_counts_by_status"]


def test_only_lead_tasks_unless_asked(calm: CloseClient, calm_server: CloseSandbox) -> None:
    assert {row["_type"] for row in calm.everything("task")} == {"lead"}
    everything = calm.everything("task", _type="all", _limit=60)
    assert by_id(everything) == by_id(calm_server.account.records("tasks"))
    assert len({row["_type"] for row in everything}) == 9
    assert {row["id"][:5] for row in everything} == {"task_", "noti_"}
    some = calm.everything("task", _type__in="voicemail,missed_call", is_complete="false")
    assert {(row["_type"], row["is_complete"]) for row in some} == {("voicemail", False), ("missed_call", False)}


def test_tasks_and_opportunities_within_bounds(calm: CloseClient, calm_server: CloseSandbox) -> None:
    for path, name, extra in (("task", "tasks", {"_type": "all"}), ("opportunity", "opportunities", {})):
        truth = sorted(calm_server.account.records(name), key=lambda row: datetime.fromisoformat(row["date_updated"]))
        low, high = truth[10]["date_updated"], truth[40]["date_updated"]
        first, last = (datetime.fromisoformat(one) for one in (low, high))
        moments = {row["id"]: datetime.fromisoformat(row["date_updated"]) for row in truth}
        rows = calm.everything(path, date_updated__gte=low, date_updated__lt=high, **extra)
        assert set(by_id(rows)) == {number for number, moment in moments.items() if first <= moment < last}
        rows = calm.everything(path, date_updated__gt=low, date_updated__lte=high, **extra)
        assert set(by_id(rows)) == {number for number, moment in moments.items() if first < moment <= last}


def test_opportunities_in_order_with_their_sums(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = calm_server.account.records("opportunities")
    for key in ("date_updated", "value"):
        rows = calm.everything("opportunity", _order_by=key, _limit=20)
        values = [row[key] for row in rows if row[key] is not None]
        assert values == sorted(values)
        assert len(rows) == len(truth)
        down = calm.everything("opportunity", _order_by=f"-{key}")
        assert [row[key] for row in down] == [row[key] for row in rows][::-1]
    won = calm.get("opportunity", status_type="won", _limit=1).json()
    kept = [row for row in truth if row.get("status_type") == "won"]
    assert won["total_results"] == sum(won["count_by_value_period"].values()) == len(kept)
    assert won["total_value_annualized"] == sum(row["annualized_value"] or 0 for row in kept)
    rows = calm.everything("opportunity", date_won__gte="2025-01-01")
    assert {row["id"] for row in rows} == {row["id"] for row in truth if (row["date_won"] or "") >= "2025-01-01"}
    assert "opportunities" in calm.rows("opportunity", _group_by="user_id")[0]


def test_activities_of_all_types(calm: CloseClient, calm_server: CloseSandbox) -> None:
    names = list(TYPED.values())
    truth = {row["id"]: row for name in names for row in calm_server.account.records(name)}
    threads, emails = set(calm_server.account.ids("email_threads")), set(calm_server.account.ids("emails"))
    assert set(by_id(calm.everything("activity", _limit=90))) == set(truth) - threads
    assert set(by_id(calm.everything("activity", thread_emails="true"))) == set(truth)
    assert set(by_id(calm.everything("activity", thread_emails="only"))) == set(truth) - emails
    number = next(iter(threads))
    assert calm.get(f"activity/{number}").json() == truth[number]


def test_activities_of_a_lead(calm: CloseClient, calm_server: CloseSandbox) -> None:
    lead_id = calm_server.account.records("calls")[0]["lead_id"]
    truth = [row for name in TYPED.values() for row in calm_server.account.records(name) if row["lead_id"] == lead_id]
    rows = calm.everything("activity", lead_id=lead_id, _order_by="-activity_at", thread_emails="true")
    assert set(by_id(rows)) == {row["id"] for row in truth}
    moments = [datetime.fromisoformat(row["activity_at"] or row["date_created"]) for row in rows]
    assert moments == sorted(moments, reverse=True)
    calls = calm.everything("activity", lead_id=lead_id, _type__in="Call,Note")
    assert {row["_type"] for row in calls} <= {"Call", "Note"}
    user_id = next(row["user_id"] for row in calm_server.account.records("sms") if row["user_id"])
    assert {row["user_id"] for row in calm.everything("activity/sms", user_id=user_id)} == {user_id}


@pytest.mark.parametrize("kind", ["honoured", "ignored", "refused"])
def test_activities_oldest_first(asker: CloseClient, kind: str) -> None:
    asker.control("configure", {"activity_order": kind})
    answer = asker.get("activity", _order_by="date_created")
    if kind == "refused":
        assert answer.status_code == 400
    else:
        dates = [datetime.fromisoformat(row["date_created"]) for row in answer.json()["data"]]
        assert dates == sorted(dates, reverse=kind == "ignored")


@pytest.mark.parametrize("kind", ["honoured", "ignored", "refused"])
def test_ids_in(asker: CloseClient, server: CloseSandbox, kind: str) -> None:
    asker.control("configure", {"id_in": kind})
    ids = sorted(map(str, server.account.ids("notes")))[:3]
    answer = asker.get("activity", id__in=",".join([*ids, "acti_0"]))
    if kind == "refused":
        assert answer.status_code == 400
    else:
        assert (sorted(row["id"] for row in answer.json()["data"]) == ids) is (kind == "honoured")


def test_filters_may_be_ignored(asker: CloseClient, server: CloseSandbox) -> None:
    server.behaviour.ignored_filters = ["activity", "opportunity", "event"]
    assert len(asker.rows("activity/call", date_created__gte="2999-01-01")) == 63
    assert len(asker.rows("opportunity", date_updated__gte="2999-01-01")) == 70
    assert asker.rows("task", date_updated__gte="2999-01-01") == []
    assert len(asker.rows("event", lead_id="lead_0")) == 50


@pytest.mark.parametrize("kind", ["shown", "missing"])
def test_totals(asker: CloseClient, kind: str) -> None:
    asker.control("configure", {"totals": kind})
    answer = asker.get("lead", _limit=0).json()
    assert answer["data"] == []
    assert answer.get("total_results") == (120 if kind == "shown" else None)


def test_ties_may_come_in_another_order(asker: CloseClient, server: CloseSandbox) -> None:
    moment = "2030-01-01T00:00:00+00:00"
    for number in server.account.ids("notes"):
        server.account.edit("notes", ids=[str(number)], changes={"date_created": moment})
    stable = [asker.rows("activity/note", _fields="id") for _ in range(2)]
    server.behaviour.unstable_ties = True
    shaken = [asker.rows("activity/note", _fields="id") for _ in range(2)]
    assert stable[0] == stable[1]
    assert shaken[0] != shaken[1]


def test_the_old_text_search_is_precise_to_the_minute(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = sorted(calm_server.account.records("leads"), key=lambda row: datetime.fromisoformat(row["date_updated"]))
    text = f'date_updated>="{truth[50]["date_updated"][:16]}" sort:date_updated'
    rows = calm.everything("lead", query=text)
    assert [row["id"] for row in rows][-70:] == [row["id"] for row in truth[50:]]
    below = calm.everything("lead", query=f'date_updated<"{truth[50]["date_updated"][:16]}"')
    assert len(below) + len(rows) == 120


def test_leads_show_what_is_nested(calm: CloseClient, calm_server: CloseSandbox) -> None:
    leads = calm.everything("lead")
    contacts = [contact for lead in leads for contact in lead["contacts"]]
    assert len(contacts) == sum(one["lead_id"] is not None for one in calm_server.account.records("contacts"))
    assert all(lead["contact_ids"] == [one["id"] for one in lead["contacts"]] for lead in leads)
    assert not any(task["is_complete"] for lead in leads for task in lead["tasks"])
