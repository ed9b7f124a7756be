"""Tokens and how far they reach, limits of each route, and the shapes of errors."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sandbox.copera import API_KEY, OAUTH_TOKEN, PAT, CoperaSandbox

if TYPE_CHECKING:
    from sandbox.client import CoperaClient


LIMITED = "workspace/info"
AREAS = {
    "board/list-boards": "boards",
    "chat/channels": "channels",
    "docs/tree": "docs",
    "drive/tree": "drive",
    "search?q=a": "search",
    "notifications": "notifications",
    "workspace/members": "workspace",
    "bookings": "bookings",
}


def statuses(client: CoperaClient, token: str) -> dict[str, int]:
    client.session.headers["Authorization"] = f"Bearer {token}"
    return {area: client.get(path).status_code for path, area in AREAS.items()}


def test_how_far_each_token_reaches(client: CoperaClient) -> None:
    assert set(statuses(client, PAT).values()) == {200}
    key = statuses(client, API_KEY)
    assert {area for area, status in key.items() if status == 200} == {"boards", "channels"}
    assert set(key.values()) == {200, 403}
    oauth = statuses(client, OAUTH_TOKEN)
    assert [area for area, status in oauth.items() if status != 200] == ["bookings"]
    answer = client.get("bookings")
    assert answer.json() == {
        "statusCode": 403,
        "error": "Forbidden",
        "message": "You are not allowed to access bookings",
    }


def test_scopes_of_a_token(client: CoperaClient) -> None:
    client.control("configure", {"scopes": {"pat": ["access_boards", "access_docs"]}})
    allowed = {area for area, status in statuses(client, PAT).items() if status == 200}
    assert allowed == {"boards", "docs", "search", "notifications", "workspace"}
    hits = client.json("search", q="o", types="document,channel,driveContent")["hits"]
    assert {one["entityType"] for one in hits} == {"document"}
    assert client.get("search", q="o", types="channel,driveContent").status_code == 403
    assert statuses(client, OAUTH_TOKEN)["drive"] == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        PAT,
        f"Bearer {PAT}x",
        "Bearer cp_xyz_abc",
        f"Basic {PAT}",
        "Bearer ",
        f"bearer{PAT}",
        "Bearer cp_pat_unknown",
    ],
)
def test_who_is_not_let_in(client: CoperaClient, header: str) -> None:
    client.session.headers["Authorization"] = header
    answer = client.get("board/list-boards")
    assert answer.status_code == 401
    assert answer.json() == {"statusCode": 401, "error": "Unauthorized", "message": "Invalid token"}


def test_tokens_expire_and_are_revoked(app: CoperaSandbox, client: CoperaClient) -> None:
    client.control("configure", {"token_expires_after": 2})
    assert [client.get(LIMITED).status_code for _ in range(4)] == [200, 200, 401, 401]
    client.control("configure", {"token_expires_after": None})
    assert client.get(LIMITED).status_code == 200
    client.control("revoke", {"key": PAT, "after": 1})
    assert [client.get(LIMITED).status_code for _ in range(2)] == [200, 401]
    assert statuses(client, API_KEY)["boards"] == 200
    app.restore()
    assert statuses(client, PAT)["boards"] == 200
    with pytest.raises(ValueError, match="cp_pat_"):
        app.admit("sk_nothing")
    app.admit("cp_pat_another")
    assert statuses(client, "cp_pat_another")["docs"] == 200


def test_a_key_sees_the_boards_and_channels_it_was_added_to(app: CoperaSandbox, client: CoperaClient) -> None:
    boards, channels = app.account.ids("boards"), app.account.ids("channels")
    client.control("configure", {"key_boards": boards[:2], "key_channels": channels[:3]})
    client.session.headers["Authorization"] = f"Bearer {API_KEY}"
    assert [one["_id"] for one in client.json("board/list-boards")] == boards[:2]
    assert client.json("chat/channels")["total"] == 3
    table = next(one for one in app.account.tables.values() if one.board == boards[2])
    for path in ("", "/tables", f"/table/{table.id}", f"/table/{table.id}/rows"):
        assert client.get(f"board/{boards[2]}{path}").status_code == 403
        assert client.get(f"board/{'0' * 24}{path}").status_code == 404
    client.session.headers["Authorization"] = f"Bearer {PAT}"
    assert client.get(f"board/{boards[2]}").status_code == 200


def test_forbidden_boards_are_listed_but_closed(app: CoperaSandbox, client: CoperaClient) -> None:
    sales = app.account.table_named("Leads").board
    client.control("configure", {"forbidden_boards": [sales]})
    assert sales in [one["_id"] for one in client.json("board/list-boards")]
    assert {client.get(f"board/{sales}{path}").status_code for path in ("", "/tables")} == {403}
    answer = client.get(f"board/{sales}/table/{app.account.table_named('Leads').id}/rows")
    assert answer.json()["message"] == "You are not allowed to access boards"


def test_each_route_has_its_own_window(app: CoperaSandbox, client: CoperaClient) -> None:
    client.control("configure", {"rate_limit": 2, "rate_window": 30})
    tables = list(app.account.tables.values())
    paths = [f"board/{one.board}/table/{one.id}" for one in tables[:3]]
    assert [client.get(path).status_code for path in paths] == [200, 200, 429]
    assert [client.get(f"{path}/rows").status_code for path in paths] == [200, 200, 429]
    client.session.headers["Authorization"] = f"Bearer {API_KEY}"
    assert client.get(paths[0]).status_code == 200
    client.control("configure", {"rate_window": 0.1})
    time.sleep(0.15)
    client.session.headers["Authorization"] = f"Bearer {PAT}"
    assert client.get(paths[0]).status_code == 200
    client.control("configure", {"rate_window": 30})
    assert [client.get(path).status_code for path in paths[1:]] == [200, 429]
    assert app.stats.refused == 3
    assert app.most_per_route(30)["board/{boardId}/table/{tableId}/rows"] == 3
    client.control("reset_stats", {})
    assert client.get(paths[0]).status_code == 200


def test_other_limits_and_scopes_of_limits(client: CoperaClient) -> None:
    client.control("configure", {"rate_limits": {LIMITED: 1}, "rate_scope": "workspace", "rate_limit": 3})
    assert [client.get(LIMITED).status_code for _ in range(2)] == [200, 429]
    assert [client.get("board/list-boards").status_code for _ in range(2)] == [200, 200]
    client.session.headers["Authorization"] = f"Bearer {API_KEY}"
    assert [client.get("board/list-boards").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("form", ["epoch", "delta"])
@pytest.mark.parametrize("header", ["none", "seconds"])
@pytest.mark.parametrize("body", ["retryAfter", "code"])
def test_what_a_429_says(client: CoperaClient, form: str, header: str, body: str) -> None:
    knobs = {"rate_limit": 1, "rate_window": 40, "reset_form": form, "retry_after": header, "limit_body": body}
    client.control("configure", knobs)
    first, second = client.get(LIMITED), client.get(LIMITED)
    assert [one.headers["x-ratelimit-limit"] for one in (first, second)] == ["1", "1"]
    assert [one.headers["x-ratelimit-remaining"] for one in (first, second)] == ["0", "0"]
    reset = int(second.headers["x-ratelimit-reset"]) - (time.time() if form == "epoch" else 0)
    assert 37 <= reset <= 41
    assert second.status_code == 429
    if body == "code":
        assert second.json() == {"error": "Rate limit exceeded", "code": "RATE_LIMIT"}
    else:
        assert 38 <= second.json().pop("retryAfter") <= 40
        assert second.json().keys() == {"statusCode", "error", "message", "retryAfter"}
    wait = second.headers.get("Retry-After")
    assert wait is None if header == "none" else 38 <= int(wait or 0) <= 40


def test_windows_by_the_clock_and_without_headers(client: CoperaClient) -> None:
    client.control("configure", {"rate_limit": 5, "rate_window": 1_000, "window_start": "clock"})
    assert int(client.get(LIMITED).headers["x-ratelimit-reset"]) % 1_000 == 0
    client.control("configure", {"rate_headers": False})
    assert "x-ratelimit-limit" not in client.get(LIMITED).headers
    client.control("configure", {"rate_headers": True, "rate_limit": 0})
    assert "x-ratelimit-limit" not in client.get(LIMITED).headers


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("statusCode", {"statusCode": 404, "error": "Not Found", "message": "Board not found"}),
        ("code", {"error": "Board not found", "code": "NOT_FOUND"}),
        ("message", {"message": "Board not found", "code": "NOT_FOUND"}),
    ],
)
def test_errors_in_each_shape(client: CoperaClient, shape: str, expected: dict[str, object]) -> None:
    client.control("configure", {"error_shape": shape})
    answer = client.get(f"board/{'0' * 24}")
    assert (answer.status_code, answer.json()) == (404, expected)
    client.session.headers["Authorization"] = "Bearer nothing"
    assert client.get("docs/tree").json().keys() == expected.keys()


def test_unknown_parameters_paths_and_ids(app: CoperaSandbox, client: CoperaClient) -> None:
    table = app.account.table_named("Leads")
    path = f"board/{table.board}/table/{table.id}"
    for one in (f"{path}/rows", path, "board/list-boards", "workspace/info", "docs/tree", "booking-types"):
        answer = client.get(one, limit_to=5)
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid parameter: limit_to")
    assert client.get(f"{path}/rows", limit=5).status_code == 400
    assert client.get(f"{path}/rows", updatedAt="2026-01-01").status_code == 400
    client.control("configure", {"unknown_parameters": "ignored"})
    assert len(client.json(f"{path}/rows", limit=5)) == len(table.rows)
    assert client.get("board/xyz").json()["message"] == "Invalid parameter: boardId"
    assert client.get(f"{path}/row/1").json()["message"] == "Invalid parameter: rowId"
    assert client.get(f"{path}/row-number/one").json()["message"] == "Invalid parameter: rowNumber"
    for unknown in ("boards", "docs", f"{path}/rows/", "board/board/list-boards", "channels", "workspace"):
        assert client.get(unknown).status_code == 404
    address = client.url.replace("/public/v1", "/v1")
    assert client.session.get(f"{address}/board/list-boards", timeout=30).status_code == 404
    assert client.session.post(f"{client.url}/board/list-boards", json={}, timeout=30).status_code == 404
    assert client.session.delete(f"{client.url}/docs/{'0' * 24}", timeout=30).status_code == 404


def test_an_export_needs_a_view_and_has_no_times(app: CoperaSandbox, client: CoperaClient) -> None:
    table = app.account.table_named("Deals")
    address = f"{client.url}/board/{table.board}/table/{table.id}/export"
    order: dict[str, object] = {"boardId": table.board, "viewId": "a" * 24, "format": "JSON"}
    answer = client.session.post(address, json=order, timeout=30).json()
    assert answer["rowCount"] == len(answer["rows"]) == len(table.rows)
    assert answer["rows"][0].keys() == {"_id", "rowId", "columns"}
    queued = client.session.post(address, json=order | {"format": "PDF"}, timeout=30)
    assert (queued.status_code, queued.json()["asyncJob"]["status"]) == (202, "queued")
    wrongs: tuple[dict[str, object], ...] = ({"viewId": ""}, {"format": "DOC"}, {"boardId": "b" * 24}, {"rows": []})
    for wrong in wrongs:
        assert client.session.post(address, json=order | wrong, timeout=30).status_code == 400
    client.session.headers["Authorization"] = f"Bearer {API_KEY}"
    assert client.session.post(address, json=order, timeout=30).status_code == 403
