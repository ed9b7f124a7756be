"""A process that has imported the tap and the target, and forks a child for each run that it is asked for.

Importing takes longer than most runs. Each child is a process of its own, as if it had just been started with
``python -m tap_crm``: nothing leaks from one run to the next. `tests.warm_tap` starts this process and talks to it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from tests.stalls import STALLS_FILE, recorded

#: The length of a request; the child's process id; its exit code.
NUMBER = struct.Struct("!i")
#: The variable by which a run's own clock is ahead, in seconds.
CLOCK_AHEAD = "CLOCK_AHEAD"
#: What is imported ahead; a tap that is not installed with these would fail in its first run anyway.
IMPORTED = (
    *(
        "tap_crm.singer.tap",
        "target_crm.singer.target",
        "requests",
        "encodings.idna",
        "concurrent.futures.thread",
        "multiprocessing.util",
    ),
    *("tap_crm.audit.command", "duckdb", "psycopg"),
)


@dataclass
class Request:
    """A run that is asked for: ``python -m MODULE ARGUMENTS``, its environment, its folder, and three descriptors."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    stdout: int
    stderr: int
    reply: int


def serve(control: socket.socket) -> Request | None:
    """Fork a child for each request; returns its request in the child, and None in the end."""
    replies: dict[int, int] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler, nobody is woken
    while True:
        ready = select.select([control.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            _report(replies)
        if control.fileno() in ready:
            request = _receive(control)
            if request is None:
                return None
            child = os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (woken, wake, control.detach(), *replies.values()):
                    os.close(descriptor)
                return request
            os.close(request.stdout)
            os.close(request.stderr)
            replies[child] = request.reply


def _report(replies: dict[int, int]) -> None:
    """Tell the exit codes of the children that ended."""
    for child in list(replies):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            reply = replies.pop(child)
            with contextlib.suppress(BrokenPipeError):  # whoever asked has lost interest
                os.write(reply, NUMBER.pack(os.waitstatus_to_exitcode(status)))
            os.close(reply)


def _receive(control: socket.socket) -> Request | None:
    """Read a request; None if nobody is there any more."""
    length, descriptors, _, _ = socket.recv_fds(control, NUMBER.size, 3)
    if not length:
        return None
    text = control.recv(NUMBER.unpack(length)[0], socket.MSG_WAITALL)
    content: dict[str, Any] = json.loads(text)
    stdout, stderr, reply = descriptors
    return Request(**content, stdout=stdout, stderr=stderr, reply=reply)


def _set_clock(seconds: float) -> None:
    """Let this process's clock be ahead of the machine's."""
    if seconds:
        machine = time.time
        time.time = lambda: machine() + seconds


def become(request: Request) -> None:
    """Run what was asked for in this process, which was just forked."""
    os.dup2(request.stdout, 1)
    os.dup2(request.stderr, 2)
    os.write(request.reply, NUMBER.pack(os.getpid()))  # from here on signals do what they do to any process
    for descriptor in (request.stdout, request.stderr, request.reply):
        os.close(descriptor)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    _set_clock(float(os.environ.pop(CLOCK_AHEAD, "0")))
    with contextlib.suppress(ImportError):
        import coverage  # noqa: PLC0415 - the tests run without it too

        coverage.process_startup()  # measures if the environment says so, as in any new process
    sys.argv[1:] = request.arguments
    try:
        with recorded(os.environ.pop(STALLS_FILE, "")):
            runpy.run_module(request.module, run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        _Exit.code = 0 if leaving.code is None else leaving.code
        raise
    _Exit.code = 0


class _Exit:
    """Ends a child without taking apart what it imported: that takes as long as many runs."""

    code: object = None
    end = staticmethod(os._exit)  # coverage replaces the one of the module

    @classmethod
    def at_once(cls) -> None:
        """Exit, if the run has told its code; any other end, such as by an exception, is left to Python."""
        if not isinstance(cls.code, int):
            return
        with contextlib.suppress(OSError, ValueError):  # Python will fail at it, too, and say so
            sys.stdout.flush()
            sys.stderr.flush()
            cls.end(cls.code)


def main() -> None:
    """Import the tap, then serve until the other end of the socket is closed.

    A child leaves by the end of the program too, so that it ends as every Python process does: threads are joined,
    what is registered for the exit is called, output is flushed.
    """
    atexit.register(_Exit.at_once)  # as the first, so that it is called last
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in IMPORTED:
        importlib.import_module(name)
    with contextlib.suppress(ImportError):
        importlib.import_module("coverage")
    if threading.active_count() > 1:
        raise RuntimeError("an import started a thread, which no child would have: do not fork")
    gc.collect()
    gc.freeze()  # a child need not look at what is here already
    request = serve(control)
    if request is not None:
        become(request)


if __name__ == "__main__":
    main()
