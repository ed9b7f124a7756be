"""Each kind of fault, as a plain client sees it."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox

MANY_RECORDS = True


def _break(app: CopperSandbox, kind: Any, **rule: Any) -> None:  # noqa: ANN401
    app.behaviour.faults = [FaultRule([kind], at=[1], **rule)]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_statuses(client: Client, app: CopperSandbox, status: int) -> None:
    _break(app, str(status), retry_after=3)
    answer = client.get("account")
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["Retry-After"] == "3"
    assert client.get("account").status_code == 200


@pytest.mark.parametrize("kind", ["broken_json", "cut_json", "html", "empty"])
def test_bodies_that_are_no_json(client: Client, app: CopperSandbox, kind: str) -> None:
    _break(app, kind)
    answer = client.post("people/search")
    assert answer.status_code == 200
    assert (answer.headers["Content-Type"] == "text/html; charset=utf-8") is (kind == "html")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert len(client.search("people")) == 20


def test_null(client: Client, app: CopperSandbox) -> None:
    _break(app, "null")
    assert client.post("people/search").json() is None


def test_an_empty_page_that_is_not_the_end(client: Client, app: CopperSandbox) -> None:
    app.behaviour.faults = [FaultRule(["empty_page"], every=1)]
    answer = client.post("people/search")
    assert answer.json() == []
    assert answer.headers["X-PW-TOTAL"] == "300"


@pytest.mark.parametrize(
    ("path", "empty"),
    [
        ("pipelines", []),
        ("tags", []),
        ("custom_field_definitions", []),
        ("field_layouts/by_entity/people", []),
        ("activity_types", {"user": [], "system": []}),
    ],
)
def test_an_empty_list_that_is_not_all(client: Client, app: CopperSandbox, path: str, empty: object) -> None:
    app.behaviour.faults = [FaultRule(["empty_page"], at=[1])]
    assert client.get(path).json() == empty
    assert client.get(path).json() != empty


def test_what_is_no_list_is_never_empty(client: Client, app: CopperSandbox) -> None:
    app.behaviour.faults = [FaultRule(["empty_page"], every=1)]
    assert client.get("account").json()["id"]


@pytest.mark.parametrize("kind", ["cut_connection", "drop"])
def test_connections_that_break(client: Client, app: CopperSandbox, kind: str) -> None:
    _break(app, kind)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.post("people/search", {"page_size": 200})
    assert len(client.search("people", page_size=200)) == 200


def test_a_stall_ends_with_a_closed_connection(client: Client, app: CopperSandbox) -> None:
    _break(app, "stall", seconds=0.3)
    before = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        client.get("account")
    assert 0.2 < time.monotonic() - before < 30


def test_a_client_that_gives_up_on_a_stall_is_let_go(client: Client, app: CopperSandbox) -> None:
    _break(app, "stall", seconds=60)
    with pytest.raises(requests.ReadTimeout):
        client.session.get(f"{client.url}/account", timeout=0.2)
    assert client.get("account").status_code == 200


def test_slow_headers(client: Client, app: CopperSandbox) -> None:
    _break(app, "slow_headers", seconds=0.3)
    before = time.monotonic()
    assert client.get("account").status_code == 200
    assert time.monotonic() - before > 0.25


def test_kinds_take_turns_on_every_kth_answer_of_a_path(client: Client) -> None:
    rule = {"kinds": ["500", "503"], "every": 2, "path": "people/search", "times": 3}
    client.control("configure", {"faults": [rule]})
    seen = []
    for _ in range(8):
        assert client.get("account").status_code == 200
        seen.append(client.post("people/search").status_code)
    assert seen == [200, 500, 200, 503, 200, 500, 200, 200]
    assert client.control("stats")["faults"] == {"500": 2, "503": 1}
