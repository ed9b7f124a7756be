"""Progress: one display on a terminal, a few lines of the log elsewhere, and never a word on standard output."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import sys
import threading
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

import pytest

from tap_crm.config.redaction import HIDDEN, redact_logs
from tap_crm.singer.progress import (
    LogProgress,
    NoSight,
    SilentProgress,
    TerminalProgress,
    make_list_of_streams,
    make_progress,
)
from tap_crm.singer.rate import Rate, in_words
from tests.unit.fake_time import FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal:
    """A terminal that remembers what was shown."""

    def __init__(self) -> None:
        """Open it."""
        self._master, slave = pty.openpty()
        self.stderr = os.fdopen(slave, "w", buffering=1, encoding="utf-8")
        self._shown = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while part := os.read(self._master, 65_536):
                self._shown += part
        except OSError:  # the other end is closed
            pass

    def close(self) -> None:
        """Close both ends, once."""
        if not self.stderr.closed:
            self.stderr.close()
            self._thread.join(10)
            os.close(self._master)

    def shown(self) -> str:
        """Close it; return what was shown, without colours."""
        self.close()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._shown.decode())


@contextmanager
def terminal() -> Iterator[Terminal]:
    """Let standard error be a terminal, and logs go there."""
    shown_on = Terminal()
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [logging.StreamHandler(shown_on.stderr)]
    try:
        with redirect_stderr(shown_on.stderr):
            yield shown_on
    finally:
        root.handlers[:] = before
        shown_on.close()


@pytest.fixture(autouse=True)
def _a_usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer's own is."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


class Told:
    """What is known of a run, as a test has it."""

    def __init__(self, waiting: str | None = None, **totals: int) -> None:
        """Know how many records the CRM counts."""
        self._waiting, self._totals = waiting, totals

    def heading(self) -> str:
        """Return a line on the whole."""
        return "Copper: 1 of 2 streams"

    def total(self, stream: str) -> int | None:
        """Return how many there are."""
        return self._totals.get(stream)

    def requests(self, stream: str) -> int:
        """Return as many as the name has letters."""
        return len(stream)

    def waiting(self) -> str | None:
        """Return what is waited for."""
        return self._waiting


def test_each_stream_has_a_line_with_its_records() -> None:
    """And above all the run as a whole has one."""
    with terminal() as screen:
        progress = TerminalProgress(Told(), stays=True)
        progress.begin("people")
        progress.advance("people", 1200)
        progress.advance("people", 34)
        progress.end("people", complete=True)
        progress.begin("custom_activity_types")
        progress.end("custom_activity_types", complete=True)
        progress.close()
        shown = screen.shown()
        assert re.search(r"✓ people +1,234 records", shown)
        assert "custom_activity_types" in shown
        assert "Copper: 1 of 2 streams" in shown
        assert "…" not in shown  # it fits the usual width


def test_the_present_stream_shows_how_much_of_it_is_there() -> None:
    """And what it waits for."""
    with terminal() as screen:
        progress = TerminalProgress(Told("status 500; tries again in 4 s", people=2_000), stays=True)
        progress.begin("people")
        progress.advance("people", 500)
        progress.close()
        shown = screen.shown()
        assert re.search(r"people +500 of 2,000 +25%", shown)
        assert "waiting: status 500; tries again in 4 s" in shown


def test_a_display_of_a_run_leaves_no_trace_and_no_passing_remarks() -> None:
    """What is said in passing is on the display; the table takes its place."""
    with terminal() as screen:
        logging.getLogger("tap-crm").setLevel(logging.INFO)
        progress = make_progress(Told())
        assert isinstance(progress, TerminalProgress)
        logging.getLogger("tap-crm").info("in passing")
        logging.getLogger("tap-crm").warning("to act on")
        progress.close()
        logging.getLogger("tap-crm").info("afterwards")
        logging.getLogger("tap-crm").setLevel(logging.NOTSET)
        shown = screen.shown()
        assert "in passing" not in shown
        assert "to act on" in shown
        assert "afterwards" in shown


@pytest.mark.parametrize(
    ("variable", "value"), [("TERM", "dumb"), ("PYTHONIOENCODING", "ascii")], ids=["no cursor", "no letters"]
)
def test_a_simple_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """A display would be torn there."""
    with terminal() as screen:
        monkeypatch.setenv(variable, value)
        if variable != "TERM":
            screen.stderr.reconfigure(encoding=value)
        assert isinstance(make_progress(Told()), LogProgress)


def test_records_on_the_same_terminal_would_tear_a_display() -> None:
    """Nobody asks for that, but whoever tries the command sees it first."""
    with terminal() as screen, redirect_stdout(screen.stderr):
        assert isinstance(make_progress(Told()), LogProgress)


def test_a_stream_that_failed_does_not_look_finished() -> None:
    """However many records it had."""
    with terminal() as screen:
        progress = TerminalProgress(NoSight())
        progress.begin("people")
        progress.advance("people", 5)
        progress.end("people", complete=False)
        progress.close()
        shown = screen.shown()
        assert re.search(r"✗ people +5 records.*not complete", shown)
        assert "✓" not in shown


def test_an_empty_stream_has_no_record() -> None:
    """And is finished."""
    with terminal() as screen:
        progress = TerminalProgress(NoSight())
        progress.begin("people")
        progress.end("people", complete=True)
        progress.close()
        shown = screen.shown()
        assert re.search(r"✓ people +0 records", shown)
        assert "1 records" not in shown


def test_a_stream_that_was_never_begun_is_no_failure() -> None:
    """The audit is not shown."""
    with terminal() as screen:
        progress = TerminalProgress(NoSight())
        progress.advance("sync_audit", 1)
        progress.end("sync_audit", complete=True)
        progress.close()
        assert "sync_audit" not in screen.shown()


def test_logs_appear_between_the_lines_and_stay_redacted() -> None:
    """Also after the end, and in their own format."""
    with terminal() as screen:
        redact_logs(["s3cret-s3cret"])
        progress = TerminalProgress(NoSight())
        progress.begin("people")
        (handler,) = (found for found in logging.getLogger().handlers if type(found) is logging.StreamHandler)
        assert handler.stream is sys.stderr is not screen.stderr  # which knows where the live lines are
        logging.getLogger("tap-crm").warning("during %s", "s3cret-s3cret")
        progress.close()
        assert handler.stream is sys.stderr is screen.stderr
        logging.getLogger("tap-crm").warning("after %s", "s3cret-s3cret")
        shown = screen.shown()
        assert f"during {HIDDEN}" in shown
        assert f"after {HIDDEN}" in shown
        assert "s3cret" not in shown


def test_a_log_file_stays_a_log_file() -> None:
    """The user's own logging goes on."""
    with terminal():
        kept = io.StringIO()
        logging.getLogger().addHandler(logging.StreamHandler(kept))
        progress = TerminalProgress(NoSight())
        logging.getLogger("tap-crm").warning("kept")
        progress.close()
        assert kept.getvalue() == "kept\n"


def test_standard_output_is_left_alone() -> None:
    """Records go there."""
    with terminal() as screen:
        before = sys.stdout
        progress = TerminalProgress(NoSight())
        during = sys.stdout
        progress.close()
        assert during is before
        assert sys.stderr is screen.stderr


def test_elsewhere_a_command_that_shows_its_own_result_shows_nothing_else() -> None:
    """A scheduled job has its log."""
    with redirect_stderr(io.StringIO()) as stderr, redirect_stdout(io.StringIO()) as stdout:
        progress = make_list_of_streams()
        assert type(progress) is SilentProgress
        progress.begin("people")
        progress.advance("people", 5)
        progress.end("people", complete=True)
        progress.close()
    assert stderr.getvalue() == ""
    assert stdout.getvalue() == ""


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged."""
    return [record.getMessage() for record in caplog.records]


def test_a_log_has_a_line_for_each_stream_that_takes_time(caplog: pytest.LogCaptureFixture) -> None:
    """When it ends; of short ones, and of those that failed, others tell."""
    caplog.set_level(logging.INFO, "tap-crm")
    time = FakeTime()
    progress = LogProgress(Told(), lambda: Rate(time.clock))
    for stream, seconds, complete in (("people", 36, True), ("leads", 36, False), ("tags", 0.5, True)):
        progress.begin(stream)
        time.sleep(seconds)
        progress.advance(stream, 20_000)
        progress.end(stream, complete=complete)
    progress.advance("sync_audit", 3)
    assert logged(caplog) == ["people: 20,000 rows, 6 requests, 36 s"]


def test_a_stream_that_goes_on_says_so_ever_less_often(caplog: pytest.LogCaptureFixture) -> None:
    """With what is left, and what it waits for."""
    caplog.set_level(logging.INFO, "tap-crm")
    time = FakeTime()
    progress = LogProgress(Told("the rate limit", people=36_000), lambda: Rate(time.clock))
    progress.begin("people")
    for _ in range(360):
        time.sleep(10)
        progress.advance("people", 50)
    said = logged(caplog)
    assert said[0] == "people: 300 of 36,000 rows (1%), about 2.0 h left; waits for the rate limit"
    assert 5 <= len(said) <= 10
    assert said[-1].startswith("people: ")
    caplog.clear()
    progress = LogProgress(Told("status 500; tries again in 4 s"), lambda: Rate(time.clock))
    progress.begin("notes")
    time.sleep(100)
    progress.advance("notes", 1_000)
    assert logged(caplog) == ["notes: 1,000 rows so far, 10 a second; status 500; tries again in 4 s"]


def test_a_rate_is_that_of_late() -> None:
    """A burst at the start says nothing of the end."""
    time = FakeTime()
    rate = Rate(time.clock)
    rate.add(10_000)
    assert rate.per_second() == 0  # too early to tell
    assert rate.left(20_000) is None
    for _ in range(120):
        time.sleep(1)
        rate.add(10)
    assert rate.per_second() == pytest.approx(10, rel=0.05)
    assert rate.left(11_200 + 600) == pytest.approx(60, rel=0.05)
    assert rate.left(5) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5_000, "83 min"), (7_200, "2.0 h")]
)
def test_a_time_that_is_left_is_rough(seconds: float, words: str) -> None:
    """Nobody needs the seconds of an hour."""
    assert in_words(seconds) == words
