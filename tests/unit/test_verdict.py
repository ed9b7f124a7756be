"""The table at the end of a run, as plain lines: what it shows of many streams, and of what the tap cannot know."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import logging
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tap_crm.contract.stream import Deletions, StreamSpec
from tap_crm.ledger import Ledger
from tap_crm.messages import Page, ReadBegun, Row
from tap_crm.singer.verdict_table import MOST_ROWS, lines
from tap_crm.sync.news import News
from tap_crm.sync.state import StreamState, Unfinished
from tap_crm.sync.verdict import COMPLETE, NOT_COMPLETE, Outcome, Verdict, next_reconcile
from tap_crm.transport.pacing.pacing import Pacing
from tests.unit.fake_time import FakeTime

PEOPLE = Outcome("people", 12_345, 2, 30, 1, 64, 12.3, COMPLETE)
USERS = Outcome("users", 7, None, None, 0, 1, 0.0, COMPLETE)
FAILED = Outcome("tasks", 3, 0, 3, 0, 9, 600.0, NOT_COMPLETE, "gave up after 12 attempts")


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of this process have left handlers that hide theirs."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])


def verdict(*outcomes: Outcome) -> Verdict:
    return Verdict("Copper", outcomes, 75.0, 0.314, "2026-12-05 10:00 UTC")


def test_each_stream_has_a_row_and_the_last_lines_sum_up() -> None:
    assert lines(verdict(PEOPLE, USERS, FAILED)) == [
        "stream    rows  new  changed  deleted  requests  waited",
        "people  12,345    2       30        1        64    12 s  complete",
        "users        7    -        -        0         1          complete",
        "tasks        3    0        3        0         9   600 s  not complete",
        "total   12,355    2       33        1        74   612 s  2 of 3 complete",
        "tasks: gave up after 12 attempts",
        "Copper: 1 min 15 s; 31% of the rate limit used; next reconcile: 2026-12-05 10:00 UTC",
    ]


def test_of_many_streams_the_smallest_share_a_few_lines() -> None:
    many = [replace(USERS, stream=f"list_{number}", rows=number) for number in range(60)]
    gone = replace(USERS, stream="gone", rows=0, deleted=1)
    shown = lines(verdict(*many, gone, replace(FAILED, rows=0)))
    assert len(shown) < MOST_ROWS + 15
    assert any(line.startswith("gone ") for line in shown)
    assert any(line.startswith("tasks ") for line in shown)
    assert "37 more, complete: list_0 0, list_1 1, " in " ".join(shown)
    assert max(map(len, shown)) <= 100
    assert not any(line.strip()[0].isdigit() for line in shown if line.startswith("  "))  # a name and its rows


SPEC = StreamSpec("people", ("id",), None, replication_key="changed", created="created")  # type: ignore[arg-type] # never read


def counted(ledger: Ledger, *items: Page | ReadBegun, bookmark: int = 100) -> tuple[int, int]:
    count = News(SPEC, ledger, bookmark, is_first=False).counting(lambda _: None)
    for item in items:
        count(item)
    return ledger.new, ledger.changed


def test_news_are_told_by_the_times_of_records() -> None:
    rows = [Row(key, times) for key, times in enumerate([(50, 90), (50, 101), (101, 101), (None, 120), (50, None)])]
    told = Page(body=b"", rows=rows, times=("created", "changed"))
    assert counted(Ledger(), told) == (1, 2)
    records: list[dict[str, Any]] = [
        {"created": 50, "changed": 150},
        {"created": 150, "changed": 150, "_sdc_deleted_at": "2026-01-01"},
    ]
    assert counted(Ledger(), Page(records=records)) == (0, 1)


def test_what_a_complete_read_shows_again_is_no_news() -> None:
    new = Page(records=[{"created": 101, "changed": 101}])
    assert counted(Ledger(), new, ReadBegun(200, complete=True), new) == (1, 0)


def test_the_share_of_the_limit_is_that_of_the_busiest_group() -> None:
    time = FakeTime()
    pacing = Pacing(60, lambda _, path: path, clock=time.clock, sleep=time.sleep)
    for _ in range(30):
        pacing.wait("GET", "busy")
    pacing.wait("GET", "idle")
    assert pacing.used() == pytest.approx(0.98)
    time.sleep(30 * 60 / 60)
    assert 0.45 < (pacing.used() or 0) < 0.55
    assert Pacing(0).used() is None


DAY = 86_400
NOW = 1_795_000_000.0  # 2026-11-18 11:06 UTC


def told(wish: str, *states: StreamState, tells: Deletions = Deletions.RECONCILED) -> str | None:
    clock = SimpleNamespace(now=lambda: NOW)
    run = SimpleNamespace(
        settings=SimpleNamespace(reconcile=wish, reconcile_days=7), transport=SimpleNamespace(clock=clock)
    )
    streams = [SimpleNamespace(name=str(number), tells_deletions=tells) for number in range(len(states))]
    kept = {str(number): state for number, state in enumerate(states)}
    return next_reconcile(cast("Any", run), cast("Any", streams), kept)


RECENT = StreamState(reconciled_at=int(NOW) - DAY)


@pytest.mark.parametrize(
    ("wish", "states", "says"),
    [
        ("auto", (RECENT, StreamState(reconciled_at=int(NOW) - 2 * DAY)), "2026-11-23 11:06 UTC"),
        ("auto", (RECENT, StreamState(untold_since=int(NOW) - 8 * DAY)), "in the next run"),
        ("auto", (RECENT, StreamState(version=1, unfinished=Unfinished(2))), "goes on in the next run"),
        ("auto", (RECENT, StreamState(unfinished=Unfinished(2, first=True))), "2026-11-24 11:06 UTC"),
        ("auto", (StreamState(),), None),
        ("true", (RECENT,), "in each run (`reconcile` is true)"),
        ("false", (RECENT,), "never (`reconcile` is false)"),
    ],
)
def test_the_next_reconcile_is_the_earliest_of_all_streams(
    wish: str, states: tuple[StreamState, ...], says: str | None
) -> None:
    assert told(wish, *states) == says


def test_where_each_run_finds_deletions_no_reconcile_is_told() -> None:
    assert told("auto", RECENT, tells=Deletions.EACH_RUN) is None
