"""Progress: lines per stream on a terminal, nothing at all elsewhere, and never a word on standard output."""

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
from tap_crm.singer.progress import SilentProgress, TerminalProgress, make_progress

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal:
    """A terminal that remembers what was shown."""

    def __init__(self) -> None:
        """Open it."""
        self._master, slave = pty.openpty()
        self.stderr = os.fdopen(slave, "w", buffering=1)
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


def test_each_stream_has_a_line_with_its_records() -> None:
    """With the time that the limit cost."""
    with terminal() as screen:
        progress = make_progress(lambda: 42.0)
        assert isinstance(progress, TerminalProgress)
        progress.begin("people")
        progress.advance("people", 1200)
        progress.advance("people", 34)
        progress.begin("custom_activity_types")
        progress.end("people", complete=True)
        progress.close()
        shown = screen.shown()
        assert re.search(r"✓ people +1,234 records .*waited 42 s", shown)
        assert "custom_activity_types" in shown
        assert "…" not in shown  # it fits the usual width


def test_a_stream_that_failed_does_not_look_finished() -> None:
    """However many records it had."""
    with terminal() as screen:
        progress = make_progress(lambda: 0.0)
        progress.begin("people")
        progress.advance("people", 5)
        progress.end("people", complete=False)
        progress.close()
        shown = screen.shown()
        assert re.search(r"people +5 records.*not complete", shown)
        assert "✓" not in shown


def test_an_empty_stream_has_no_record() -> None:
    """And is finished."""
    with terminal() as screen:
        progress = make_progress(lambda: 0.0)
        progress.begin("people")
        progress.end("people", complete=True)
        progress.close()
        shown = screen.shown()
        assert re.search(r"✓ people +0 records", shown)
        assert "1 records" not in shown


def test_a_stream_that_was_never_begun_is_no_failure() -> None:
    """The audit is not shown."""
    with terminal() as screen:
        progress = make_progress(lambda: 0.0)
        progress.advance("sync_audit", 1)
        progress.end("sync_audit", complete=True)
        progress.close()
        assert "sync_audit" not in screen.shown()


def test_logs_appear_between_the_lines_and_stay_redacted() -> None:
    """Also after the end, and in their own format."""
    with terminal() as screen:
        redact_logs(["s3cret-s3cret"])
        progress = make_progress(lambda: 0.0)
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
        progress = make_progress(lambda: 0.0)
        logging.getLogger("tap-crm").warning("kept")
        progress.close()
        assert kept.getvalue() == "kept\n"


def test_standard_output_is_left_alone() -> None:
    """Records go there."""
    with terminal() as screen:
        before = sys.stdout
        progress = make_progress(lambda: 0.0)
        during = sys.stdout
        progress.close()
        assert during is before
        assert sys.stderr is screen.stderr


def test_elsewhere_nothing_is_shown() -> None:
    """A scheduled job has its log."""
    with redirect_stderr(io.StringIO()) as stderr, redirect_stdout(io.StringIO()) as stdout:
        progress = make_progress(lambda: 0.0)
        assert type(progress) is SilentProgress
        progress.begin("people")
        progress.advance("people", 5)
        progress.end("people", complete=True)
        progress.close()
    assert stderr.getvalue() == ""
    assert stdout.getvalue() == ""
