"""A terminal that remembers what a command has shown on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import threading

from tests.started import Program


class Screen:
    """A pseudo-terminal for the standard error of a command.

    Args:
        columns: its width.

    Attributes:
        raw: what was shown, with colours and moves of the cursor.
    """

    def __init__(self, columns: int = 80) -> None:
        self._columns = columns
        self.raw = ""

    def run(self, command: list[str], variables: dict[str, str], timeout: float = 60) -> int:
        """Run a command to its end; return its exit code."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, self._columns, 0, 0))
        shown: list[bytes] = []

        def read() -> None:
            try:
                while part := os.read(master, 65_536):
                    shown.append(part)
            except OSError:  # the other end is closed
                pass

        reader = threading.Thread(target=read)
        with Program(command, variables=variables, stderr=slave) as process:
            os.close(slave)
            reader.start()
            code = process.wait(timeout)
            reader.join(timeout)
            os.close(master)
            process.shown(b"".join(shown))
        self.raw = b"".join(shown).decode()
        return code

    @property
    def text(self) -> str:
        """What was shown, line by line, without colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.raw).replace("\r", "")
