"""What SIGTERM and SIGINT do: the run ends between two pages, with its last safe state written."""

from __future__ import annotations

import _thread
import logging
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

_log = logging.getLogger("tap-crm")


class Terminated(SystemExit):
    """SIGTERM or SIGINT arrived, and the last safe state was written."""


class Signals:
    """Notes a signal, which may come in the middle of a line, until the run looks for it.

    Args:
        stopping: set when the run ends.
        settle: waits until nothing is half done that could not be had again.
    """

    def __init__(self, stopping: threading.Event, settle: Callable[[], None]) -> None:
        self._stopping, self._settle = stopping, settle
        self._noted: int | None = None

    def note(self, number: int, *, is_minded: bool) -> None:
        """Leave a note. A second signal ends the process at once, as does the first if nobody minds notes."""
        if self._noted is not None or not is_minded:
            self._leave(128 + number)
            return
        self._noted = number
        self._stopping.set()
        _log.warning("%s: ending after the present page", signal.Signals(number).name)

    def check_signals(self) -> None:
        """End the run if a signal asked for it; called between pages and while waiting for one.

        Raises:
            Terminated: one did.
        """
        if self._noted is not None:
            raise Terminated(128 + self._noted)

    def _leave(self, code: int) -> None:
        """End the process as soon as no OAuth token is under way, which could not be had again."""

        def leave() -> None:
            self._settle()
            os._exit(code)

        # The exchange may be this thread's own, so another one waits for it. Not `threading.Thread`: its start takes
        # a lock that this thread, which the signal interrupted, may hold.
        _thread.start_new_thread(leave, ())
