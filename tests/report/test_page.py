"""What stands on the page, and that nothing of a CRM's can break it."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from typing_extensions import override

from tap_crm.report.facts import DAY, Account, Counts, Failure, Read, Remark, Run, Stream, Written
from tap_crm.report.judging import judge
from tap_crm.report.page import page_of, took

NOW, HOUR = 1_790_000_000.0, 3_600.0
HOSTILE = "<script>alert(1)</script>\"'&\x00\u202e"
VOID = {"meta", "link", "br"}


class Parsed(HTMLParser):
    """The elements of a page; fails where one is not closed, or not opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is opened."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is opened and closed."""
        self.elements.append((tag, dict(attrs)))

    @override
    def handle_endtag(self, tag: str) -> None:
        """Check that the last one is closed first."""
        assert self._open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        """Note what is read."""
        self.text.append(data)

    def count(self, tag: str) -> int:
        """Return how many elements of a kind there are."""
        return sum(one == tag for one, _ in self.elements)

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(" ".join(self.text).split())


def stream(name: str = "people", hours_ago: float = 1.0, **last: Any) -> Stream:  # noqa: ANN401
    """Return a stream whose last run was so many hours ago."""
    at = NOW - hours_ago * HOUR
    day = int(at // DAY)
    read = Read("r", at, **({"complete": True} | last))
    up_to = at if read.complete else at - HOUR
    return Stream(name, read, read, up_to, days={day: Counts(records=12_345, requests=70)}, rows=5, marked=2, gone=1)


def run(requests: int = 180, seconds: float = 120.0) -> Run:
    """Return a run."""
    return Run("r", NOW - HOUR, NOW - HOUR + seconds, 2, 2, 0, Counts(records=3, requests=requests))


def page(*accounts: Account, limit: float | None = None) -> str:
    """Return the page of accounts."""
    return page_of([judge(one, NOW, 26 * HOUR, 30) for one in accounts], 30, 26 * HOUR, limit, NOW)


def account(*streams: Stream, name: str = "emea", provider: str | None = "copper", **others: Any) -> Account:  # noqa: ANN401
    """Return an account of these streams."""
    return Account(name, provider, "schema copper, DuckDB", streams or (stream(),), **({"runs": [run()]} | others))


def test_it_begins_with_the_verdict_and_with_what_to_do() -> None:
    error = "gave up after 7 attempts; the last one: status 500"
    words = Parsed(page(account(stream("people", complete=False, error=error), stream("leads")))).words
    parts = ("1 of 2 streams are not complete", "What to do", error, "run again: the state is safe", "Streams", "Runs,")
    places = [words.index(part) for part in parts]
    assert places == sorted(places)


def test_a_good_one_says_so_and_that_there_is_nothing_to_do() -> None:
    words = Parsed(page(account())).words
    assert "Complete and fresh" in words
    assert page(account()).count('class="verdict good"') == 1


@pytest.mark.parametrize("place", ["stream", "account", "error", "remark", "provider", "written"])
def test_no_name_of_a_crm_can_break_it(place: str) -> None:
    usual = Parsed(page(_with("plain", place)))
    broken = page(_with(HOSTILE, place))
    assert "<script" not in broken
    assert "\x00" not in broken
    assert "\u202e" not in broken
    parsed = Parsed(broken)
    assert [tag for tag, _ in parsed.elements] == [tag for tag, _ in usual.elements]
    assert "<script>alert(1)</script>\"'&" in "".join(parsed.text)


def _with(name: str, place: str) -> Account:
    """Return an account that has a name in a certain place."""
    if place == "stream":
        return account(stream(name))
    if place == "account":
        return account(name=name)
    if place == "error":
        return account(stream(complete=False, error=name), failures=[Failure("people", name, 1, NOW, NOW)])
    if place == "remark":
        return account(remarks=[Remark("people", f"{name} was renamed: `{name}`", NOW)])
    if place == "provider":
        return account(provider=name)
    return account(written=[Written(name, name, 1, NOW)])


def test_it_loads_nothing_and_runs_nothing() -> None:
    parsed = Parsed(page(account()))
    assert parsed.count("script") == 0
    links = [value for _, of in parsed.elements for name, value in of.items() if name in ("src", "href")]
    assert [link for link in links if link is not None and not link.startswith(("#", "data:,"))] == []
    assert re.findall(r"url\(|@import|https?://|\bon[a-z]+=", page(account())) == []
    policy = next(of for tag, of in parsed.elements if of.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none'")


def test_every_table_has_a_caption_and_heads_and_headings_go_down_by_one() -> None:
    others: dict[str, Any] = {
        "failures": [Failure("people", "x", 1, NOW, NOW)],
        "written": [Written("people", "updated", 1, NOW)],
    }
    parsed = Parsed(page(account(**others), account(name="b")))
    assert parsed.count("table") == parsed.count("caption") >= 8
    scopes = [of.get("scope") for tag, of in parsed.elements if tag == "th"]
    assert set(scopes) == {"col", "row"}
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    identities = [of["id"] for _, of in parsed.elements if "id" in of]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize(
    ("requests", "seconds", "limit", "share"),
    [(180, 120, None, "50 %"), (31, 2, None, "17 %"), (360, 60, None, "200 %"), (60, 60, 100.0, "60 %")],
)
def test_requests_are_held_against_the_limit_of_the_minutes_that_a_run_took(
    requests: int, seconds: float, limit: float | None, share: str
) -> None:
    """180 a minute, as Copper documents; a shorter run is one in a minute."""
    assert share in Parsed(page(account(runs=[run(requests, seconds)]), limit=limit)).words


def test_a_crm_that_nobody_knows_has_no_limit() -> None:
    words = Parsed(page(account(provider="pebble"))).words
    assert "pebble: emea" in words
    assert "The limit is" not in words


def test_a_crm_that_counts_by_group_says_that_more_is_possible() -> None:
    assert "counted by group of endpoints" in Parsed(page(account(provider="close"))).words
    assert "counted by group of endpoints" not in Parsed(page(account())).words


def test_numbers_of_the_days_stand_in_the_charts_and_in_a_table() -> None:
    found = page(account())
    labels = re.findall(r'aria-label="([^"]*)"', found)
    assert any(label.startswith("12,345 rows in 30 days") for label in labels)
    assert "12,345" in Parsed(found).words
    assert "and 2 marked as deleted" in Parsed(found).words
    assert "and 1 that are gone" in Parsed(found).words


def test_several_accounts_have_an_overview_and_the_one_in_need_comes_first() -> None:
    accounts = [account(name=name) for name in "abcd"]
    words = Parsed(page(*accounts, account(stream(complete=False, error="x"), name="z"))).words
    assert "4 of 5 complete and fresh" in words
    assert words.index("Copper: z") < words.index("Copper: a")
    opened = re.findall(r'<details class="account" id="[^"]*"( open)?>', page(*accounts, account(stream(hours_ago=99))))
    assert opened == [" open", "", "", "", ""]


def test_a_state_says_what_it_cannot_tell() -> None:
    known = Stream("people", up_to=NOW - HOUR, gone_up_to=NOW - DAY, counted=1_234)
    words = Parsed(page(Account("state", None, "state, from state.json", [known], from_state=True))).words
    assert "Fresh, as far as a state tells" in words
    assert "Whether the runs were complete is in their exit codes" in words
    assert "1,234" in words
    assert "Runs, and requests" not in words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (90, "2 min"), (7_100, "118 min"), (7_200, "2 h"), (172_800, "2 days")],
)
def test_spans_of_time_are_told_in_a_unit_that_suits_them(seconds: float, said: str) -> None:
    assert took(seconds) == said


def test_a_time_to_come_is_told_as_such() -> None:
    """A clock was wrong."""
    assert (
        "in 2 h" in Parsed(page(account(Stream("people", Read("r", NOW, complete=True), up_to=NOW + 2 * HOUR)))).words
    )
