"""Runs a module of the product in this process, and tells at its end how much memory that took at most.

    python -m tests.peak tap_crm --config config.json

What `getrusage` tells begins with the size of the process that started this one, which is a large one in tests.
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What a process with nothing to do has.
IDLE = 85_000_000
_SAYS = "PEAK "


class Peak(NamedTuple):
    """What a run said, and how many bytes it took."""

    log: str
    bytes: int


def command(module: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs a module and tells its peak."""
    return [sys.executable, "-m", "tests.peak", module, *arguments]


def told(stderr: bytes) -> Peak:
    """Return what it told."""
    log, _, peak = stderr.decode().rpartition(_SAYS)
    return Peak(log, int(peak))


def of(process: int | str = "self") -> int:
    """Return the bytes that a living process has taken at most."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text("utf-8"))
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        sys.stderr.write(f"{_SAYS}{of()}\n")
