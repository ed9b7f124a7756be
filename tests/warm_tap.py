"""Runs the tap in a process that need not import it first: `tests.forker` has done so, once for each pytest worker."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

from tests import leaks
from tests.forker import NUMBER

ROOT = Path(__file__).resolve().parents[1]
#: Only Linux forks safely after such imports. With ``COLD_TAP=1`` every run is the real command.
POSSIBLE = sys.platform == "linux" and not os.environ.get("COLD_TAP")
#: These would have the forker itself measured, and through it every run twice.
MEASURING = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


def is_measured() -> bool:
    """Tell whether the coverage of the runs of a test is measured."""
    return any(name in os.environ for name in MEASURING)


def execute(command: list[str], environment: dict[str, str], timeout: float) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m MODULE ARGUMENTS`` to its end, as `subprocess.run` does with both outputs captured."""
    assert command[:2] == [sys.executable, "-m"], command
    deadline = time.monotonic() + timeout
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as log, os.fdopen(reading, "rb", buffering=0) as pipe:
        try:
            run = WarmRun(command, environment, writing, log.fileno())
        finally:
            os.close(writing)
        pieces = []
        try:
            while piece := _next(pipe.fileno(), deadline):
                pieces.append(piece)
            code = run.wait(deadline - time.monotonic())
        except BaseException as reason:  # whatever ends the wait ends the run
            run.send_signal(signal.SIGKILL)
            run.wait(10)
            if isinstance(reason, TimeoutError):
                raise subprocess.TimeoutExpired(command, timeout) from None
            raise
        finally:
            try:
                run.shown(b"".join(pieces))
            finally:
                run.close()
        log.seek(0)
        output = b"".join(pieces)
        return subprocess.CompletedProcess(command, code, output, log.read())


def _next(descriptor: int, deadline: float) -> bytes:
    """Return the next piece of an output, and nothing at its end."""
    if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
        raise TimeoutError
    return os.read(descriptor, 1 << 20)


class WarmRun:
    """A run that has begun.

    Args:
        command: ``python -m MODULE ARGUMENTS``.
        environment: all of its environment.
        stdout: a descriptor; the caller keeps and closes its own copy.
        stderr: likewise.

    Attributes:
        pid: its process, which takes signals as any other.
    """

    def __init__(self, command: list[str], environment: dict[str, str], stdout: int, stderr: int) -> None:
        self._reply, theirs = socket.socketpair()
        self._code: int | None = None
        self._given = command, environment
        self._outputs = [os.dup(one) for one in (stdout, stderr) if stat.S_ISREG(os.fstat(one).st_mode)]
        self._unseen = 2 - len(self._outputs)
        with theirs:
            forker().ask(
                {"module": command[2], "arguments": command[3:], "environment": environment, "folder": os.getcwd()},  # noqa: PTH109 - as text
                [stdout, stderr, theirs.fileno()],
            )
        self.pid = self._number(timeout=60)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the run is known to have ended."""
        if self._code is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """Return the exit code as `subprocess` tells it; a TimeoutError if there is none in time."""
        if self._code is None:
            self._code = self._number(timeout)
            leaks.check(*self._given, *leaks.contents(self._outputs))
        return self._code

    def shown(self, output: bytes) -> None:
        """Search what was read of an output that is no file; each of these has to be told here."""
        self._unseen -= 1
        leaks.check(*self._given, output)

    def close(self) -> None:
        """Stop listening for the exit code."""
        self._reply.close()
        assert self._code is None or not self._unseen, "nobody has searched an output: see `shown`"
        while self._outputs:
            os.close(self._outputs.pop())

    def _number(self, timeout: float) -> int:
        self._reply.settimeout(max(0.001, timeout))
        answer = self._reply.recv(NUMBER.size)
        assert answer, "the process that forks the runs is gone; it may have said why above"
        number: int = NUMBER.unpack(answer)[0]
        return number


class _Forker:
    """The process that has imported the tap."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._one_at_a_time = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forker", str(theirs.fileno())],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if name not in MEASURING},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def ask(self, request: dict[str, object], descriptors: list[int]) -> None:
        """Ask for a run."""
        text = json.dumps(request).encode()
        with self._one_at_a_time:
            socket.send_fds(self._control, [NUMBER.pack(len(text))], descriptors)
            self._control.sendall(text)

    def close(self) -> None:
        """End the process."""
        self._control.close()
        self._process.wait(timeout=10)


@cache
def forker() -> _Forker:
    """Return the process of this pytest worker; it starts with the first run."""
    started = _Forker()
    atexit.register(started.close)
    return started
