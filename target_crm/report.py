"""The report: a JSON line for each record, once, whatever dies meanwhile.

A line is in the journal before it is in the report, and leaves the journal when it certainly is in the report. What a
killed run left in between is held against the end of its report when the next run begins.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from target_crm.journal.journal import Journal

OWNER_ONLY = 0o600
#: Characters at which programs end a line, though JSON does not.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Line:
    """What the report says of one record.

    Attributes:
        key: the value of ``match``, a list if several.
        changes: by field the old and the new value.
        reason: why it was not written, or what else is to be known of it.
    """

    run_id: str
    stream: str
    key: Any
    outcome: str
    crm_id: Any = None
    changes: dict[str, tuple[Any, Any]] | None = None
    reason: str | None = None

    def text(self) -> str:
        """Return it as JSON."""
        text = _ENCODER.encode(
            {
                "run_id": self.run_id,
                "stream": self.stream,
                "key": self.key,
                "outcome": self.outcome,
                "crm_id": self.crm_id,
                "changes": self.changes or {},
                "reason": self.reason,
                "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            }
        ).decode()
        return text.translate(_LINE_ENDS)


class Report:
    """A report that is added to.

    Args:
        path: the file; None for no report.
        journal: keeps the lines until they are written.

    Raises:
        ConfigError: the file cannot be written.
    """

    def __init__(self, path: str | None, journal: Journal) -> None:
        self._journal = journal
        self.path = None if path is None else str(Path(path).absolute())
        self._file = -1 if self.path is None else _opened(self.path)

    @property
    def size(self) -> int:
        """How long it is."""
        return 0 if self._file < 0 else os.fstat(self._file).st_size

    def mend(self) -> None:
        """Add what an earlier run left in the journal; a line that it wrote in part is cut off."""
        waiting: dict[str, list[tuple[int, str]]] = {}
        for number, run_id, line in self._journal.waiting_lines():
            waiting.setdefault(run_id, []).append((number, line))
        for run_id, lines in waiting.items():
            path, size = self._journal.report_of(run_id)
            if path is not None:
                _add_missing(path, size, [line for _, line in lines])
            self._journal.forget_lines(max(number for number, _ in lines))

    def write(self) -> None:
        """Add what waits in the journal, durably."""
        if self._file < 0:
            return
        lines = self._journal.waiting_lines(of_this_run=True)  # a dry run leaves alone what a killed one left
        if not lines:
            return
        _append(self._file, [line for _, _, line in lines])
        self._journal.forget_lines(lines[-1][0])

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _opened(path: str) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
        os.fchmod(file, OWNER_ONLY)
    except OSError as error:
        raise ConfigError(f"the report cannot be written: {error.strerror}: {error.filename}") from None
    return file


def _append(file: int, lines: list[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)


def _add_missing(path: str, size: int, lines: list[str]) -> None:
    """Add the lines that a report lacks from ``size`` on."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
    try:
        written = os.pread(file, os.fstat(file).st_size, min(size, os.fstat(file).st_size))
        whole = written.rpartition(b"\n")[0] + b"\n" if b"\n" in written else b""
        if len(whole) < len(written):
            os.ftruncate(file, os.fstat(file).st_size - len(written) + len(whole))
        there = Counter(whole.decode(errors="replace").split("\n"))
        missing = []
        for line in lines:
            if there[line]:
                there[line] -= 1
            else:
                missing.append(line)
        _append(file, missing)
    finally:
        os.close(file)
