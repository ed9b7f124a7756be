"""What SIGTERM and SIGINT do to a run, and how a command ends: by its exit code, and one line for what was foreseen."""

from __future__ import annotations

import _thread
import logging
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_crm import errors

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator


#: The signals that end a run.
ENDING = (signal.SIGTERM, signal.SIGINT)
FAILED = 1
#: The exit code of a run whose credentials the CRM refused; trying again cannot help. EX_NOPERM of sysexits.h.
REFUSED = 77
#: What the last line of such a run says before the exit code.
REFUSED_MARK = "credentials refused: exit code"


class Terminated(SystemExit):
    """SIGTERM or SIGINT arrived, and the last safe state was written; the code is 128 and the signal's number."""


class Signals:
    """Notes a signal, which may come in the middle of a line, until the run looks for it.

    Args:
        stopping: set when the run ends.
        settle: waits until nothing is half done that could not be had again.
        log: where the first one is told.
        when: says there when the run will end.
    """

    def __init__(self, stopping: threading.Event, settle: Callable[[], None], log: logging.Logger, when: str) -> None:
        self._stopping, self._settle = stopping, settle
        self._log, self._when = log, when
        self._noted: int | None = None
        self._leaving = _thread.allocate_lock()

    def note(self, number: int, *, is_minded: bool) -> None:
        """Leave a note. A second signal ends the process at once, as does the first if nobody minds notes."""
        if self._noted is not None or not is_minded:
            self._noted = self._noted or number  # whatever looks for notes first, or this one, ends the process
            self._leave(128 + number)
            return
        self._noted = number
        self._stopping.set()
        self._heed_a_second()
        self._log.warning("%s: ending %s", signal.Signals(number).name, self._when)

    def _heed_a_second(self) -> None:
        """Have a thread wait for a further signal, which the system tells it of at once.

        Python calls the handler of a signal between two of its own steps only. One that comes just before this thread
        writes into a pipe that nobody reads would be seen by nobody.
        """
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

        def heed() -> None:
            while told := os.read(reading, 1):
                if told[0] in ENDING:
                    self._leave_settled(128 + told[0])

        _thread.start_new_thread(heed, ())

    def check_signals(self) -> None:
        """End the run if a signal asked for it; called between pages and while waiting for one.

        Raises:
            Terminated: one did.
        """
        if self._noted is not None:
            raise Terminated(128 + self._noted)

    def _leave(self, code: int) -> None:
        """End the process as soon as no OAuth token is under way, which could not be had again."""
        # The exchange may be this thread's own, so another one waits for it. Not `threading.Thread`: its start takes
        # a lock that this thread, which the signal interrupted, may hold.
        _thread.start_new_thread(self._leave_settled, (code,))

    def _leave_settled(self, code: int) -> None:
        """End the process from a thread that may wait; one does, though the handler and the system both tell of it."""
        self._settle()
        if self._leaving.acquire(blocking=False):
            os._exit(code)


def file_fault(error: OSError) -> str:
    """Return the line that says which file is at fault."""
    said = f"{error.strerror}: {error.filename}" if error.strerror and error.filename else str(error)
    return f"a file cannot be read or written: {said}"


@contextmanager
def ending(log: logging.Logger, *, refused: int = FAILED) -> Iterator[None]:
    """End the process with 1 and one line where something foreseeable fails; at once where a signal ended the run.

    Args:
        log: where the line is written.
        refused: the exit code where the CRM refused the credentials. The line says that in fixed words, too, since
            Meltano makes 1 of whatever a tap or a target ends with.
    """
    try:
        yield
    except errors.CredentialsRefused as error:
        log.error("%s (%s %d)", error, REFUSED_MARK, refused)  # noqa: TRY400 - the cause is foreseeable: no traceback
        sys.exit(refused)
    except errors.CrmError as error:
        log.error("%s", error)  # noqa: TRY400 - the cause is foreseeable: no traceback
        sys.exit(1)
    except OSError as error:
        log.error("%s", file_fault(error))  # noqa: TRY400
        sys.exit(1)
    except Terminated as end:
        logging.shutdown()
        os._exit(int(end.code or 0))  # threads that wait for an answer are not waited for
