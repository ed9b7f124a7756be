"""What the receiver answers, over HTTP."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from tap_crm.inbox import receiver, server
from tap_crm.inbox.entries import Subscription
from tap_crm.inbox.spool import Spool
from tests.inbox.deliveries import kept
from tests.inbox.serving import COPPER, KEY, TOKEN, close_headers, copera_headers, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b'{"ids":[7],"type":"person","event":"update"}'
TOO_LARGE = b"x" * (receiver.MOST_BYTES + 1)


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    """Return an inbox that knows a subscription of Close's."""
    opened = Spool.open(str(tmp_path_factory.mktemp("inbox") / "inbox.sqlite"))
    opened.remember(Subscription("close", "whsub_1", "all", datetime.now(UTC), "https://example.com", KEY))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(spool: Spool) -> Iterator[str]:
    with receiving(spool, signature_key="booking key") as given:
        yield given


@pytest.fixture(autouse=True)
def _empty(spool: Spool) -> None:
    for provider in ("copper", "close", "copera"):
        spool.confirm(provider, spool.newest(provider))
    spool.retain(days=0, most_bytes=0)


def post(url: str, body: bytes = BODY, headers: dict[str, str] | None = None) -> int:
    """Send an event; returns the status."""
    return requests.post(url, data=body, headers=headers, timeout=20).status_code


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
def test_a_proven_event_is_kept_as_it_came_and_answered_by_200(url: str, spool: Spool, crm: str) -> None:
    proofs = {"copper": COPPER, "close": close_headers(BODY), "copera": copera_headers(BODY, b"booking key")}
    assert post(f"{url}/{crm}/{TOKEN}", headers=proofs[crm]) == 200
    (event,) = spool.read(crm, 0, 10)
    assert (event.body, event.kind, event.stale) == (BODY, "delivery", False)
    assert abs(event.received_at.timestamp() - time.time()) < 60


def test_what_does_not_parse_but_is_proven_is_kept(url: str, spool: Spool) -> None:
    body = b"\xff{not json"
    assert post(f"{url}/close/{TOKEN}", body, close_headers(body)) == 200
    assert spool.read("close", 0, 10)[0].body == body


def test_an_old_event_of_close_is_kept_and_marked(url: str, spool: Spool) -> None:
    headers = close_headers(BODY, at=time.time() - 3 * 3600)
    assert post(f"{url}/close/{TOKEN}", headers=headers) == 200
    assert spool.read("close", 0, 10)[0].stale


def test_a_proxy_may_leave_a_prefix_in_the_path(url: str, spool: Spool) -> None:
    assert post(f"{url}/hooks/crm/copper/{TOKEN}", headers=COPPER) == 200
    assert post(f"{url}/copper/{TOKEN}/", headers=COPPER) == 200
    assert len(spool.read("copper", 0, 10)) == 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"copper/{TOKEN}", {}),
        (f"copper/{TOKEN}", {"X-Tap-Crm-Token": TOKEN + "x"}),
        (f"copper/{TOKEN[:-1]}", COPPER),
        ("copper", COPPER),
        ("", COPPER),
        (f"frobnicate/{TOKEN}", COPPER),
        (f"copper/{TOKEN}/more", COPPER),
        ("health", COPPER),
        (f"close/{TOKEN}", COPPER),
        (f"close/{TOKEN}", close_headers(BODY, "00" * 32)),
        ("close/x", close_headers(BODY)),
        (f"copera/{TOKEN}", copera_headers(BODY, b"another key")),
    ],
)
def test_without_a_proof_nothing_is_kept_and_all_refusals_are_alike(
    url: str, spool: Spool, path: str, headers: dict[str, str]
) -> None:
    """Wrong path, wrong token, wrong signature: the answer does not tell which."""
    before = requests.get(f"{url}/health", timeout=20).json()["counters"]["received"]
    answer = requests.post(f"{url}/{path}", data=BODY, headers=headers, timeout=20)
    assert (answer.status_code, answer.content) == (401, b"")
    assert spool.counters()["received"] == before
    assert not any(kept(spool, crm) for crm in ("copper", "close", "copera"))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(url: str, method: str) -> None:
    assert requests.request(method, f"{url}/copper/{TOKEN}", headers=COPPER, timeout=20).status_code == 405
    assert requests.request(method, f"{url}/x", timeout=20).status_code == 405


def test_a_body_that_is_too_large_is_413_and_not_kept(url: str, spool: Spool) -> None:
    """With and without its length in the head; one byte less is kept."""

    def parts() -> Iterator[bytes]:
        for start in range(0, len(TOO_LARGE), 65536):
            yield TOO_LARGE[start : start + 65536]

    assert post(f"{url}/copper/{TOKEN}", TOO_LARGE, COPPER) == 413
    chunked = requests.post(f"{url}/copper/{TOKEN}", data=parts(), headers=COPPER, timeout=20)
    assert chunked.status_code == 413
    assert spool.read("copper", 0, 1) == []
    assert post(f"{url}/copper/{TOKEN}", TOO_LARGE[1:], COPPER) == 200


def test_health_tells_counts_and_no_data(url: str) -> None:
    post(f"{url}/copper/{TOKEN}", headers=COPPER)
    answer = requests.get(f"{url}/health", timeout=20)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["alarms"]) == ("ok", [])
    assert all(isinstance(count, int) for count in found["counters"].values())
    assert TOKEN not in answer.text


def test_a_subscription_that_was_just_made_is_known(url: str, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By another process, on the same inbox; what was forgotten proves nothing soon after."""
    monkeypatch.setattr("tap_crm.inbox.keys.SOONEST_SECONDS", 0.0)
    key = "77" * 32
    assert post(f"{url}/close/{TOKEN}", headers=close_headers(BODY, key)) == 401
    spool.remember(Subscription("close", "whsub_2", "all", datetime.now(UTC), "https://example.com", key))
    assert post(f"{url}/close/{TOKEN}", headers=close_headers(BODY, key)) == 200
    spool.forget("close", "whsub_2")
    monkeypatch.setattr("tap_crm.inbox.keys.FRESH_SECONDS", 0.0)
    assert post(f"{url}/close/{TOKEN}", headers=close_headers(BODY, key)) == 401


def test_many_at_once_are_all_kept(url: str, spool: Spool) -> None:
    def send(number: int) -> int:
        return post(f"{url}/copper/{TOKEN}", str(number).encode(), COPPER)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(60))) == {200}
    assert sorted(map(int, kept(spool))) == list(range(60))


# Slow senders


def raw(url: str) -> socket.socket:
    """Connect to the receiver."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)


def test_a_sender_that_does_not_end_its_body_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_SECONDS", 0.1)
    with raw(url) as connection:
        head = f"POST /copper/{TOKEN} HTTP/1.1\r\nHost: x\r\nX-Tap-Crm-Token: {TOKEN}\r\nContent-Length: 9\r\n\r\nab"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\n"])
def test_a_sender_that_does_not_end_its_head_is_given_up(
    url: str, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.1)
    with raw(url) as connection:
        connection.sendall(sent)
        assert connection.recv(100) == b""


def test_the_rest_of_a_refused_body_is_not_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REST_SECONDS", 0.1)
    with raw(url) as connection:
        connection.sendall(b"POST /copper/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nab")
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")
        assert connection.recv(100) == b""


def test_a_sender_that_goes_away_leaves_nothing(url: str, spool: Spool) -> None:
    with raw(url) as connection:
        head = f"POST /copper/{TOKEN} HTTP/1.1\r\nHost: x\r\nX-Tap-Crm-Token: {TOKEN}\r\nContent-Length: 9\r\n\r\nab"
        connection.sendall(head.encode())
    assert post(f"{url}/copper/{TOKEN}", b"next", COPPER) == 200
    assert kept(spool) == ["next"]


# Where it cannot be written


def test_what_cannot_be_kept_is_503_and_when_it_can_again_a_gap_is_noted(tmp_path: Path) -> None:
    """Copper sends nothing twice, so deliveries are missing; Close comes again."""
    with closing(Spool.open(str(tmp_path / "inbox.sqlite"), pragmas=["max_page_count=60"])) as spool:
        spool.remember(Subscription("close", "whsub_1", "all", datetime.now(UTC), "https://example.com", KEY))
        large = b"x" * 400_000
        with receiving(spool) as url:
            assert post(f"{url}/copper/{TOKEN}", b"before", COPPER) == 200
            started = datetime.now(UTC)
            assert post(f"{url}/copper/{TOKEN}", large, COPPER) == 503
            assert post(f"{url}/close/{TOKEN}", large, close_headers(large)) == 503
            found = requests.get(f"{url}/health", timeout=20).json()
            assert (found["status"], found["counters"]["unkept"]) == ("alarm", 2)
            assert found["alarms"] == ["the inbox cannot be written: database or disk is full"]
            assert post(f"{url}/copper/{TOKEN}", b"after", COPPER) == 200
        events = spool.read("copper", 0, 10)
        assert [event.kind for event in events] == ["delivery", "delivery", "gap"]
        assert abs((datetime.fromisoformat(events[2].body.decode()) - started).total_seconds()) < 10
        assert spool.read("close", 0, 10) == []


@pytest.mark.usefixtures("url")
def test_the_token_is_in_no_access_log_of_whatever_server(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("uvicorn.access")
    monkeypatch.setattr(log, "propagate", True)
    with caplog.at_level(logging.INFO, "uvicorn.access"):
        log.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "POST", f"/copper/{TOKEN}", "1.1", 200)
    assert "/copper/[hidden]" in caplog.text
    assert TOKEN not in caplog.text
