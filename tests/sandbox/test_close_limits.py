"""Rate limits by endpoint group, their headers, and OAuth tokens that rotate."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.close import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SECOND_KEY

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox

NEARLY_20 = (20, 19, 18, 17)
FORM = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "refresh_token"}


def token(asker: CloseClient, refresh: str, **changes: str) -> requests.Response:
    address = asker.url.replace("/api/v1", "/oauth2/token/")
    return requests.post(address, data=FORM | {"refresh_token": refresh} | changes, timeout=30)


def me(asker: CloseClient, access: str) -> int:
    headers = {"Authorization": f"Bearer {access}"}
    return requests.get(f"{asker.url}/me/", headers=headers, timeout=30).status_code


def test_each_group_has_its_own_bucket(asker: CloseClient, server: CloseSandbox) -> None:
    server.behaviour.rate_limit, server.behaviour.rate_window = 2, 30.0
    assert [asker.get("activity/call").status_code for _ in range(2)] == [200, 200]
    assert asker.get("activity/email").status_code == 429
    assert [asker.search("lead").status_code for _ in range(3)] == [200, 200, 429]
    assert asker.get("lead").status_code == 200
    assert server.stats.refused == 2
    server.behaviour.rate_window = 0.1
    time.sleep(0.15)
    assert asker.get("activity").status_code == 200
    server.behaviour.rate_window = 30.0
    asker.control("configure", {"rate_scope": "key"})
    assert [asker.get(path).status_code for path in ("me", "lead", "contact")] == [200, 200, 429]
    asker.session.auth = (SECOND_KEY, "")
    assert asker.get("me").status_code == 200
    asker.control("reset_stats", {})
    assert asker.get("me").status_code == 200


def test_the_organization_has_three_times_as_many(asker: CloseClient, server: CloseSandbox) -> None:
    server.behaviour.rate_limit, server.behaviour.rate_window = 1, 30.0
    server.keys |= {f"api_{n}" for n in range(4)}
    statuses = []
    for n in range(4):
        asker.session.auth = (f"api_{n}", "")
        statuses.append(asker.get("me").status_code)
    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize("form", ["comma", "semicolon", "none"])
def test_the_header_in_each_spelling(asker: CloseClient, form: str) -> None:
    asker.control(
        "configure", {"rate_limit": 100, "rate_window": 1_000, "rate_header": form, "legacy_rate_headers": True}
    )
    answers = [asker.get("me") for _ in range(2)]
    expected = {"comma": "limit=100, remaining=98, reset=", "semicolon": "limit=100; remaining=98; reset="}
    assert answers[1].headers.get("RateLimit", "").rstrip("0123456789") == expected.get(form, "")
    assert answers[1].headers["x-rate-limit-remaining"] == "98"
    assert 0 < float(answers[1].headers["x-rate-limit-reset"]) <= 1_000
    asker.control("configure", {"legacy_rate_headers": False})
    assert "x-rate-limit-limit" not in asker.get("me").headers


@pytest.mark.parametrize("wait", ["none", "seconds"])
@pytest.mark.parametrize("body", ["none", "error", "top_level", "text"])
def test_the_body_of_a_429_is_not_dependable(asker: CloseClient, wait: str, body: str) -> None:
    knobs = {"rate_limit": 1, "rate_window": 20, "retry_after": wait, "rate_body": body}
    asker.control("configure", knobs)
    asker.get("me")
    answer = asker.get("me")
    assert answer.status_code == 429
    assert answer.headers["RateLimit"] in [f"limit=1, remaining=0, reset={seconds}" for seconds in NEARLY_20]
    assert answer.headers.get("Retry-After") in ([None] if wait == "none" else list(map(str, NEARLY_20)))
    if body == "error":
        assert answer.json()["error"]["rate_reset"] in NEARLY_20
    elif body == "top_level":
        assert answer.json()["rate_reset"] in NEARLY_20
    else:
        assert answer.text == ("" if body == "none" else "Too many requests")


def test_no_limit_no_header(calm: CloseClient) -> None:
    assert "RateLimit" not in calm.get("me").headers


def test_a_refresh_token_works_once(asker: CloseClient) -> None:
    answer = token(asker, REFRESH_TOKEN).json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    assert me(asker, answer["access_token"]) == 200
    again = token(asker, REFRESH_TOKEN)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    assert token(asker, answer["refresh_token"]).status_code == 200
    assert me(asker, answer["access_token"]) == 200


def test_access_tokens_expire(asker: CloseClient) -> None:
    first = token(asker, REFRESH_TOKEN).json()
    assert me(asker, first["access_token"]) == 200
    asker.control("configure", {"oauth_ttl": 0})
    second = token(asker, first["refresh_token"]).json()
    assert second["expires_in"] == 0
    assert me(asker, second["access_token"]) == 401


def test_the_token_endpoint_is_strict(asker: CloseClient) -> None:
    assert token(asker, REFRESH_TOKEN, client_secret="wrong").status_code == 401
    assert token(asker, REFRESH_TOKEN, grant_type="password").json() == {"error": "unsupported_grant_type"}
    assert token(asker, REFRESH_TOKEN, grant_type="authorization_code").json() == {"error": "invalid_grant"}
    assert token(asker, REFRESH_TOKEN, scope="all").json() == {"error": "invalid_request"}
    address = asker.url.replace("/api/v1", "/oauth2/token")
    assert requests.post(f"{address}/", json=FORM, timeout=30).status_code == 415
    assert requests.post(address, data=FORM, timeout=30).status_code == 404
    assert requests.get(f"{address}/", timeout=30).status_code == 405
    assert token(asker, REFRESH_TOKEN).status_code == 200
