"""Close's webhooks: whole events, signed, tried again for three days, in any order."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any, Literal

import pytest

from sandbox.client import CloseClient
from sandbox.close import SMALL, CloseSandbox, close_app
from sandbox.faults import FaultRule
from sandbox.server import running
from tests.sandbox.receiver import Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEADS = [{"object_type": "lead", "action": one} for one in ("created", "updated", "deleted", "merged")]


@pytest.fixture
def app() -> CloseSandbox:
    made = close_app(SMALL, rate_limit=0, webhook_targets="any", events={"time_scale": 0})
    made.account.lists["webhooks"].clear()
    return made


@pytest.fixture
def asker(app: CloseSandbox) -> Iterator[CloseClient]:
    with running(app) as url:
        asker = CloseClient(url)
        yield asker
        asker.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def subscribe(asker: CloseClient, receiver: Receiver, events: list[dict[str, str]] | None = None) -> dict[str, Any]:
    answer = asker.post("webhook", {"url": receiver.url, "events": events or _LEADS})
    assert answer.status_code == 201, answer.text
    hook: dict[str, Any] = answer.json()
    return hook


def is_signed(receiver: Receiver, place: int, key: str) -> bool:
    headers = receiver.headers[place]
    content = headers["close-sig-timestamp"].encode() + receiver.bodies[place]
    signature = hmac.new(bytes.fromhex(key), content, hashlib.sha256).hexdigest()
    return signature == headers["close-sig-hash"]


def test_only_the_answer_to_the_creation_shows_the_key(app: CloseSandbox, asker: CloseClient) -> None:
    answer = asker.post("webhook", {"url": "https://example.com/x", "events": _LEADS, "verify_ssl": True})
    hook = answer.json()
    assert (answer.status_code, hook["status"], len(hook["signature_key"])) == (201, "active", 64)
    assert "signature_key" not in asker.get(f"webhook/{hook['id']}").json()
    assert all("signature_key" not in one for one in asker.rows("webhook"))
    assert "signature_key" not in asker.put(f"webhook/{hook['id']}", {"verify_ssl": False}).json()
    app.behaviour.signature_keys_shown = "always"
    assert asker.get(f"webhook/{hook['id']}").json()["signature_key"] == hook["signature_key"]
    assert asker.delete(f"webhook/{hook['id']}").status_code == 204
    assert asker.get(f"webhook/{hook['id']}").status_code == 404


def test_a_delivery_is_the_event_of_the_log_signed(app: CloseSandbox, asker: CloseClient, receiver: Receiver) -> None:
    hook = subscribe(asker, receiver)
    [lead] = app.account.edit("leads")
    app.deliveries.advance()
    [event] = receiver.events
    assert event["subscription_id"] == hook["id"]
    assert event["event"] == asker.get(f"event/{event['event']['id']}").json()
    assert (event["event"]["object_id"], event["event"]["action"]) == (lead, "updated")
    assert is_signed(receiver, 0, hook["signature_key"])


def test_a_write_names_who_wrote_and_one_that_did_not_happen_is_not_told(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    subscribe(asker, receiver)
    app.behaviour.faults = [FaultRule(["intact"], at=[1], only="writes", effect="none")]
    asker.post("lead", {"name": "Never"})
    made = asker.post("lead", {"name": "Real"}).json()["id"]
    app.deliveries.advance()
    assert [one["event"]["object_id"] for one in receiver.events] == [made]
    assert receiver.events[0]["event"]["api_key_id"]


def test_an_event_may_come_again_later_and_with_more_fields(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    subscribe(asker, receiver)
    [lead] = app.account.edit("leads", changes={"description": "a"})
    app.deliveries.advance()
    app.account.edit("leads", ids=[lead], changes={"url": "https://example.com"})
    app.deliveries.advance()
    first, second = (one["event"] for one in receiver.events)
    assert first["id"] == second["id"]
    assert first["date_updated"] <= second["date_updated"]
    assert set(first["changed_fields"]) < set(second["changed_fields"])


def test_changes_that_follow_each_other_quickly_are_delivered_as_one(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    app.behaviour.webhook_consolidation = 30
    subscribe(asker, receiver)
    [lead] = app.account.edit("leads", changes={"description": "a"})
    app.account.edit("leads", ids=[lead], changes={"url": "https://example.com"})
    app.deliveries.advance(29)
    assert receiver.events == []
    app.deliveries.advance(1)
    [event] = receiver.events
    assert {"description", "url"} <= set(event["event"]["changed_fields"])


def test_a_refused_event_comes_again_in_growing_gaps_and_out_of_order(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    hook = subscribe(asker, receiver)
    receiver.statuses = [503, 503]
    app.account.edit("leads")
    app.deliveries.advance()
    app.deliveries.advance(100)
    app.account.create("leads")
    app.deliveries.advance(100)
    assert [one["event"]["action"] for one in receiver.events] == ["updated", "updated", "created", "updated"]
    late = app.deliveries.log[0]
    gaps = [later.at - earlier.at for earlier, later in zip(late.attempts, late.attempts[1:], strict=False)]
    assert [round(one) for one in gaps] == [60, 120]
    shown = asker.get(f"webhook/{hook['id']}").json()
    assert shown["counters"] == {"first_fail": 1, "first_success": 1, "retry_success": 1}
    assert shown["history"]["errors"][0]["response_status_code"] == 503


def test_what_is_never_taken_is_dropped_after_three_days_and_the_subscription_paused(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    app.behaviour.webhook_retry_seconds, app.behaviour.webhook_pause_seconds = 3_600, 5_400
    hook = subscribe(asker, receiver)
    receiver.statuses = [500] * 30
    app.account.edit("leads")
    app.deliveries.advance(3_600)
    assert [(one.outcome, one.reason) for one in app.deliveries.log] == [("failed", "dropped")]
    app.account.edit("leads")
    app.deliveries.advance(7_200)
    shown = asker.get(f"webhook/{hook['id']}").json()
    assert (shown["status"], shown["pause_reason"]) == ("paused", "failures")


@pytest.mark.parametrize("fate", ["delivered", "dropped"])
def test_a_backlog_pauses_and_activation_goes_on(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver, fate: Literal["delivered", "dropped"]
) -> None:
    app.behaviour.paused_events, app.behaviour.webhook_backlog = fate, 2
    app.behaviour.events.delay, app.behaviour.events.delays = 60, "same"
    hook = subscribe(asker, receiver)
    app.account.create("leads", count=3)
    app.deliveries.advance(600)
    assert asker.get(f"webhook/{hook['id']}").json()["pause_reason"] == "backlog"
    assert receiver.events == []
    answer = asker.put(f"webhook/{hook['id']}", {"status": "active"}).json()
    assert (answer["status"], answer["pause_reason"]) == ("active", None)
    app.deliveries.advance(60)
    assert len(receiver.events) == (3 if fate == "delivered" else 0)
    app.account.create("leads")
    app.deliveries.advance(60)
    assert receiver.events[-1]["event"]["action"] == "created"


def test_the_deletion_of_a_lead_is_told_of_each_of_its_children(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    kinds = ("lead", "contact", "opportunity", "activity.note")
    subscribe(asker, receiver, [{"object_type": one, "action": "deleted"} for one in kinds])
    lead = next(one for one in app.account.records("leads") if one["contacts"])
    app.account.delete("leads", ids=[lead["id"]])
    app.deliveries.advance()
    told = {one["event"]["object_id"] for one in receiver.events}
    assert {lead["id"], *lead["contact_ids"]} <= told
    assert {one["event"]["lead_id"] for one in receiver.events} == {lead["id"]}


def test_a_merge_tells_of_both_leads_and_of_what_moved(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    app.behaviour.merge_deletes_source = True
    subscribe(asker, receiver)
    [lost] = app.account.merge()
    app.deliveries.advance()
    by_action = {one["event"]["action"]: one["event"] for one in receiver.events}
    assert by_action["deleted"]["object_id"] == lost
    assert by_action["merged"]["meta"]["merge_source_lead_id"] == lost


def test_signatures_may_be_wrong_and_their_time_old(app: CloseSandbox, asker: CloseClient, receiver: Receiver) -> None:
    hook = subscribe(asker, receiver)
    app.behaviour.events.stale = 7_200
    app.account.create("leads")
    app.deliveries.advance()
    assert is_signed(receiver, 0, hook["signature_key"])
    assert time.time() - int(receiver.headers[0]["close-sig-timestamp"]) >= 7_200
    app.behaviour.events.wrong_signatures = 1.0
    app.account.create("leads")
    app.deliveries.advance()
    assert not is_signed(receiver, 1, hook["signature_key"])


def test_events_come_twice_and_before_the_index_knows_the_record(
    app: CloseSandbox, asker: CloseClient, receiver: Receiver
) -> None:
    app.behaviour.events.duplicates, app.behaviour.index_lag = 1.0, 3_600
    subscribe(asker, receiver)
    [lead] = app.account.create("leads")
    app.deliveries.advance()
    first, second = receiver.events
    assert first == second
    found = asker.search("lead", _limit=200).json()["data"]
    assert lead not in {one["id"] for one in found}
    assert asker.get(f"lead/{lead}").status_code == 200


def test_forty_subscriptions_are_the_most(asker: CloseClient) -> None:
    for _ in range(40):
        assert asker.post("webhook", {"url": "https://example.com/x", "events": _LEADS}).status_code == 201
    assert asker.post("webhook", {"url": "https://example.com/x", "events": _LEADS}).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": []},
        {"events": [{"object_type": "status", "action": "updated"}]},
        {"events": [{"object_type": "lead", "action": "changed"}]},
        {"events": [{"object_type": "contact", "action": "created"}]},
        {"events": _LEADS, "url": "no address"},
        {"events": _LEADS, "status": "paused"},
        {"events": _LEADS, "event_filter": "all"},
        {"events": _LEADS, "signature_key": "0" * 64},
    ],
)
def test_a_subscription_of_a_wrong_form_is_refused(
    app: CloseSandbox, asker: CloseClient, wrong: dict[str, Any]
) -> None:
    app.behaviour.refused_events = ["contact created"]
    assert asker.post("webhook", {"url": "https://example.com"} | wrong).status_code == 400


def test_a_filter_is_kept(asker: CloseClient) -> None:
    tree = {"type": "equals", "field_accessor": {"type": "field_accessor", "field": "lead_id"}, "value": "x"}
    made = asker.post("webhook", {"url": "https://example.com", "events": _LEADS, "event_filter": tree}).json()
    assert asker.get(f"webhook/{made['id']}").json()["event_filter"] == tree
