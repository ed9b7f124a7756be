"""Secrets are hidden in every log line, whoever writes it."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_crm.config.redaction import HIDDEN, redact_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "3f1a9c77d2e84b06a5c0ffee12345678"


@contextmanager
def logging_to_memory() -> Iterator[io.StringIO]:
    """Catch what the root logger's handlers write, one with a formatter and one without."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    formatted, plain = logging.StreamHandler(written), logging.StreamHandler(written)
    formatted.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root.handlers[:] = [formatted, plain]
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def test_a_secret_in_a_message_is_hidden() -> None:
    """The rest of the line stays, in its format."""
    with logging_to_memory() as log:
        redact_logs([KEY])
        logging.getLogger("urllib3").warning("sent %s to %s", KEY, "there")
        assert log.getvalue() == f"WARNING sent {HIDDEN} to there\nsent {HIDDEN} to there\n"


def test_a_secret_in_a_traceback_is_hidden() -> None:
    """Exceptions of libraries hold whole requests."""
    with logging_to_memory() as log:
        redact_logs([KEY])
        try:
            int(KEY + "z")
        except ValueError:
            logging.getLogger("any").exception("failed with %s", KEY)
        assert KEY not in log.getvalue()
        assert f"'{HIDDEN}z'" in log.getvalue()


def test_several_secrets_are_hidden_wherever_they_stand() -> None:
    """Also twice in one line."""
    with logging_to_memory() as log:
        redact_logs(iter([KEY, "t0ken-t0ken"]))
        logging.getLogger().error("%s%s and t0ken-t0ken", KEY, KEY)
        assert log.getvalue().splitlines()[1] == f"{HIDDEN}{HIDDEN} and {HIDDEN}"


def test_a_later_secret_does_not_uncover_an_earlier_one() -> None:
    """A token may be renewed during a run."""
    with logging_to_memory() as log:
        redact_logs([KEY])
        redact_logs(["t0ken-t0ken"])
        logging.getLogger().error("%s t0ken-t0ken", KEY)
        assert log.getvalue().splitlines()[1] == f"{HIDDEN} {HIDDEN}"


def test_without_secrets_nothing_changes() -> None:
    """Formats are left alone."""
    with logging_to_memory() as log:
        before = [handler.formatter for handler in logging.getLogger().handlers]
        redact_logs([])
        assert [handler.formatter for handler in logging.getLogger().handlers] == before
        logging.getLogger().error("plain")
        assert log.getvalue() == "ERROR plain\nplain\n"
