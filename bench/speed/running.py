"""Runs a command once, and says what it took and what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEASURED = str(Path(__file__).parents[1] / "measured.py")
CHUNK = 65_536


class Failed(Exception):  # noqa: N818 - it says what happened
    """A run does not end as it should, or lost rows."""


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds of CPU, of the wall clock, and megabytes at its peak (VmHWM)."""

    cpu: float
    wall: float
    peak: float


@dataclass
class Program:
    """A command of some Python.

    Attributes:
        python: which one.
        what: a module, or the path of a script.
        cwd: where it is run.
        variables: of its environment, besides those of this process.
    """

    python: Path
    what: str
    cwd: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, output: Path, *arguments: str, reader: float | None = None) -> Cost:
        """Run it once, its output kept in a file.

        Args:
            output: where what it writes is kept.
            arguments: that it is given.
            reader: bytes a second that are read of its output through a pipe; None: it writes into the file itself.

        Raises:
            Failed: it does not end with 0.
        """
        with tempfile.TemporaryDirectory() as name, output.open("wb") as kept:
            told, log = Path(name) / "peak", Path(name) / "log"
            began = time.perf_counter()
            with log.open("wb") as errors:
                process = subprocess.Popen(
                    [str(self.python), MEASURED, str(told), self.what, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=kept if reader is None else subprocess.PIPE,
                    stderr=errors,
                    cwd=self.cwd,
                    env={**_usual(), **self.variables},
                )
            reading = threading.Thread(target=_read, args=(process, kept, reader))
            reading.start()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - began
            reading.join()
            if process.returncode:
                last = log.read_text(errors="replace").strip().rpartition("\n")[2].rpartition(" | ")[2].strip()
                raise Failed(f"{Path(self.what).name} ended with {process.returncode}: {last}")
            return Cost(used.ru_utime + used.ru_stime, wall, int(told.read_text()) / 1024)


def _usual() -> dict[str, str]:
    """Return this process's environment, without what would have each run compile anew what it imports."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def _read(process: subprocess.Popen[bytes], kept: Any, speed: float | None) -> None:  # noqa: ANN401 - a binary file
    """Take what a process writes into its pipe, so many bytes a second at most."""
    if process.stdout is None or speed is None:
        return
    began, taken = time.monotonic(), 0
    while chunk := os.read(process.stdout.fileno(), CHUNK):
        kept.write(chunk)
        taken += len(chunk)
        time.sleep(max(0.0, began + taken / speed - time.monotonic()))
    process.stdout.close()


class _Record(msgspec.Struct):
    id: Any = None
    own: Any = msgspec.field(name="_id", default=None)
    stream: Any = ""
    data: Any = None


class _Line(msgspec.Struct):
    type: str = ""
    stream: str = ""
    record: _Record | None = None
    value: msgspec.Raw = msgspec.Raw(b"")


@dataclass(frozen=True)
class Written:
    """What a run wrote: how many records, which keys by stream, and its last state."""

    records: int
    keys: Mapping[str, set[Any]]
    state: bytes

    def rows(self, wanted: Sequence[str] | None = None) -> int:
        """Return how many different rows were written, of all streams or of some."""
        return sum(len(keys) for stream, keys in self.keys.items() if wanted is None or stream in wanted)


def written(path: Path) -> Written:
    """Return what is in the messages of a Singer tap, or of an Airbyte source."""
    records, keys, state = 0, defaultdict[str, set[Any]](set), b""
    decoder = msgspec.json.Decoder(_Line)
    with path.open("rb") as lines:
        for line in lines:
            message = decoder.decode(line)
            if message.type == "STATE":
                state = bytes(message.value)
            elif message.type == "RECORD" and message.record is not None:
                records += 1
                row = message.record
                if not message.stream:  # Airbyte's: the row is within
                    keys[row.stream].add(row.data["id"])
                elif message.stream != "sync_audit":
                    keys[message.stream].add(
                        row.id if row.own is None else row.own
                    )  # a table of Copera may have a column `id`
    return Written(records, keys, state)


def said(text: str) -> None:
    """Say how far it is, beside the tables."""
    print(text, file=sys.stderr, flush=True)
