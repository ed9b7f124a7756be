"""The Close server turns down bodies that Close's documentation does not allow."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close import ACCESS_TOKEN

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

LEAD = "lead of the test"
"""Stands for the id of a lead that is there."""


@pytest.fixture
def lead(writer: CloseClient) -> str:
    return str(writer.post("lead", {"name": "Acme"}).json()["id"])


@pytest.mark.parametrize(
    "case",
    [
        ("lead", {"name": 5}, "name"),
        ("lead", {"nonsense": 1}, "nonsense"),
        ("lead", {"date_updated": "2026-01-01T00:00:00Z"}, "date_updated"),
        ("lead", {"date_created": "2026-01-01T00:00:00Z"}, "date_created"),
        ("lead", {"display_name": "Acme"}, "display_name"),
        ("lead", {"custom": {"Region": "Nord"}}, "custom"),
        ("lead", {"status_id": "stat_0"}, "status_id"),
        ("lead", {"status": "Sleeping"}, "status"),
        ("lead", {"organization_id": "orga_0"}, "organization_id"),
        ("lead", {"contacts": {}}, "contacts"),
        ("lead", {"contacts": [{"name": "Jo"}, {"name": 5}]}, "contacts"),
        ("lead", {"contacts": [{"lead_id": LEAD}]}, "contacts"),
        ("lead", {"addresses": [{"town": "Wien"}]}, "addresses"),
        ("contact", {"lead_id": "lead_0"}, "lead_id"),
        ("contact", {"emails": ["a@example.com"]}, "emails"),
        ("contact", {"emails": [{"email": "no address"}]}, "emails"),
        ("contact", {"emails": [{"type": "office"}]}, "emails"),
        ("contact", {"phones": [{"phone": "123"}]}, "phones"),
        ("contact", {"phones": [{"phone": "+43 CALL ME"}]}, "phones"),
        ("contact", {"urls": [{"url": ""}]}, "urls"),
        ("opportunity", {"value": 12.5}, "value"),
        ("opportunity", {"value": True}, "value"),
        ("opportunity", {"value_period": "weekly"}, "value_period"),
        ("opportunity", {"confidence": 101}, "confidence"),
        ("opportunity", {"status": "Demo"}, "status"),
        ("opportunity", {"custom_fields": {}}, "custom_fields"),
        ("opportunity", {"date_won": "soon"}, "date_won"),
        ("opportunity", {"user_id": "user_0"}, "user_id"),
        ("task", {"text": "Call"}, "lead_id"),
        ("task", {"lead_id": LEAD, "date": "2026-13-01"}, "date"),
        ("task", {"lead_id": LEAD, "is_complete": "true"}, "is_complete"),
        ("activity/note", {"note": "Hi"}, "lead_id"),
        ("activity/note", {"lead_id": LEAD, "created_by": "user_0"}, "created_by"),
        ("activity/note", {"lead_id": LEAD, "date_created": "2026-01-01"}, "date_created"),
        ("activity/call", {"duration": 5}, "lead_id"),
        ("activity/call", {"lead_id": LEAD, "direction": "up"}, "direction"),
        ("activity/call", {"lead_id": LEAD, "recording_url": "http://example.com/1"}, "recording_url"),
        ("activity/call", {"lead_id": LEAD, "duration": -1}, "duration"),
        ("activity/email", {"lead_id": LEAD}, "status"),
        ("activity/email", {"lead_id": LEAD, "status": "outbox"}, "sender"),
        ("activity/email", {"lead_id": LEAD, "status": "sending"}, "status"),
        ("activity/custom", {"lead_id": LEAD}, "custom_activity_type_id"),
        ("activity/custom", {"lead_id": LEAD, "custom_activity_type_id": "actitype_0"}, "custom_activity_type_id"),
        ("custom_object", {"lead_id": LEAD, "name": "Press"}, "custom_object_type_id"),
        ("comment", {"object_id": LEAD, "body": "Hi"}, "object_id"),
        ("unsubscribe/email", {"email": "nobody"}, "email"),
        ("lead/merge", {"source": LEAD, "destination": LEAD}, "source"),
    ],
)
def test_what_can_not_be_written_is_a_validation_error(
    writer: CloseClient, tiny_server: CloseSandbox, lead: str, case: tuple[str, dict[str, Any], str]
) -> None:
    path, body, wrong = case
    before = {name: tiny_server.account.ids(name) for name in tiny_server.account.objects()}
    answer = writer.post(path, json.loads(json.dumps(body).replace(LEAD, lead)))
    assert answer.status_code == 400
    assert set(answer.json()) == {"errors", "field-errors"}
    assert list(answer.json()["field-errors"]) == [wrong]
    assert {name: tiny_server.account.ids(name) for name in tiny_server.account.objects()} == before


def test_every_wrong_field_is_named_and_nested_ones_by_their_place(writer: CloseClient) -> None:
    body = {"name": 5, "contacts": [{"name": "Jo"}, {"emails": [{"email": "a@example.com"}, {"email": "?"}]}]}
    assert writer.post("lead", body).json() == {
        "errors": [],
        "field-errors": {
            "name": "Not a valid string.",
            "contacts": {"1": {"emails": {"1": {"email": "Invalid email address."}}}},
        },
    }


def test_unknown_fields_may_be_ignored(writer: CloseClient) -> None:
    writer.control("configure", {"unknown_fields": "ignored"})
    answer = writer.post("lead", {"name": "Acme", "nonsense": 1, "addresses": [{"city": "Wien", "town": "x"}]})
    assert answer.status_code == 200
    assert "nonsense" not in answer.json()
    assert "town" not in answer.json()["addresses"][0]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"name": '])
def test_a_body_is_a_json_object(writer: CloseClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = writer.session.post(f"{writer.url}/lead/", data=body, headers=headers, timeout=30)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_a_body_says_that_it_is_json(writer: CloseClient, lead: str) -> None:
    assert writer.session.put(f"{writer.url}/lead/{lead}/", data=b"{}", timeout=30).status_code == 415


@pytest.mark.parametrize("path", ["me", "event", "user", "activity", "activity/created", "activity/meeting"])
def test_what_has_no_operation_that_creates_is_405(writer: CloseClient, path: str) -> None:
    assert writer.post(path, {}).status_code == 405


def test_paths_without_a_slash_write_nothing(writer: CloseClient, tiny_server: CloseSandbox) -> None:
    count = len(tiny_server.account.ids("leads"))
    assert writer.session.post(f"{writer.url}/lead", json={"name": "Acme"}, timeout=30).status_code == 404
    assert len(tiny_server.account.ids("leads")) == count


def test_unknown_parameters_of_writes_are_refused(writer: CloseClient, lead: str) -> None:
    assert writer.put(f"lead/{lead}", {"name": "x"}, nonsense=1).status_code == 400
    assert writer.put(f"lead/{lead}", {"name": "x"}, _fields="name").json() == {"name": "x"}


def test_a_plan_has_room_for_so_many(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    writer.control("configure", {"plan_limits": {"lead": len(tiny_server.account.ids("leads")), "activity/note": 1}})
    assert writer.post("lead", {"name": "One more"}).status_code == 402
    assert [writer.post("activity/note", {"lead_id": lead}).status_code for _ in range(2)] == [200, 402]
    assert writer.put(f"lead/{lead}", {"name": "New"}).status_code == 200


def test_a_role_may_read_what_it_may_not_write(writer: CloseClient, lead: str) -> None:
    writer.control("configure", {"forbidden_writes": ["lead"]})
    assert writer.get(f"lead/{lead}").status_code == 200
    answers = [writer.put(f"lead/{lead}", {"name": "x"}), writer.post("lead", {}), writer.delete(f"lead/{lead}")]
    assert [one.status_code for one in answers] == [403, 403, 403]
    assert writer.post("activity/note", {"lead_id": lead}).status_code == 200


def test_what_the_key_does_not_see_it_can_not_write(writer: CloseClient, tiny_server: CloseSandbox, lead: str) -> None:
    tiny_server.behaviour.hidden_ids = {lead}
    assert writer.put(f"lead/{lead}", {"name": "x"}).status_code == 404
    assert writer.delete(f"lead/{lead}").status_code == 404
    assert writer.post("activity/note", {"lead_id": lead}).status_code == 400


def test_other_contacts_and_opportunities_do_not_fit_a_lead(writer: CloseClient, lead: str) -> None:
    contact = writer.post("contact", {"name": "Jo"}).json()["id"]
    for path in ("opportunity", "task", "activity/note"):
        answer = writer.post(path, {"lead_id": lead, "contact_id": contact})
        assert list(answer.json()["field-errors"]) == ["contact_id"]


def test_groups_of_endpoints_have_limits_of_their_own(writer: CloseClient, tiny_server: CloseSandbox) -> None:
    tiny_server.behaviour.rate_limit = 100
    tiny_server.behaviour.rate_limits = {"lead": 2}
    answers = [writer.post("lead", {}) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit"].startswith("limit=2, remaining=1")
    assert writer.post("contact", {}).headers["ratelimit"].startswith("limit=100")


def test_tokens_write_as_keys_do(writer: CloseClient) -> None:
    writer.session.auth = None
    writer.session.headers["Authorization"] = f"Bearer {ACCESS_TOKEN}"
    number = writer.post("lead", {"name": "Acme"}).json()["id"]
    (event,) = writer.events(object_type="lead", object_id=number)
    assert (event["api_key_id"], event["oauth_client_id"]) == (None, "oa2client_sandbox")
