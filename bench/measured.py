"""Runs a module or a script as Python itself would, and writes the peak of its memory, in kilobytes, when it ends.

    python measured.py FILE MODULE_OR_SCRIPT ARGUMENTS

It is run by its path, by the Python of any environment. What the kernel says of a child that has ended is no good: it
begins with the memory of the process that started it.
"""

from __future__ import annotations

import atexit
import os
import re
import runpy
import sys
from pathlib import Path


def _tell(path: Path) -> None:
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))
    path.write_text(found[1] if found else "0")


def _run(told: str, what: str, *arguments: str) -> None:
    atexit.register(_tell, Path(told).resolve())  # first, so it is the last that happens
    sys.argv = [what, *arguments]
    if os.sep in what:
        sys.path[0] = str(Path(what).parent)
        runpy.run_path(what, run_name="__main__")
    else:
        sys.path[0] = str(Path.cwd())
        runpy.run_module(what, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run(*sys.argv[1:])
