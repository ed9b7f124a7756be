"""What a run writes into its log: our own lines, and of the SDK's only what people have to act on."""

from __future__ import annotations

import logging
from pathlib import Path

import singer_sdk
from singer_sdk.logging import ConsoleFormatter
from typing_extensions import override

_SDK = str(Path(singer_sdk.__file__).parent)
#: The logger of lines of a table.
TABLE = "tap-crm.verdict"


def _is_noise(record: logging.LogRecord) -> bool:
    """Tell whether the SDK says something in passing: METRIC lines, streams that begin or are skipped."""
    is_wanted = logging.getLogger().level <= logging.DEBUG
    return record.levelno <= logging.INFO and record.pathname.startswith(_SDK) and not is_wanted


class _Lines(logging.Formatter):
    """Formats as before, but a line of a table without time and level, which would push it out of sight."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    @override
    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage() if record.name == TABLE else self._inner.format(record)


def settle_logs() -> None:
    """Leave out what the SDK says in passing, unless the level is DEBUG; called when its handlers are there.

    Whoever has log handlers or formats of their own (``SINGER_SDK_LOG_CONFIG``, Meltano) keeps these.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: not _is_noise(record))
        if isinstance(handler.formatter, ConsoleFormatter):
            handler.setFormatter(_Lines(handler.formatter))
