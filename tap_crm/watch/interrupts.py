"""SIGTERM and SIGINT while something waits: noted, passed on to COMMAND, and whoever waits wakes up."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Self, TypeVar

from tap_crm.contract.signals import Terminated

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

T = TypeVar("T")
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupts:
    """The signals of this process; used by its main thread, as a context."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._waiting: list[int] = []
        self._group: int | None = None
        self._reads, self._writes = os.pipe()
        os.set_blocking(self._reads, False)
        os.set_blocking(self._writes, False)

    def __enter__(self) -> Self:
        """Take the signals."""
        self._handlers = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._reads)
        os.close(self._writes)

    def check(self) -> None:
        """End if a signal asked for it.

        Raises:
            Terminated: one did; the code is that of the first.
        """
        if self._first is not None:
            raise Terminated(128 + self._first)

    def wait(self, seconds: float | None) -> None:
        """Wait so long, or until a signal comes or somebody wakes us; None for as long as that takes."""
        select.select([self._reads], [], [], seconds)
        with suppress(BlockingIOError):
            while os.read(self._reads, 512):
                pass

    def wake(self) -> None:
        """End a wait, the next one if there is none now; from any thread."""
        with suppress(BlockingIOError):  # the pipe is full: it will wake up anyway
            os.write(self._writes, b".")

    def pass_on_to(self, group: int | None) -> None:
        """Pass signals on to a process group from now on, those included that came just before; None for none."""
        self._group = group
        self._pass_on()

    def apart(self, work: Callable[[], T]) -> T:
        """Return what a function returns in a thread, which a signal does not wait for; raises what it raises.

        Raises:
            Terminated: a signal came.
        """
        found: list[T] = []
        ends: list[BaseException | None] = []

        def run() -> None:
            try:
                value = work()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                ends.append(error)
            else:
                found.append(value)
                ends.append(None)
            with suppress(OSError):  # nobody waits any more
                self.wake()

        Thread(target=run, name="watch", daemon=True).start()
        while not ends:
            self.wait(None)
            self.check()
        if ends[0] is not None:
            raise ends[0]
        return found[0]

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        self._first = number if self._first is None else self._first
        self._waiting.append(number)
        self._pass_on()
        self.wake()

    def _pass_on(self) -> None:
        """Pass each signal on once, although another one may interrupt this."""
        while self._group is not None and self._waiting:
            with suppress(IndexError, ProcessLookupError):
                os.killpg(self._group, self._waiting.pop(0))
