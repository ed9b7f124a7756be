"""Totals, the cap, ties and short pages, each as its knob says."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.client import Client
from sandbox.copper import SMALL, copper_app
from sandbox.server import running

if TYPE_CHECKING:
    from sandbox.copper import CopperSandbox

MANY_RECORDS = True


def _total(client: Client, **body: object) -> str | None:
    return client.post("people/search", body).headers.get("X-PW-TOTAL")


def test_the_total_is_exact_missing_capped_or_too_much(client: Client, app: CopperSandbox) -> None:
    assert _total(client) == "300"
    app.behaviour.total = "missing"
    assert _total(client) is None
    app.behaviour.total, app.behaviour.search_cap = "capped", 250
    assert _total(client) == "250"
    app.behaviour.total_cap = 99
    assert _total(client) == "99"
    app.behaviour.total = "over"
    assert _total(client) == "330"


def test_nothing_beyond_the_cap_is_given(client: Client, app: CopperSandbox) -> None:
    app.behaviour.search_cap = 120
    pages = [len(client.search("people", page_number=n, page_size=50)) for n in (1, 2, 3, 4)]
    assert pages == [50, 50, 20, 0]
    assert _total(client) == "300"
    app.behaviour.beyond_cap = "error"
    answer = client.post("people/search", {"page_number": 4, "page_size": 50})
    assert answer.status_code == 422


def test_pages_behind_the_last_are_empty(client: Client) -> None:
    assert client.search("people", page_number=10_000, page_size=200) == []


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_ties_are_stable_unless_told_otherwise(direction: str) -> None:
    app = copper_app(replace(SMALL, tie_block=120), rate_limit=0)
    with running(app) as url:
        client = Client(url)
        body = {"sort_by": "date_modified", "sort_direction": direction}

        def read() -> list[int]:
            return [row["id"] for row in client.everything("people", **body)]

        assert read() == read()
        app.behaviour.unstable_ties = True
        assert read() != read()
        whole = client.search("people", page_size=200, **body) + client.search(
            "people", page_size=200, page_number=2, **body
        )
        dates = [row["date_modified"] for row in whole]
        assert dates == sorted(dates, reverse=direction == "desc")
        assert max(dates.count(date) for date in set(dates)) >= 120
        client.close()


def test_a_part_of_the_records_shares_its_second(app: CopperSandbox) -> None:
    seconds = [one["date_modified"] for one in app.account.records("people")]
    tied = sum(1 for second in seconds if seconds.count(second) > 10)
    assert tied == 15


def test_transient_gaps_are_filled_by_asking_again(client: Client, app: CopperSandbox) -> None:
    app.behaviour.short_pages = 0.2
    first = {row["id"] for row in client.search("people", page_size=200)}
    second = {row["id"] for row in client.search("people", page_size=200)}
    assert len(first) < 200
    assert len(first | second) == 200


def test_filtered_hits_are_counted_but_never_given(client: Client, app: CopperSandbox) -> None:
    app.behaviour.short_pages, app.behaviour.short_pages_kind = 0.25, "filtered"
    assert _total(client, sort_by="date_modified") == "400"
    first = client.search("people", page_size=200, sort_by="date_modified")
    assert len(first) < 200
    assert first == client.search("people", page_size=200, sort_by="date_modified")
    rows = client.everything("people", sort_by="date_modified")
    assert len({row["id"] for row in rows}) == len(rows) == 300
    app.behaviour.short_pages = 0
    assert _total(client) == "300"
