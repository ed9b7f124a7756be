"""The Close server turns down what Close's documentation does not allow."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.close import ACCESS_TOKEN, API_KEY, SECOND_KEY

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

MANY_RECORDS = True


def test_wrong_credentials_are_refused(asker: CloseClient) -> None:
    for auth in ((API_KEY, "x"), ("api_wrong", ""), None):
        asker.session.auth = auth
        answer = asker.get("me")
        assert answer.status_code == 401
        assert list(answer.json()) == ["error"]
    for value, status in ((f"Bearer {ACCESS_TOKEN}", 200), ("Bearer nope", 401), ("Basic ???", 401)):
        answer = requests.get(f"{asker.url}/me/", headers={"Authorization": value}, timeout=30)
        assert answer.status_code == status


def test_keys_can_be_revoked_while_others_stay_valid(asker: CloseClient, server: CloseSandbox) -> None:
    server.revoke(API_KEY, after=2)
    assert [asker.get("me").status_code for _ in range(4)] == [200, 200, 401, 401]
    asker.session.auth = (SECOND_KEY, "")
    assert asker.get("me").status_code == 200
    asker.control("revoke", {})
    assert asker.get("me").status_code == 401


@pytest.mark.parametrize("path", ["lead", "me", "data/search", "nothing/", "lead/lead_0/", "organization/", "v2/lead/"])
def test_unknown_paths_and_paths_without_a_slash_are_not_found(calm: CloseClient, path: str) -> None:
    answer = calm.session.get(f"{calm.url}/{path}", timeout=30)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


def test_methods_and_content_types(asker: CloseClient) -> None:
    assert asker.session.get(f"{asker.url}/data/search/", timeout=30).status_code == 405
    assert asker.post("event", {}).status_code == 405
    assert asker.session.delete(f"{asker.url}/lead/", timeout=30).status_code == 405
    assert asker.session.post(f"{asker.url}/data/search/", data=b"{}", timeout=30).status_code == 415


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("lead", {"date_updated__gte": "2026-01-01"}),
        ("lead", {"_limit": 201}),
        ("lead", {"_limit": "x"}),
        ("lead", {"_skip": -1}),
        ("lead", {"query": "status:won"}),
        ("contact", {"_limit": 101}),
        ("contact", {"_limit": 0}),
        ("contact", {"_order_by": "date_updated"}),
        ("opportunity", {"_limit": 251}),
        ("opportunity", {"_order_by": "name"}),
        ("opportunity", {"date_updated__gte": "yesterday"}),
        ("opportunity", {"date_updated__above": "2026-01-01"}),
        ("opportunity", {"date_updated__gte": "2026-01-01 00:00"}),
        ("task", {"_type": "email"}),
        ("task", {"_order_by": "date_updated"}),
        ("task", {"is_complete": "maybe"}),
        ("task", {"view": "today"}),
        ("activity", {"date_updated__gte": "2026-01-01"}),
        ("activity", {"_type": "Call"}),
        ("activity", {"user_id": "user_1"}),
        ("activity", {"contact_id__in": "cont_1"}),
        ("activity", {"_order_by": "-activity_at"}),
        ("activity", {"activity_at__gte": "2026-01-01"}),
        ("activity", {"lead_id": "lead_1", "activity_at__gte": "2026-01-01"}),
        ("activity", {"lead_id": "lead_1", "_type": "Fax"}),
        ("activity", {"lead_id": "lead_1", "_order_by": "activity_at"}),
        ("activity", {"thread_emails": "some"}),
        ("activity/email", {"thread_emails": "true"}),
        ("activity/call", {"_type": "Call"}),
        ("activity/custom", {"custom_activity_type_id": "actitype_1"}),
        ("activity/note", {"date_updated__gte": "2026-01-01"}),
        ("event", {"_skip": 50}),
        ("event", {"date_updated": "2026-01-01"}),
        ("event", {"_cursor": "nonsense"}),
        ("custom_object", {}),
        ("sequence_subscription", {}),
        ("comment", {}),
        ("comment", {"thread_id": "a", "object_id": "b"}),
        ("email_template", {"is_archived": "1"}),
        ("playbook", {"position__gt": "x"}),
        ("playbook", {"created_at__lt": "x"}),
        ("user", {"_order_by": "age"}),
        ("saved_search", {"kind": "lead"}),
        ("me", {"_limit": 1}),
    ],
)
def test_what_a_list_does_not_know_is_a_validation_error(calm: CloseClient, path: str, query: dict[str, str]) -> None:
    answer = calm.get(path, **query)
    assert answer.status_code == 400
    assert set(answer.json()) == {"errors", "field-errors"}
    assert len(answer.json()["field-errors"]) == 1


def test_unknown_parameters_may_be_ignored(asker: CloseClient) -> None:
    asker.control("configure", {"unknown_parameters": "ignored"})
    assert len(asker.rows("lead", date_updated__gte="2999-01-01")) == 100
    assert asker.rows("status/lead", nonsense=1)


def test_one_parameter_is_silently_ignored_as_it_is_known_to_be(calm: CloseClient) -> None:
    rows = calm.rows("connected_account", _type="google")
    assert {row["_type"] for row in rows} == {"google", "custom_email", "zoom"}


def test_a_bare_plus_is_a_space(asker: CloseClient) -> None:
    address = f"{asker.url}/opportunity/?date_updated__gte=2026-01-01T00:00:00"
    assert asker.session.get(f"{address}+00:00", timeout=30).status_code == 400
    assert asker.session.get(f"{address}%2B00:00", timeout=30).status_code == 200


def test_a_long_filter_may_be_posted(asker: CloseClient, server: CloseSandbox) -> None:
    ids = server.account.ids("notes")[:30]
    headers = {"X-HTTP-Method-Override": "GET"}
    body = {"_params": {"id__in": ids, "_limit": 20, "_fields": "id"}}
    answer = asker.session.post(f"{asker.url}/activity/note/", json=body, headers=headers, timeout=30)
    assert len(answer.json()["data"]) == 20
    assert answer.json()["has_more"] is True
    for wrong in ("{}", "[]", '{"_params": 1}'):
        answer = asker.session.post(f"{asker.url}/activity/note/", data=wrong, headers=headers, timeout=30)
        assert answer.status_code == 400


def test_forbidden_resources(asker: CloseClient, server: CloseSandbox) -> None:
    server.behaviour.forbidden = ["comment_thread", "activity/sms"]
    assert asker.get("comment_thread").status_code == 403
    assert asker.get("activity/sms").status_code == 403
    assert asker.get("activity/call").status_code == 200
    server.behaviour.forbidden_body = "html"
    assert asker.get("activity/sms").text.startswith("<html>")


def test_the_caps_of_pages_can_be_set(asker: CloseClient) -> None:
    asker.control("configure", {"limit_caps": {"lead": 10, "custom_field": 3, "data/search": 5, "event": 7}})
    assert asker.get("lead", _limit=11).status_code == 400
    assert asker.get("custom_field/lead", _limit=4).status_code == 400
    assert len(asker.rows("event", _limit=30)) == 7
    assert asker.search("lead", _limit=6).status_code == 400


@pytest.mark.parametrize(("form", "text"), [("old", "max_skip = 40"), ("new", "less than or equal to 40")])
def test_skip_is_capped_in_either_wording(asker: CloseClient, form: str, text: str) -> None:
    asker.control("configure", {"skip_caps": {"activity": 40}, "skip_error": form})
    assert asker.get("activity/email", _skip=40).status_code == 200
    answer = asker.get("activity/email", _skip=41)
    assert answer.status_code == 400
    assert text in answer.text
    assert asker.get("contact", _skip=41).status_code == 200
    assert asker.get("contact", _skip=250_001).status_code == 400


def test_date_only_filters_follow_the_offset_of_the_header(asker: CloseClient, server: CloseSandbox) -> None:
    server.account.create("notes", dated=4_000_000_000)  # 2096-10-02T07:06:40Z
    asker.session.headers["x-tz-offset"] = "-8"
    assert asker.rows("activity/note", date_created__gte="2096-10-02") == []
    asker.session.headers["x-tz-offset"] = "-4.5"
    assert len(asker.rows("activity/note", date_created__gte="2096-10-02")) == 1
    asker.session.headers["x-tz-offset"] = "x"
    assert asker.get("activity/note").status_code == 400
