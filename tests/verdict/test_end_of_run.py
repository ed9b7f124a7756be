"""How a run ends on standard error: a table of its streams, and one line that says whether all are complete."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tests.killing import stopped
from tests.singer import Tap, environment, later
from tests.started import run as run_program
from tests.verdict.conftest import SERVERS
from tests.verdict.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Run
    from tests.verdict.conftest import Start

#: A stream, another one, and the path by which the latter alone is asked for.
STREAMS = {
    "copper": ("people", "companies", "companies/search"),
    "close": ("leads", "opportunities", "opportunity"),
    "copera": ("sales__leads", "notifications", "notifications"),
}


def rows_of(log: str) -> dict[str, list[str]]:
    """Return the table that a log ends with: the cells of each stream."""
    lines = log.splitlines()
    begin = max(number for number, line in enumerate(lines) if line.startswith("stream "))
    end = next(number for number in range(begin, len(lines)) if lines[number].startswith("total "))
    return {cells[0]: cells[1:] for cells in (re.split(r" {2,}", line) for line in lines[begin + 1 : end + 1])}


def lines_of(log: str) -> list[str]:
    """Return a log without what the server says that runs in the same process."""
    return [line for line in log.splitlines() if "uvicorn" not in line]


def said(run: Run) -> str:
    """Return the last line of a log, without the time."""
    return run.log.splitlines()[-1].rpartition("| ")[2]


@pytest.mark.parametrize("crm", SERVERS)
def test_a_complete_run_ends_with_its_table_and_says_so(start: Start, crm: str) -> None:
    stream, other, _ = STREAMS[crm]
    _, tap = start(crm, stream, other)
    run = tap.sync()
    rows = rows_of(run.log)
    assert rows.keys() == {stream, other, "total"}
    for name in (stream, other):
        count, audit = str(run.count(name)), run.audit()[name]
        assert rows[name] == [count, count, "0", "0", str(audit["requests"]), "complete"]
    assert rows["total"][-1] == "2 of 2 complete"
    assert said(run) == "complete: 2 of 2 streams"


@pytest.mark.parametrize("crm", SERVERS)
def test_what_the_sdk_says_in_passing_is_not_shown(start: Start, crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody asks for it, by the variable that every tap has."""
    stream, other, _ = STREAMS[crm]
    _, tap = start(crm, stream, other)
    log = tap.sync().log
    assert "METRIC" not in log
    assert "Beginning sync" not in log
    assert len(lines_of(log)) <= 2 * 2 + 4
    monkeypatch.setenv("LOGLEVEL", "DEBUG")
    log = tap.sync().log
    assert "METRIC" in log
    assert f"Beginning sync of '{stream}'" in log


def test_a_run_of_all_streams_fits_on_a_screen(start: Start, catalogs: Callable[[str], dict[str, Any]]) -> None:
    """Close has the most."""
    _, tap = start("close")
    run = tap.sync(catalog=catalogs("close"))
    assert len(lines_of(run.log)) <= 60
    told = re.sub(r"\n  ", " ", run.log)
    assert all(re.search(rf"\b{stream} +\d", told) for stream in run.audit())
    assert said(run) == f"complete: {len(run.audit())} of {len(run.audit())} streams"


def test_warnings_only_are_what_somebody_asked_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that mails what it says stays silent while all is well."""
    app, tap = start("copper", "people", "companies")
    monkeypatch.setenv("LOGLEVEL", "WARNING")
    assert lines_of(tap.sync().log) == []
    app.behaviour.faults = [FaultRule(["500"], every=1, path="companies/search")]
    run = tap.sync(expect=1, retry_seconds=0)
    assert rows_of(run.log)["companies"][-1] == "not complete"


@pytest.mark.parametrize("crm", ["copper", "close"])
def test_new_changed_and_deleted_records_are_told(start: Start, crm: str) -> None:
    stream = STREAMS[crm][0]
    app, tap = start(crm, stream)
    state = tap.sync().state
    later(app, tap, 3600.0)
    there = sorted(key[0] if isinstance(key, tuple) else key for key in app.account.ids(stream))
    app.account.edit(stream, ids=there[:1])
    app.account.delete(stream, ids=there[1:2])
    app.account.create(stream, count=2)
    run = tap.sync(state=state, reconcile="true")
    assert rows_of(run.log)[stream][1:4] == ["2", "1", "1"]


@pytest.mark.parametrize("crm", SERVERS)
def test_a_failed_run_shows_which_stream_failed_and_why(start: Start, crm: str) -> None:
    stream, other, path = STREAMS[crm]
    _, tap = start(crm, stream, other, faults=[FaultRule(["500"], every=1, path=path)])
    run = tap.sync(expect=1, retry_seconds=0)
    rows = rows_of(run.log)
    assert (rows[stream][-1], rows[other][-1]) == ("complete", "not complete")
    assert rows["total"][-1] == "1 of 2 complete"
    assert f"\n{other}: {run.audit()[other]['error']}\n" in run.log
    assert said(run).startswith(f"1 of 2 streams are not complete: {other}. The others are")


def test_a_stream_that_is_left_out_counts_in_no_line(start: Start) -> None:
    """Without a catalog, what the key may not read is left out; the table and the last line count the same streams."""
    _, tap = start("copper", "people", faults=[FaultRule(["500"], every=1, path="companies/search")])
    every = len(rows_of(tap.call(Tap.command(tap, retry_seconds=0)).log)) - 1
    _, tap = start(
        "copper", "people", faults=[FaultRule(["500"], every=1, path="companies/search")], forbidden=["projects"]
    )
    run = tap.call(Tap.command(tap, retry_seconds=0))
    assert rows_of(run.log)["total"][-1] == f"{every - 2} of {every - 1} complete"
    assert said(run).startswith(f"1 of {every - 1} streams are not complete: companies. The others are")


@pytest.mark.parametrize("crm", SERVERS)
def test_an_interrupted_run_shows_how_far_it_came(start: Start, crm: str) -> None:
    stream, other, _ = STREAMS[crm]
    app, tap = start(crm, stream, other)
    tap.sync()
    run = stopped(app, tap, app.stats.requests - 1, signal.SIGTERM)
    assert run.code == 128 + signal.SIGTERM
    assert rows_of(run.log).keys() == {stream, other, "total"}
    assert re.fullmatch(
        r"stopped by SIGTERM: \d of 2 streams are complete. The state is safe, and the next run goes on from it.",
        said(run),
    )


def test_a_run_whose_target_is_gone_shows_it_all_the_same(start: Start) -> None:
    _, tap = start("copper", "people", "companies")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = run_program(tap.command(catalog=tap.catalog), variables=environment(), stdout=closed.fileno())
    log = done.stderr.decode()
    assert done.returncode == 1
    assert rows_of(log)["total"][-1].endswith("of 2 complete")
    assert log.splitlines()[-1].endswith("the target stopped reading; its own log says why")


def test_no_secret_is_in_a_reason(start: Start) -> None:
    """An address may hold one."""
    _, tap = start("copper", "people")
    run = tap.sync(expect=1, api_url="http://127.0.0.1:9/developer_api/v1", retry_seconds=0, api_key="127.0.0.1:9")
    assert "127.0.0.1:9" not in run.log
    assert "[hidden]" in run.log
    assert "[hidden]" in run.audit()["people"]["error"]


def test_a_terminal_shows_one_live_display_and_then_the_table(start: Start) -> None:
    """End to end: the command, on a terminal of its own."""
    stream, other, _ = STREAMS["copper"]
    _, tap = start("copper", stream, other, latency_ms=300)
    screen = Screen(columns=110)
    command = tap.command(catalog=tap.catalog)
    code = screen.run(command, environment() | {"TERM": "xterm-256color", "COLUMNS": "110"})
    assert code == 0
    assert re.search(r"Copper: \d of 2 streams · [\d,]+ rows · \d+ requests", screen.text)
    assert "• " in screen.text or "✓ " in screen.text
    ending = screen.text[screen.text.rindex("stream ") :]
    assert re.search(rf"{stream} .*complete", ending)
    assert re.search(r"total .*2 of 2 complete", ending)
    assert ending.splitlines()[-1].endswith("complete: 2 of 2 streams")
    assert "\x1b[32mcomplete" in screen.raw  # in colour
    assert "INFO" not in screen.text[: -len(ending)]


def test_rich_is_loaded_for_a_terminal_only() -> None:
    """It takes as long as the rest of a start."""
    program = "import sys, tap_crm.singer.tap; sys.exit('rich' in sys.modules)"
    assert run_program([sys.executable, "-c", program]).returncode == 0
