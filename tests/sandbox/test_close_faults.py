"""Close's broken, short and missing pages, as a plain client sees them."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.close.small_lists import LISTS
from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from sandbox.client import CloseClient
    from sandbox.close import CloseSandbox
    from sandbox.faults import Kind

MANY_RECORDS = True

PATHS = ("lead", "contact", "opportunity", "task", "activity", "activity/email", "event", "me", "pipeline", "user")


def rule(server: CloseSandbox, kind: Kind, **more: Any) -> None:  # noqa: ANN401
    server.behaviour.faults = [FaultRule([kind], **({"at": [1]} | more))]


@pytest.mark.parametrize("status", ["500", "502", "503", "504", "429"])
def test_statuses_on_every_endpoint(asker: CloseClient, server: CloseSandbox, status: Kind) -> None:
    rule(server, status, every=1, retry_after=3)
    answers = [*(asker.get(path) for path in PATHS), asker.search("lead")]
    answers.append(requests.post(asker.url.replace("api/v1", "oauth2/token/"), timeout=30))
    for answer in answers:
        assert answer.status_code == int(status)
        assert answer.headers["Retry-After"] == "3"
        assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("kind", ["broken_json", "cut_json", "html", "empty"])
def test_bodies_that_are_no_json(asker: CloseClient, server: CloseSandbox, kind: Kind) -> None:
    for path in ("activity/note", "event", "status/lead"):
        rule(server, kind)
        answer = asker.get(path)
        assert answer.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
        assert asker.rows(path)


@pytest.mark.parametrize("kind", ["cut_connection", "drop", "stall"])
def test_connections_that_break(asker: CloseClient, server: CloseSandbox, kind: Kind) -> None:
    rule(server, kind, seconds=0.1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        asker.search("lead", _limit=200, _fields={"lead": ["_all"]})
    assert asker.search("lead").status_code == 200


def test_empty_pages_that_are_not_the_end(asker: CloseClient, server: CloseSandbox) -> None:
    rule(server, "empty_page", every=1)
    assert asker.get("lead").json() == {"data": [], "has_more": False}
    assert asker.get("pipeline").json() == {"data": [], "has_more": False}
    assert asker.search("lead", include_counts=True).json() == {"data": [], "cursor": None}
    assert asker.get("event").json() == {"data": [], "cursor_next": None, "cursor_previous": None}
    assert asker.get("me").json()["id"]
    assert asker.get("lead", nonsense=1).status_code == 400


def test_a_document_may_be_deleted_while_its_page_is_read(asker: CloseClient) -> None:
    asker.control("configure", {"document_deleted": {"every": 3, "times": 2}})
    seen = [asker.get("contact", _skip=skip).status_code for skip in (0, 100, 200, 200, 200, 0, 1, 2)]
    assert seen == [200, 200, 404, 404, 200, 200, 200, 404]
    answer = asker.get("contact", _skip=2)
    assert answer.json() == {"error": "Empty query: Document has been deleted."}


def test_it_may_stay_so_until_the_page_is_smaller(asker: CloseClient) -> None:
    asker.control("configure", {"document_deleted": {"every": 2, "limit": 10}})
    query = {"_skip": 20}
    seen = [asker.get("contact").status_code]
    seen += [asker.get("contact", _limit=limit, **query).status_code for limit in (100, 100, 11, 10)]
    assert seen == [200, 404, 404, 404, 200]


@pytest.mark.parametrize("where", ["anywhere", "tail"])
def test_shortened_pages_are_whole_when_asked_again(asker: CloseClient, server: CloseSandbox, where: str) -> None:
    asker.control("configure", {"shortened_pages": 0.2, "shortened_where": where})
    truth = [row["id"] for row in reversed(server.account.records("notes"))]
    first, second = (asker.get("activity/note").json() for _ in range(2))
    ids = [row["id"] for row in first["data"]]
    assert 0 < len(ids) < len(truth)
    assert first["has_more"] is True
    assert (ids == truth[: len(ids)]) is (where == "tail")
    assert [row["id"] for row in second["data"]] == truth
    assert second["has_more"] is False
    small = asker.get("email_template", _limit=5).json()
    assert (
        len({row["id"] for row in small["data"]} | {row["id"] for row in asker.rows("email_template", _limit=5)}) == 5
    )


def test_now_and_then_a_page_is_empty_with_more_to_come(asker: CloseClient) -> None:
    asker.control("configure", {"empty_pages": 3})
    answers = [asker.get("contact", _skip=skip).json() for skip in (0, 10, 20, 20)]
    assert [len(answer["data"]) for answer in answers] == [100, 100, 0, 100]
    assert answers[2]["has_more"] is True


def test_latency_and_stats_by_path(asker: CloseClient, server: CloseSandbox) -> None:
    asker.control("configure", {"latency_ms": 30})
    asker.get(f"lead/{server.account.ids('leads')[0]}")
    asker.get("lead/lead_0")
    stats = asker.control("stats")
    assert stats["by_path"] == {"lead/{id}": 1, "lead/lead_0": 1}
    assert stats["by_status"] == {"200": 1, "404": 1}


def test_every_list_can_break(asker: CloseClient, server: CloseSandbox) -> None:
    rule(server, "503", every=1)
    assert {asker.get(path).status_code for path in LISTS} == {503}
    assert server.stats.faults == {"503": len(LISTS)}
