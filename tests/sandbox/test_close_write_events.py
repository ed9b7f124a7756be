"""The event log tells of writes and of who made them; faults and other people get between."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.close import API_KEY, SECOND_KEY

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

KEY_ID = API_KEY.partition(".")[0]
ACME = {"name": "Acme"}


def of(writer: CloseClient, number: str, kind: str = "lead") -> list[dict[str, Any]]:
    """Events of an object, newest first."""
    return writer.events(object_type=kind, object_id=number)


def ids(server: CloseSandbox, name: str = "leads") -> set[int | str]:
    return set(server.account.ids(name))


def test_all_effects_of_a_request_carry_its_id(writer: CloseClient) -> None:
    writer.control("configure", {"trace_id": "request_id"})
    answer = writer.post("lead", {"name": "Acme", "contacts": [{"name": "Jo"}, {"name": "Al"}]})
    events = writer.events(request_id=answer.headers["trace-id"])
    kinds = sorted((one["object_type"], one["action"]) for one in events)
    assert kinds == [
        ("activity.created", "created"),
        ("contact", "created"),
        ("contact", "created"),
        ("lead", "created"),
    ]
    assert {(one["user_id"], one["api_key_id"]) for one in events} == {(answer.json()["created_by"], KEY_ID)}
    assert {one["meta"]["request_method"] for one in events} == {"POST"}
    assert {one["meta"]["request_path"] for one in events} == {"/api/v1/lead/"}
    deleted = writer.delete(f"lead/{answer.json()['id']}").headers["trace-id"]
    assert len(writer.events(request_id=deleted)) == 4


@pytest.mark.parametrize("form", ["other", "none"])
def test_the_trace_id_may_say_nothing_of_the_request_id(writer: CloseClient, form: str) -> None:
    writer.control("configure", {"trace_id": form})
    answer = writer.post("lead", ACME)
    trace = answer.headers.get("trace-id", "")
    assert bool(trace) is (form == "other")
    assert writer.events(request_id=trace or "none") == []


def test_an_update_names_what_changed(writer: CloseClient) -> None:
    number = writer.post("lead", ACME).json()["id"]
    writer.put(f"lead/{number}", {"description": "New"})
    updated, created = of(writer, number)
    assert (updated["action"], updated["changed_fields"]) == ("updated", ["description"])
    assert updated["previous_data"]["description"] == ""
    assert updated["data"]["description"] == "New"
    assert (created["action"], created["data"]["name"]) == ("created", "Acme")


@pytest.mark.parametrize("whose", ["first", "last"])
def test_changes_of_two_credentials_may_share_an_event(writer: CloseClient, whose: str) -> None:
    writer.control("configure", {"consolidated_author": whose, "trace_id": "request_id"})
    number = writer.post("lead", ACME).json()["id"]
    first = writer.put(f"lead/{number}", {"description": "ours"}).headers["trace-id"]
    writer.session.auth = (SECOND_KEY, "")
    second = writer.put(f"lead/{number}", {"url": "https://theirs.example"}).headers["trace-id"]
    updated, _ = of(writer, number)
    assert updated["changed_fields"] == ["description", "url"]
    assert (updated["api_key_id"] == KEY_ID) is (whose == "first")
    assert updated["request_id"] == (first if whose == "first" else second)
    assert updated["data"]["url"] == "https://theirs.example"


def test_what_a_person_changes_has_no_key(writer: CloseClient) -> None:
    writer.control("configure", {"event_consolidation": 0})
    number = writer.post("lead", ACME).json()["id"]
    writer.control("edit", {"object": "leads", "ids": [number], "changes": {"description": "theirs"}})
    edited, created = of(writer, number)
    assert (edited["api_key_id"], created["api_key_id"]) == (None, KEY_ID)


def test_the_log_may_be_late_while_children_and_ids_are_not(writer: CloseClient) -> None:
    writer.control("configure", {"event_lag": 600.0, "index_lag": 600.0})
    lead = writer.post("lead", ACME).json()["id"]
    contact = writer.post("contact", {"lead_id": lead, "emails": [{"email": "jo@example.com"}]}).json()
    assert of(writer, lead) == []
    assert writer.search("lead", {"type": "id", "value": lead}).json()["data"] == []
    assert writer.rows("contact", lead_id=lead) == [contact]
    assert writer.get(f"lead/{lead}").json()["contact_ids"] == [contact["id"]]


def test_lists_of_children_may_read_the_index(writer: CloseClient, tiny_server: CloseSandbox) -> None:
    writer.control("configure", {"index_lag": 600.0, "child_lists": "index"})
    lead = writer.post("lead", ACME).json()["id"]
    contact = writer.post("contact", {"lead_id": lead}).json()
    assert writer.rows("contact", lead_id=lead) == []
    tiny_server.account.tables["contacts"].settle(float("inf"))
    assert writer.rows("contact", lead_id=lead) == [contact]


def test_contacts_are_found_by_their_email(writer: CloseClient) -> None:
    number = writer.post("contact", {"emails": [{"email": "jo@example.com"}]}).json()["id"]
    column = {"type": "regular_field", "object_type": "contact", "field_name": "emails"}
    condition = {"type": "term", "values": ["jo@example.com", "al@example.com"]}
    found = writer.search("contact", {"type": "field_condition", "field": column, "condition": condition})
    assert [one["id"] for one in found.json()["data"]] == [number]


@pytest.mark.parametrize("kind", ["502", "drop", "cut_connection", "cut_json"])
@pytest.mark.parametrize("effect", ["whole", "none"])
def test_a_broken_create_may_have_taken_effect(
    writer: CloseClient, tiny_server: CloseSandbox, kind: str, effect: str
) -> None:
    before = ids(tiny_server)
    events = len(writer.events())
    rule = {"kinds": [kind], "at": [1], "only": "writes", "effect": effect}
    writer.control("configure", {"faults": [rule]})
    with pytest.raises((requests.RequestException, KeyError)):
        assert writer.post("lead", {"name": "Acme", "contacts": [{"name": "Jo"}]}).json()["id"]
    assert len(ids(tiny_server) - before) == (effect == "whole")
    assert len(writer.events()) - events == (3 if effect == "whole" else 0)
    writer.control("configure", {"faults": []})
    assert writer.post("lead", ACME).ok


def test_a_write_may_be_answered_and_have_no_effect(writer: CloseClient, tiny_server: CloseSandbox) -> None:
    number = writer.post("lead", ACME).json()["id"]
    before, state = ids(tiny_server), writer.get(f"lead/{number}").json()
    writer.control("configure", {"faults": [{"kinds": ["intact"], "every": 1, "only": "writes", "effect": "none"}]})
    assert writer.put(f"lead/{number}", {"name": "Other"}).json()["name"] == "Other"
    made = writer.post("lead", ACME)
    assert made.status_code == 200
    object_type = tiny_server.account.lists["custom_object_types"][0]["id"]
    body = {"lead_id": number, "name": "Press", "custom_object_type_id": object_type}
    assert writer.post("custom_object", body).status_code == 201
    assert writer.post("activity/email", {"lead_id": number, "status": "outbox", "sender": "a@example.com"}).ok
    assert writer.delete(f"lead/{number}").status_code == 200
    assert writer.get(f"lead/{made.json()['id']}").status_code == 404
    assert writer.get(f"lead/{number}").json() == state
    assert (ids(tiny_server), writer.rows("custom_object", lead_id=number)) == (before, [])
    assert writer.control("truth/sent") == []
    assert [one["action"] for one in of(writer, number)] == ["created"]


def test_a_bulk_update_may_be_half_done(writer: CloseClient) -> None:
    lead = writer.post("lead", ACME).json()["id"]
    for _ in range(5):
        writer.post("task", {"lead_id": lead})
    writer.control("configure", {"faults": [{"kinds": ["502"], "at": [1], "only": "writes", "effect": "half"}]})
    assert writer.put("task", {"is_complete": True}, lead_id=lead).status_code == 502
    assert len(writer.rows("task", lead_id=lead, is_complete="true")) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_person_edits_meanwhile(writer: CloseClient, when: str) -> None:
    number = writer.post("lead", ACME).json()["id"]
    writer.control("configure", {"meanwhile": {"every": 1, "when": when, "changes": {"name": "Theirs"}}})
    writer.put(f"lead/{number}", {"name": "Ours"})
    assert writer.get(f"lead/{number}").json()["name"] == ("Ours" if when == "before" else "Theirs")


def test_a_person_deletes_meanwhile(writer: CloseClient) -> None:
    number = writer.post("lead", ACME).json()["id"]
    writer.control("configure", {"meanwhile": {"every": 1, "delete": True}})
    assert writer.put(f"lead/{number}", {"name": "Ours"}).status_code == 404


def test_a_person_edits_what_was_just_created(writer: CloseClient) -> None:
    knob = {"every": 1, "when": "after", "changes": {"note": "theirs"}, "objects": ["opportunities"]}
    writer.control("configure", {"meanwhile": knob})
    number = writer.post("opportunity", {"note": "ours"}).json()["id"]
    assert writer.get(f"opportunity/{number}").json()["note"] == "theirs"
