"""Keeps two watches of one config apart, and a watch from a COMMAND that one before it has left.

Two files that are locked: one by the watch alone; one by it and, since locks go with open files, by its COMMAND. A
watch that was killed holds neither; its COMMAND goes on, and holds the second until it ends.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tap_crm import errors

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows, which has no process groups to pass signals on to, either
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER_ONLY = 0o600
LOOK_SECONDS = 0.5


class WatchLock:
    """The locks of a config, on this machine and for this user.

    Args:
        config: texts that tell it apart; only a hash of them is in a file's name.

    Raises:
        ConfigError: another watch has them, or they cannot be had at all.
    """

    def __init__(self, *config: str) -> None:
        if fcntl is None:  # pragma: no cover
            raise errors.ConfigError("this command needs Linux, macOS or another Unix")
        said = hashlib.sha256("\0".join(config).encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"tap-crm-watch-{os.getuid()}-{said}"
        self._files = []
        try:
            self._files += [_open(path.with_suffix(".lock")), _open(path.with_suffix(".run"))]
        except OSError as error:
            self.close()
            raise errors.ConfigError(f"the lock cannot be made: {error.strerror}: {error.filename}") from None
        if not _is_locked(self._files[0]):
            self.close()
            raise errors.ConfigError("another tap-crm-watch runs with this config on this machine")

    @property
    def handed_on(self) -> tuple[int, ...]:
        """What COMMAND holds open."""
        return (self._files[1],)

    def await_command(self, say: Callable[[str], None], wait: Callable[[float], None]) -> None:
        """Wait for a COMMAND that an earlier watch has left, and say so; the lock is ours then."""
        if _is_locked(self._files[1]):
            return
        say("COMMAND of an earlier tap-crm-watch still runs: waiting for its end")
        while not _is_locked(self._files[1]):
            wait(LOOK_SECONDS)

    def close(self) -> None:
        """Let go of what is ours."""
        while self._files:
            os.close(self._files.pop())


def _open(path: Path) -> int:
    # Never removed: who opened the file before would lock one that nobody else sees.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ONLY)


def _is_locked(file: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
