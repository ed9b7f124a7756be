"""COMMAND: found before anything else is done, run in a process group of its own, and waited for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tap_crm import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.watch.interrupts import Interrupts
    from tap_crm.watch.lock import WatchLock


class Program:
    """A command line, as it was given.

    Args:
        words: the program and its arguments.
        lock: is held by COMMAND, too, as long as it runs.
        interrupts: whose signals it gets.

    Raises:
        ConfigError: there is no such program, or it cannot be executed.
    """

    def __init__(self, words: Sequence[str], lock: WatchLock, interrupts: Interrupts) -> None:
        self._words, self._lock, self._interrupts = list(words), lock, interrupts
        name = self._words[0]
        if shutil.which(name) is None:
            is_there = os.sep in name and Path(name).exists()
            raise errors.ConfigError(
                f"COMMAND is not executable: {name}" if is_there else f"COMMAND is not found: {name}"
            )

    def run(self) -> int:
        """Run it to its end, without input; its outputs are ours.

        Returns:
            Its exit code; 128 and the signal's number where a signal ended it.

        Raises:
            ConfigError: it could not be started.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - running what the user says is what this is for
                self._words, stdin=subprocess.DEVNULL, process_group=0, pass_fds=self._lock.handed_on
            )
        except OSError as error:
            raise errors.ConfigError(f"COMMAND cannot be started: {error.strerror}: {self._words[0]}") from None
        with process:
            self._interrupts.pass_on_to(process.pid)
            try:
                code = process.wait()
            finally:
                self._interrupts.pass_on_to(None)
        return code if code >= 0 else 128 - code
