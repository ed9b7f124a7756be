"""Run by a program's own Python: imports the program once, then forks a process for each run that it is asked for.

Importing takes longer than most runs. Asked by `tests.meltano.programs`, in JSON lines on one descriptor; the exit code
of each run goes back on another one. It uses nothing of these tests, which the Python of a loader does not have.
"""

from __future__ import annotations

import gc
import json
import logging.config
import os
import signal
import sys
import threading
import traceback
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: What the programs import at their first connection only.
LATE = (
    *("duckdb_engine", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.postgresql.psycopg2"),
    "sqlalchemy.dialects.sqlite",
)
#: Seconds after which a run is ended.
LONGEST = 240


def main(name: str, asked: int, answered: int) -> None:
    """Serve until nobody is there any more.

    Args:
        name: of the program.
        asked: the descriptor from which requests are read.
        answered: the one to which exit codes are written.
    """
    (program,) = entry_points(group="console_scripts", name=name)
    run: Callable[[], object] = program.load()
    for module in LATE:
        try:
            import_module(module)
        except ImportError:
            continue
    if threading.active_count() > 1:
        raise RuntimeError("an import started a thread, which no run would have: do not fork")
    once: Any = cache(logging.config.fileConfig)
    logging.config.fileConfig = once  # target-duckdb reads the file for each column
    gc.collect()
    gc.freeze()
    with os.fdopen(asked, encoding="utf-8") as requests, os.fdopen(answered, "w", encoding="utf-8") as answers:
        while line := requests.readline():
            child = os.fork()
            if child == 0:
                become(run, name, json.loads(line))
            answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
            answers.flush()


def become(run: Callable[[], object], name: str, request: dict[str, Any]) -> None:
    """Run the program in this process, which was just forked, and end it."""
    for number, (stream, flags) in enumerate(
        (("input", os.O_RDONLY), ("output", os.O_WRONLY | os.O_APPEND), ("errors", os.O_WRONLY | os.O_APPEND))
    ):
        os.dup2(os.open(request[stream], flags), number)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [name, *request["arguments"]]
    signal.alarm(LONGEST)
    code: object = 0
    try:
        code = run()
    except SystemExit as leaving:
        code = leaving.code
    except BaseException:  # noqa: BLE001 - as Python does at the end of a process
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
