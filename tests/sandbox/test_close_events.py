"""The event log: which filters it takes, its order and pages, and how it falls behind."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import pytest

from sandbox.close.moments import SECOND, micros_of
from sandbox.close.object_types import ACTIVITIES

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

MANY_RECORDS = True

FILTERS = ("action", "lead_id", "object_id", "object_type", "request_id", "user_id")
ALLOWED = {
    (),
    ("object_id", "object_type"),
    ("action", "object_type"),
    ("action", "object_id"),
    ("lead_id",),
    ("lead_id", "object_type"),
    ("action", "lead_id", "object_type"),
    ("lead_id", "user_id"),
    ("lead_id", "object_type", "user_id"),
    ("action", "lead_id", "object_type", "user_id"),
    ("user_id",),
    ("object_id", "user_id"),
    ("action", "object_id", "user_id"),
    ("object_type", "user_id"),
    ("action", "object_type", "user_id"),
    ("request_id",),
}


def test_only_documented_combinations_of_filters(calm: CloseClient, calm_server: CloseSandbox) -> None:
    event = next(one for one in calm_server.account.records("events") if all(one[name] for name in FILTERS))
    events = calm_server.account.records("events")
    for count in range(len(FILTERS) + 1):
        for names in combinations(FILTERS, count):
            query = {name: event[name] for name in names}
            answer = calm.get("event", date_updated__lte="2999-01-01", **query)
            assert answer.status_code == (200 if names in ALLOWED else 400), names
            if names in ALLOWED:
                kept = [one["id"] for one in events if query.items() <= one.items()]
                assert [one["id"] for one in answer.json()["data"]] == kept[::-1][:50]


def test_newest_first_in_pages_of_fifty(calm: CloseClient, calm_server: CloseSandbox) -> None:
    truth = calm_server.account.records("events")
    rows = calm.events()
    assert rows == truth[::-1]
    assert all(one["date_updated"] >= other["date_updated"] for one, other in pairwise(rows))
    assert not any(one["date_updated"].endswith("+00:00") for one in rows)
    first = calm.get("event", _limit=1_000).json()
    assert len(first["data"]) == 50
    assert first["cursor_previous"] is None
    second = calm.get("event", _cursor=first["cursor_next"]).json()
    back = calm.get("event", _cursor=second["cursor_previous"]).json()
    assert back["data"] == first["data"]
    assert calm.get(f"event/{rows[7]['id']}").json() == rows[7]
    assert calm.get("event/ev_0").status_code == 404


def test_a_cursor_needs_the_same_filters_again(calm: CloseClient) -> None:
    query = {"object_type": "activity.email", "action": "created"}
    cursor = calm.get("event", _limit=1, **query).json()["cursor_next"]
    assert calm.get("event", _cursor=cursor, **query).status_code == 200
    assert calm.get("event", _cursor=cursor).status_code == 400


@pytest.mark.parametrize("kind", ["honoured", "first_page"])
def test_bounds_together_with_a_cursor(asker: CloseClient, server: CloseSandbox, kind: str) -> None:
    asker.control("configure", {"event_bounds": kind})
    truth = server.account.records("events")
    bound = truth[-61]["date_updated"]
    rows = asker.events(date_updated__gt=bound)
    assert len(rows) == (60 if kind == "honoured" else len(truth))


def test_the_log_is_30_days_long(asker: CloseClient, server: CloseSandbox) -> None:
    before = asker.events()
    asker.control("configure", {"clock_skew": 20 * 86_400})
    after = asker.events()
    assert 0 < len(after) < len(before)
    assert len(after) == len(server.account.ids("events"))
    assert asker.get(f"event/{before[-1]['id']}").status_code == 404
    asker.control("configure", {"clock_skew": 40 * 86_400})
    assert asker.events() == []


def test_quick_changes_share_an_event(asker: CloseClient, server: CloseSandbox) -> None:
    (number,) = server.account.edit("leads", changes={"name": "One"})
    time.sleep(0.01)
    server.account.edit("leads", ids=[number], changes={"url": "https://two.example"})
    (event,) = asker.events(object_id=number, object_type="lead", date_updated__gte="2026-11-22")
    assert {"name", "url"} <= set(event["changed_fields"])
    assert event["date_updated"] > event["date_created"]
    assert event["data"]["name"] == "One"
    assert event["previous_data"]["name"] != "One"
    server.behaviour.event_consolidation = 0
    server.account.edit("leads", ids=[number])
    assert len(asker.events(object_id=number, object_type="lead", date_updated__gte="2026-11-22")) == 2


def _wait(server: CloseSandbox, seconds: float) -> None:
    """Let time pass for what does not show yet."""
    stale = server.account.log.table.stale
    stale.update({number: (due - seconds, row) for number, (due, row) in stale.items()})


def test_events_may_show_late_and_out_of_order(asker: CloseClient, server: CloseSandbox) -> None:
    shown = {one["id"] for one in asker.events()}
    server.behaviour.event_lag = 100.0
    server.account.edit("notes", count=40)
    assert {one["id"] for one in asker.events()} == shown
    _wait(server, 60)
    late = {one["id"] for one in asker.events()} - shown
    assert 0 < len(late) < 40
    newest = max(one["date_updated"] for one in asker.events())
    _wait(server, 40)
    rest = [one for one in asker.events() if one["id"] not in shown | late]
    assert len(rest) + len(late) == 40
    assert any(one["date_updated"] <= newest for one in rest)


def test_the_history_tells_of_living_and_of_gone_records(calm_server: CloseSandbox) -> None:
    events = calm_server.account.records("events")
    assert {one["action"] for one in events} == {"created", "updated", "deleted"}
    deleted = [one for one in events if one["action"] == "deleted"]
    assert all(one["data"] is None and one["previous_data"]["id"] == one["object_id"] for one in deleted)
    leads = {row["id"]: row for row in calm_server.account.records("leads")}
    updated = [one for one in events if one["object_type"] == "lead" and one["action"] == "updated"]
    assert all(leads[one["object_id"]].items() >= one["data"].items() for one in updated)


def test_only_admins_see_what_changed_more_than_an_hour_ago(asker: CloseClient, server: CloseSandbox) -> None:
    asker.control("configure", {"admin_key": False})
    server.account.edit("leads")
    new, old = asker.rows("event", _limit=2)
    assert {"data", "previous_data"} <= set(new)
    assert not {"data", "previous_data"} & set(old)
    assert asker.get(f"event/{old['id']}").json() == old


@pytest.mark.parametrize(
    "name", ["leads", "contacts", "opportunities", "tasks", *(one.name for one in ACTIVITIES if one.event)]
)
def test_a_deleted_event_has_the_whole_record(asker: CloseClient, server: CloseSandbox, name: str) -> None:
    record = server.account.records(name)[0]
    asker.control("delete", {"object": name, "ids": [record["id"]]})
    (event,) = asker.events(object_id=record["id"], action="deleted")
    whole = {key: record[key] for key in record if key not in ("contacts", "opportunities", "tasks")}
    assert event["data"] is None
    assert event["previous_data"] == whole
    assert event["lead_id"] == (record["id"] if name == "leads" else record["lead_id"])
    assert event["changed_fields"] == []


def test_the_log_may_reach_back_less_far(asker: CloseClient, server: CloseSandbox) -> None:
    before = asker.events()
    asker.control("configure", {"event_reach": 5 * 86_400.0})
    events = asker.events()
    assert events == server.account.records("events")[::-1]
    assert 0 < len(events) < len(before)
    edge = (server.account.shape.now - 5 * 86_400) * SECOND
    assert all(micros_of(one["date_updated"]) >= edge for one in events)
    assert asker.get(f"event/{before[-1]['id']}").status_code == 404


def test_deleted_events_may_be_missing(asker: CloseClient, server: CloseSandbox) -> None:
    asker.control("configure", {"deleted_missing": 0.5})
    gone = set(server.account.delete("emails", count=60))
    told = {one["object_id"] for one in asker.events(object_type="activity.email", action="deleted")} & gone
    assert 10 < len(told) < 50
    assert all(asker.get(f"activity/email/{number}").status_code == 404 for number in gone - told)


def test_deleted_events_may_show_late_among_older_ones(asker: CloseClient, server: CloseSandbox) -> None:
    asker.control("configure", {"deleted_late": 1.0, "deleted_delay": 100.0})
    (number,) = server.account.delete("notes")
    server.account.edit("leads")
    newest = asker.events()[0]
    assert asker.events(object_id=number, action="deleted") == []
    _wait(server, 101)
    (late,) = asker.events(object_id=number, action="deleted")
    assert late["date_updated"] <= newest["date_updated"]


def test_a_merged_event_has_the_destination_with_all_its_contacts(server: CloseSandbox) -> None:
    account = server.account
    owners = {row["id"]: row["contact_ids"] for row in account.records("leads")}
    server.account.merge(count=20)
    merged = [one for one in account.records("events") if one["action"] == "merged"]
    assert len(merged) == 20
    for one in merged:
        ids = (one["meta"]["merge_source_lead_id"], one["meta"]["merge_destination_lead_id"])
        assert one["object_id"] == one["data"]["id"] == ids[1]
        assert set(one["data"]["contact_ids"]) == {*owners[ids[0]], *owners[ids[1]]}
        assert ("contact_ids" in one["changed_fields"]) is bool(owners[ids[0]])
    noted = {one["destination_lead_id"] for one in account.records("lead_merges")}
    assert {one["object_id"] for one in merged} <= noted
