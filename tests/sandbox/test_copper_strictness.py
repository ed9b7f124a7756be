"""The server turns down what Copper's documentation does not allow."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.copper import ACCESS_TOKEN, API_KEY, SECOND_KEY, USER_EMAIL

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox


@pytest.mark.parametrize("header", ["X-PW-AccessToken", "X-PW-Application", "X-PW-UserEmail"])
def test_every_credential_header_is_needed(client: Client, header: str) -> None:
    client.session.headers[header] = "wrong"
    answer = client.get("account")
    assert answer.status_code == 401
    assert answer.json()["success"] is False
    del client.session.headers[header]
    assert client.get("account").status_code == 401


def test_a_bearer_token_replaces_the_three_headers(client: Client) -> None:
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}", "Content-Type": "application/json"}
    assert requests.get(f"{client.url}/account", headers=headers, timeout=30).status_code == 200
    headers["Authorization"] = "Bearer nope"
    assert requests.get(f"{client.url}/account", headers=headers, timeout=30).status_code == 401


def test_content_type_is_required_even_on_get(client: Client) -> None:
    del client.session.headers["Content-Type"]
    assert client.get("account").status_code == 400


def test_unknown_paths_get_the_error_envelope(client: Client) -> None:
    for answer in (client.get("nothing"), client.get("people/1"), client.post("pipelines")):
        assert answer.status_code == 404
        assert answer.json() == {"success": False, "status": 404, "message": "Resource not found"}
    outside = client.url.removesuffix("/v1") + "/v2/account"
    assert client.session.get(outside, timeout=30).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("people/search", {"page_size": 0}),
        ("people/search", {"page_size": 201}),
        ("people/search", {"page_size": "200"}),
        ("people/search", {"page_size": True}),
        ("people/search", {"page_number": 0}),
        ("people/search", {"page_number": 1.5}),
        ("people/search", {"page_number": None}),
        ("people/search", {"sort_by": "id"}),
        ("people/search", {"sort_by": []}),
        ("people/search", {"sort_direction": "up"}),
        ("people/search", {"minimum_modified_date": "2020-01-01"}),
        ("people/search", {"minimum_due_date": 1}),
        ("people/search", {"include_converted_leads": True}),
        ("people/search", {"unheard_of": 1}),
        ("people/search", {"ids": ["1"]}),
        ("people/search", {"fields": ["id", "nope"]}),
        ("people/search", {"custom_fields": [{"custom_field_definition_id": 126_240, "value": "x"}]}),
        ("companies/search", {"ids": [1]}),
        ("leads/search", {"emails": ["a@example.com"]}),
        ("leads/search", {"include_converted_leads": 1}),
        ("opportunities/search", {"status_ids": [9]}),
        ("projects/search", {"fields": ["id"]}),
        ("tasks/search", {"statuses": ["Done"]}),
        ("activities/search", {"sort_by": "activity_date"}),
        ("activities/search", {"minimum_modified_date": 1}),
        ("activities/search", {"parent": {"id": 1, "type": "people"}}),
        ("activities/search", {"activity_types": [{"id": 0}]}),
        ("users/search", {"sort_by": "name"}),
    ],
)
def test_bad_search_parameters_are_refused(client: Client, path: str, body: object) -> None:
    answer = client.post(path, body)
    assert answer.status_code == 422
    error = answer.json()
    assert (error["success"], error["status"]) == (False, 422)
    assert error["message"].startswith("Invalid input: ")


@pytest.mark.parametrize("body", [b"{", b"[]", b"nope"])
def test_a_body_must_be_a_json_object(client: Client, body: bytes) -> None:
    answer = client.session.post(f"{client.url}/people/search", data=body, timeout=30)
    assert answer.status_code == 400


def test_paging_in_the_query_string_is_ignored(client: Client) -> None:
    answer = client.post("people/search", {}, page_size=5, page_number=9)
    assert len(answer.json()) == 20


def test_keys_can_be_revoked_while_others_stay_valid(client: Client, app: CopperSandbox) -> None:
    app.revoke(API_KEY, after=2)
    assert [client.get("account").status_code for _ in range(4)] == [200, 200, 401, 401]
    client.session.headers["X-PW-AccessToken"] = SECOND_KEY
    assert client.get("users/me").json()["email"] == USER_EMAIL
    client.control("revoke", {})
    assert client.get("account").status_code == 401


def test_forbidden_resources_and_leads_switched_off(client: Client, app: CopperSandbox) -> None:
    app.behaviour.forbidden = ["pipeline_stages"]
    assert client.get("pipeline_stages").status_code == 403
    assert client.get("pipelines").status_code == 200
    app.behaviour.leads_enabled = False
    assert client.post("leads/search").status_code == 403
    assert client.get("lead_statuses").status_code == 403
    assert client.get("account").json()["settings"]["setting_enable_leads"] is False
