"""Copera's broken answers, above all a table that is cut short."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from sandbox.client import CoperaClient
    from sandbox.copera import CoperaSandbox
    from sandbox.faults import Kind


PATHS = (
    *("board/list-boards", "docs/tree", "docs/search?q=a", "drive/tree", "drive/search?q=a", "chat/channels"),
    *("workspace/info", "workspace/members", "workspace/teams", "notifications", "bookings", "booking-types"),
)


def rule(app: CoperaSandbox, kind: Kind, **more: Any) -> None:  # noqa: ANN401
    app.behaviour.faults = [FaultRule([kind], **({"every": 1} | more))]


def row_path(app: CoperaSandbox) -> str:
    one = app.account.records("comments")[0]
    return f"board/{one['board']}/table/{one['table']}/row/{one['row']}"


def rows_path(app: CoperaSandbox) -> str:
    table = app.account.table_named("Leads")
    return f"board/{table.board}/table/{table.id}/rows"


def every_path(app: CoperaSandbox) -> list[str]:
    row = row_path(app)
    table = row.partition("/row/")[0]
    board = table.partition("/table/")[0]
    return [*PATHS, board, f"{board}/tables", table, f"{table}/rows", row, f"{row}/md", f"{row}/comments"]


@pytest.mark.parametrize("status", ["500", "502", "503", "504", "429"])
def test_statuses_on_every_endpoint(app: CoperaSandbox, client: CoperaClient, status: Kind) -> None:
    rule(app, status, retry_after=3)
    for path in every_path(app):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (int(status), "3")
        assert answer.json().keys() == {"statusCode", "error", "message"}


@pytest.mark.parametrize("kind", ["broken_json", "cut_json", "html", "empty"])
def test_bodies_that_are_no_json(app: CoperaSandbox, client: CoperaClient, kind: Kind) -> None:
    rule(app, kind)
    for path in every_path(app):
        answer = client.get(path)
        assert answer.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            answer.json()


@pytest.mark.parametrize("kind", ["cut_connection", "drop", "stall"])
def test_connections_that_break(app: CoperaSandbox, client: CoperaClient, kind: Kind) -> None:
    rule(app, kind, seconds=0.05)
    for path in (rows_path(app), "docs/tree"):
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            client.get(path)


def test_empty_pages_that_are_not_the_end(app: CoperaSandbox, client: CoperaClient) -> None:
    rule(app, "empty_page")
    assert client.json(rows_path(app)) == []
    assert client.json("board/list-boards") == []
    assert client.json("chat/channels") == {"channels": [], "total": 30, "limit": 100, "offset": 0}
    assert client.json("bookings", limit=5) == {"bookings": [], "nextCursor": None}
    assert client.json("docs/tree")["root"] == []
    assert client.json(f"{row_path(app)}/comments")["items"] == []
    assert client.json("workspace/info")["_id"]
    rule(app, "null")
    assert client.json(rows_path(app)) is None


def whole(app: CoperaSandbox, client: CoperaClient) -> bytes:
    app.behaviour.rows_cut.how = "off"
    return client.get(rows_path(app)).content


def cut(client: CoperaClient, app: CoperaSandbox, at: float, how: str) -> tuple[bytes, requests.Response | None]:
    """Give what came of a cut answer, and the answer if it looked whole."""
    client.control("configure", {"rows_cut": {"at": at, "how": how}})
    came = b""
    with client.session.get(f"{client.url}/{rows_path(app)}", stream=True, timeout=30) as answer:
        try:
            for part in answer.iter_content(None):
                came += part
        except requests.exceptions.ChunkedEncodingError:
            return came, None
        return came, answer


@pytest.mark.parametrize("at", [0, 1, 0.25, 0.5, 777, -1, 0.999])
@pytest.mark.parametrize("how", ["short_message", "closed", "chunks_end", "chunks_closed"])
def test_rows_are_cut_at_any_byte(app: CoperaSandbox, client: CoperaClient, at: float, how: str) -> None:
    body = whole(app, client)
    sent = int(at * len(body)) if 0 <= at < 1 else int(at if at > 0 else len(body) + at)
    came, answer = cut(client, app, at, how)
    assert body.startswith(came)
    assert (answer is None) is how.endswith("closed")
    if answer is not None:
        assert len(came) == sent
        assert answer.headers.get("Content-Length") == (str(sent) if how == "short_message" else None)
        with pytest.raises(json.JSONDecodeError):
            json.loads(came)
    else:
        assert len(came) <= sent
    assert app.stats.log[-1].sent == sent


def test_only_some_answers_are_cut(app: CoperaSandbox, client: CoperaClient) -> None:
    body = whole(app, client)
    other = app.account.table_named("Deals")
    knob = {"at": 0.5, "how": "short_message", "times": 2, "table": app.account.table_named("Leads").id}
    client.control("configure", {"rows_cut": knob})
    assert client.json(f"board/{other.board}/table/{other.id}/rows")
    answers = [client.get(rows_path(app)).content for _ in range(3)]
    assert [len(one) for one in answers] == [len(body) // 2, len(body) // 2, len(body)]


def test_rows_without_a_content_length(app: CoperaSandbox, client: CoperaClient) -> None:
    body = whole(app, client)
    client.control("configure", {"transfer": "chunked"})
    answer = client.get(rows_path(app))
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers
    assert answer.content == body
    rule(app, "cut_json", path="/rows")
    assert client.get(rows_path(app)).content == body[: len(body) // 2]


def test_a_table_may_change_right_before_it_is_read(app: CoperaSandbox, client: CoperaClient) -> None:
    table = app.account.table_named("Leads")
    before = client.json(rows_path(app))
    client.control("configure", {"churn": {"edit": 2, "create": 3, "delete": 1, "objects": [table.id]}})
    after = client.json(rows_path(app))
    assert len(after) == len(before) + 2
    assert after == app.account.records(f"rows:{table.id}")


def test_latency_and_stats_by_path(app: CoperaSandbox, client: CoperaClient) -> None:
    client.control("configure", {"latency_ms": 20})
    client.get(rows_path(app))
    stats = client.control("stats")
    assert stats["by_path"] == {"board/{id}/table/{id}/rows": 1}
    assert stats["bytes"] == len(client.get(rows_path(app)).content)
