"""Runs the processes of a load: ended in time, and never outliving who started them."""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

#: How long a look at the clock may wait for output.
TICK = 0.5
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass
class Limits:
    """When a load has to end.

    Attributes:
        seconds: after so many, it is asked to end; None for no limit.
        kill_after: so many seconds after it was asked, it is killed.
        clock: seconds that only go forward.
        signal: the signal that asked it to end, if one did.
        timed_out: whether the limit did.
        killed: whether it had to be killed.
    """

    seconds: float | None
    kill_after: float
    clock: Callable[[], float] = time.monotonic
    signal: int | None = None
    timed_out: bool = False
    killed: bool = False
    _kill_at: float | None = field(default=None, init=False)
    _end_at: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        self._end_at = None if self.seconds is None else self.clock() + self.seconds

    def note(self, number: int, _: FrameType | None = None) -> None:
        """Leave a note of a signal; a second one has all killed."""
        if self.signal is not None:
            self._kill_at = self.clock()
        self.signal = number

    def due(self) -> int | None:
        """Return the signal that is due now: SIGTERM once, SIGKILL later; None if none is."""
        now = self.clock()
        if self._kill_at is None and (self.signal is not None or (self._end_at is not None and now >= self._end_at)):
            self.timed_out = self.signal is None
            self._kill_at = now + self.kill_after
            return signal.SIGTERM
        if self._kill_at is not None and now >= self._kill_at and not self.killed:
            self.killed = True
            return signal.SIGKILL
        return None


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    reading: IO[bytes] | int = subprocess.DEVNULL,
    errors: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process whose output is read here; on Linux, it is killed when this process dies.

    It has a session of its own: a signal to our process group is ours to pass on, to the tap first.

    Raises:
        ConfigError: it cannot be started.
    """
    try:
        return subprocess.Popen(  # noqa: S603 - the command is the user's own
            command,
            env=environment,
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            preexec_fn=None if _LIBC is None else _bound_to(os.getpid()),  # noqa: PLW1509 - no threads run here
        )
    except OSError as error:
        raise ConfigError(f"`{command[0]}` cannot be started: {error.strerror}") from None


def _bound_to(parent: int) -> Callable[[], None]:
    def bind() -> None:
        assert _LIBC is not None  # noqa: S101 - for the type checker
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # it died before
            os.kill(os.getpid(), signal.SIGKILL)

    return bind


def send(number: int, *processes: subprocess.Popen[bytes]) -> None:
    """Send a signal to processes, and to what they have started, that are still there."""
    for process in processes:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        if number == signal.SIGKILL:
            process.wait()


def lines_of(output: IO[bytes], at_each_tick: Callable[[], None]) -> Iterator[bytes]:
    """Yield the lines of a pipe as they come, without their ends, until it is closed; look at the clock meanwhile."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            at_each_tick()
            if not selector.select(TICK):
                continue
            chunk = os.read(output.fileno(), 1 << 16)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
    if rest:
        yield rest


def wait_for(process: subprocess.Popen[bytes], at_each_tick: Callable[[], None]) -> int:
    """Wait for the end of a process, and return its exit code as a shell does; look at the clock meanwhile."""
    while True:
        at_each_tick()
        try:
            code = process.wait(TICK)
        except subprocess.TimeoutExpired:
            continue
        return code if code >= 0 else 128 - code
