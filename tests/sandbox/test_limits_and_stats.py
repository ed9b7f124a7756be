"""The rolling limit, and what the server tells about its use."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.limits import RollingWindow

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 6), st.floats(0.5, 5))
def test_no_window_ever_holds_more_than_the_limit(gaps: list[float], limit: int, seconds: float) -> None:
    window = RollingWindow()
    now = 0.0
    admitted: list[float] = []
    for gap in gaps:
        now += gap
        wait = window.wait(limit, seconds, now)
        recent = [at for at in admitted if at > now - seconds]
        assert (wait == 0) is (len(recent) < limit)
        if wait == 0:
            admitted.append(now)


def test_the_limit_refuses_then_admits_again(client: Client, app: CopperSandbox) -> None:
    app.behaviour.rate_limit, app.behaviour.rate_window = 3, 30.0
    assert [client.get("account").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    app.behaviour.rate_window = 0.1
    time.sleep(0.15)
    assert client.get("account").status_code == 200
    stats = client.control("stats")
    assert (stats["requests"], stats["refused"]) == (6, 2)
    assert stats["by_status"] == {"200": 4, "429": 2}


@pytest.mark.parametrize("form", ["none", "seconds", "date"])
def test_retry_after_in_each_form(client: Client, form: str) -> None:
    client.control("configure", {"rate_limit": 1, "rate_window": 3_000, "retry_after": form})
    client.get("account")
    answer = client.get("account")
    assert answer.json() == {"success": False, "status": 429, "message": "Rate limit exceeded"}
    value = answer.headers.get("Retry-After")
    if form == "none":
        assert value is None
    elif form == "seconds":
        assert 2_900 <= int(value or 0) <= 3_000
    else:
        assert 2_900 <= parsedate_to_datetime(value or "").timestamp() - time.time() <= 3_001


def test_the_date_header_is_the_servers_clock(client: Client, app: CopperSandbox) -> None:
    for skew in (0, 7_200):
        app.behaviour.clock_skew = skew
        before = time.time() + skew
        date = parsedate_to_datetime(client.get("account").headers["Date"]).timestamp()
        assert before - 1.1 <= date <= time.time() + skew + 0.1
    (number,) = app.account.edit("people")
    assert app.account.record("people", number)["date_modified"] > time.time() + 7_000


def test_latency_delays_answers_but_not_control(client: Client, app: CopperSandbox) -> None:
    app.behaviour.latency_ms = 200
    before = time.monotonic()
    client.get("account")
    assert time.monotonic() - before >= 0.2
    app.behaviour.latency_ms = 20_000
    before = time.monotonic()
    client.control("stats")
    assert time.monotonic() - before < 10


def test_stats_by_path_and_their_reset(client: Client, app: CopperSandbox) -> None:
    number = app.account.records("people")[0]["id"]
    client.get(f"people/{number}")
    client.get("people/1")
    client.search("people", page_size=3)
    stats = client.control("stats")
    assert stats["by_path"] == {"people/{id}": 2, "people/search": 1}
    assert stats["by_status"] == {"200": 2, "404": 1}
    assert stats["max_in_window"] == len(stats["times"]) == 3
    assert stats["first"] <= stats["last"] <= time.time()
    assert app.stats.log[-1].body == b'{"page_size": 3}'
    client.control("reset_stats", {})
    assert client.control("stats")["requests"] == 0
