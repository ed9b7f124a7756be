"""Keeps secrets out of every log line, also out of those that libraries write."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "[hidden]"


class _Redaction(logging.Formatter):
    """Formats as before, then hides the secrets in the finished line, tracebacks included."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        for secret in self._secrets:
            line = line.replace(secret, HIDDEN)
        return line


def redact_logs(secrets: Iterable[str]) -> None:
    """Hide the secrets in whatever the present log handlers write from now on."""
    found = tuple(secrets)
    if not found:
        return
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Redaction(handler.formatter or logging.Formatter(), found))
