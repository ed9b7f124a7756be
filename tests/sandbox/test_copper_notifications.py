"""Copper's notifications: ids alone, sent once, and lost where they are too many."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import SECOND_KEY, SMALL, CopperSandbox, copper_app
from sandbox.copper.sandbox import API_KEY
from tests.sandbox.receiver import Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Client


@pytest.fixture
def app() -> CopperSandbox:
    made = copper_app(SMALL, rate_limit=0, webhook_targets="any", events={"time_scale": 0, "parallel": 1})
    made.account.lists["webhooks"].clear()
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def subscribe(client: Client, receiver: Receiver, kind: str, event: str, **rest: object) -> dict[str, Any]:
    answer = client.post("webhooks", {"target": receiver.url, "type": kind, "event": event, **rest})
    assert answer.status_code == 200, answer.text
    hook: dict[str, Any] = answer.json()
    return hook


def test_edits_of_one_change_come_as_ids_in_notifications_of_thirty(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    hook = subscribe(client, receiver, "person", "update", secret={"token": "t"}, headers={"X-Token": "h"})
    ids = app.account.ids("people")[:35]
    app.account.change("edit", {"object": "people", "ids": ids, "changes": {"title": "Chief"}})
    app.deliveries.advance()
    assert sorted(one for event in receiver.events for one in event["ids"]) == sorted(ids)
    assert sorted(len(event["ids"]) for event in receiver.events) == [5, 30]
    first = receiver.events[0]
    assert (first["type"], first["event"], first["subscription_id"]) == ("person", "update", hook["id"])
    assert first["token"] == "t"
    assert first["updated_attributes"]["title"][1] == "Chief"
    assert not {"name", "emails", "record", "data"} & set(first)
    assert {one["x-token"] for one in receiver.headers} == {"h"}


def test_the_api_tells_of_what_it_creates_changes_and_deletes(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    for event in ("new", "update", "delete"):
        subscribe(client, receiver, "company", event)
    made = client.post("companies", {"name": "New"}).json()["id"]
    client.put(f"companies/{made}", {"name": "Newer"})
    client.put(f"companies/{made}", {"name": "Newer"})
    client.delete(f"companies/{made}")
    app.deliveries.advance()
    assert sorted((one["event"], one["ids"]) for one in receiver.events) == [
        ("delete", [made]),
        ("new", [made]),
        ("update", [made]),
    ]


def test_relations_and_fields_of_the_account_are_no_changes_of_a_record(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    for kind in ("person", "company", "task"):
        subscribe(client, receiver, kind, "update")
    person, company = app.account.ids("people")[0], app.account.ids("companies")[0]
    client.delete(f"people/{person}/related", {"resource": {"id": company, "type": "company"}})
    client.post(f"people/{person}/related", {"resource": {"id": company, "type": "company"}})
    app.account.add_field("Size", "String", available_on=["person"], fill=True)
    app.deliveries.advance()
    assert receiver.events == []


def test_a_notification_is_never_sent_again(app: CopperSandbox, client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver, "lead", "update")
    receiver.statuses = [503]
    app.account.edit("leads")
    app.deliveries.advance(3_600)
    assert [one.outcome for one in app.deliveries.log] == ["failed"]
    assert len(receiver.bodies) == 1


def test_beyond_six_hundred_a_minute_notifications_are_lost(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    app.behaviour.notifications_per_minute, app.behaviour.notifications_per_ten_minutes = 3, 5
    subscribe(client, receiver, "lead", "update")
    for _ in range(4):
        app.account.edit("leads")
    app.deliveries.advance(61)
    for _ in range(4):
        app.account.edit("leads")
    app.deliveries.advance()
    outcomes = [one.outcome for one in app.deliveries.log]
    assert outcomes == [*["delivered"] * 3, "lost", *["delivered"] * 2, *["lost"] * 2]


def test_notifications_may_be_a_quarter_of_an_hour_late_and_overtake_each_other(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    app.behaviour.events.delay = 900
    subscribe(client, receiver, "lead", "update")
    ids = app.account.ids("leads")[:6]
    for number in ids:
        app.account.change("edit", {"object": "leads", "ids": [number]})
    app.deliveries.advance()
    assert receiver.events == []
    app.deliveries.advance(900)
    came = [one["ids"][0] for one in receiver.events]
    assert sorted(came) == sorted(ids)
    assert came != ids


def test_the_same_seed_loses_the_same_notifications(client: Client, app: CopperSandbox, receiver: Receiver) -> None:
    app.behaviour.events.loss = 0.5
    subscribe(client, receiver, "lead", "update")
    for _ in range(12):
        app.account.edit("leads")
    app.deliveries.advance()
    assert [one.number for one in app.deliveries.log if one.outcome == "lost"] == [1, 2, 3, 10, 11, 12]


def test_subscriptions_of_a_key_that_was_switched_are_dead(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    subscribe(client, receiver, "lead", "new")
    app.revoke(API_KEY)
    client.session.headers["X-PW-AccessToken"] = SECOND_KEY
    assert any(one["target"] == receiver.url for one in client.get("webhooks").json())
    app.behaviour.webhooks_shown = "key"
    assert client.get("webhooks").json() == []
    subscribe(client, receiver, "lead", "update")
    app.account.create("leads")
    app.account.edit("leads")
    app.deliveries.advance()
    assert [one["event"] for one in receiver.events] == ["update"]


def test_a_merge_deletes_one_and_updates_the_other_unless_nothing_is_told(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    for event in ("update", "delete"):
        subscribe(client, receiver, "person", event)
    [(lost, survivor)] = app.account.merge("people")
    app.behaviour.untold = ["merge"]
    app.account.merge("people")
    app.deliveries.advance()
    assert [one["ids"] for one in receiver.events if one["event"] == "delete"] == [[lost]]
    assert survivor in [number for one in receiver.events if one["event"] == "update" for number in one["ids"]]


def test_the_app_saves_each_field_on_its_own(app: CopperSandbox, client: Client, receiver: Receiver) -> None:
    app.behaviour.fields_apart = True
    subscribe(client, receiver, "lead", "update")
    app.account.edit("leads", changes={"title": "A", "details": "B", "company_name": "C"})
    app.deliveries.advance()
    assert sorted(next(iter(one["updated_attributes"])) for one in receiver.events) == [
        "company_name",
        "details",
        "title",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": "ftp://example.com"}, "Target"),
        ({"type": "contact"}, "Type"),
        ({"event": "change"}, "Event"),
        ({"secret": {"a": 1}}, "Secret"),
        ({"event": "delete", "type": "activity_log"}, "Event"),
        ({"name": "mine"}, "Name"),
    ],
)
def test_a_subscription_of_a_wrong_form_is_refused(
    app: CopperSandbox, client: Client, body: dict[str, Any], field: str
) -> None:
    app.behaviour.activity_events = "new"
    answer = client.post("webhooks", {"target": "https://example.com", "type": "lead", "event": "new"} | body)
    assert answer.status_code == 422
    assert field in answer.json()["message"]


def test_an_account_has_a_hundred_subscriptions_at_most(app: CopperSandbox, client: Client) -> None:
    body = {"target": "https://example.com", "type": "lead", "event": "new"}
    for _ in range(100 - len(app.account.ids("webhooks"))):
        assert client.post("webhooks", body).status_code == 200
    assert client.post("webhooks", body).status_code == 422


def test_only_this_machine_is_called(app: CopperSandbox, client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver, "lead", "update", target="https://tap.example.com/a")
    app.account.edit("leads")
    app.deliveries.advance()
    assert app.deliveries.log == []
    app.behaviour.events.proxies = {"https://tap.example.com": receiver.url}
    app.account.edit("leads")
    app.deliveries.advance()
    assert app.deliveries.log[-1].outcome == "delivered"


def test_a_test_in_another_process_lets_time_pass_and_sees_what_was_delivered(
    app: CopperSandbox, client: Client, receiver: Receiver
) -> None:
    app.behaviour.events.delay, app.behaviour.events.wrong_signatures = 60, 1.0
    subscribe(client, receiver, "lead", "update", secret={"token": "right"})
    client.control("edit", {"object": "leads"})
    assert client.control("deliveries")["counts"] == {"waiting": 1}
    found = client.control("deliver", {"seconds": 60})
    assert found["counts"] == {"delivered": 1}
    assert found["log"][0]["attempts"][0]["proof"] == "wrong"
    assert [one["token"] for one in receiver.events] == ["wrong"]
