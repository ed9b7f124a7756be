"""The file that remembers an OAuth app's present tokens between runs, and keeps two runs from using them up."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

from tap_crm import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Longer than another run can be busy with renewing.
LOCK_SECONDS = 180.0
OWNER_ONLY = 0o600
#: More than the tokens need: so much space is taken before they are asked for.
ROOM = 8192


class Tokens(msgspec.Struct, frozen=True):
    """What is kept.

    Attributes:
        grown_from: the SHA-256 of the configured refresh token with which it began.
        refresh_token: the last one that the CRM gave.
        access_token: the last one that the CRM gave.
        renew_at: epoch seconds from which the access token is not used any more.
    """

    grown_from: str
    refresh_token: str
    access_token: str
    renew_at: float

    @override
    def __repr__(self) -> str:
        """Show no token."""
        return f"Tokens(renew_at={self.renew_at})"


class TokenFile:
    """Reads and replaces the file; between the two, :meth:`lock` keeps other runs out.

    Raises:
        ConfigError: the file or its folder cannot be used.
    """

    def __init__(self, path: str) -> None:
        try:
            self.path = Path(path).expanduser().resolve()
        except (OSError, RuntimeError, ValueError):
            raise errors.ConfigError(f"the setting `oauth.token_file` is no usable path: {path}") from None
        self._next = self.path.with_name(self.path.name + ".next")
        lock = self.path.with_name(self.path.name + ".lock")
        import filelock  # noqa: PLC0415 - with asyncio, a fifth of what our own modules take to import

        self._busy = filelock.Timeout
        self._lock = filelock.FileLock(lock, timeout=LOCK_SECONDS, mode=OWNER_ONLY, thread_local=False)
        self.read()
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as fault:
            raise self._unusable("cannot be written", fault) from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out.

        Raises:
            GaveUp: another one does not let go.
            ConfigError: the lock cannot be made.
        """
        try:
            self._lock.acquire()
        except self._busy:
            raise errors.GaveUp(
                f"another run keeps the lock beside `oauth.token_file` ({self.path}); wait for its end, or stop it"
            ) from None
        except OSError as fault:
            raise self._unusable("cannot be locked", fault) from None
        try:
            yield
        finally:
            self._lock.release()

    def read(self) -> Tokens | None:
        """Return what is kept, or None if there is nothing yet."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise self._unusable("cannot be read", fault) from None
        if not content.strip():
            return None
        tokens = _tokens_in(content)
        if tokens is None:
            raise errors.ConfigError(
                f"the setting `oauth.token_file` names a file that does not hold this tap's tokens: {self.path}; "
                "name another one, or delete it and authorize again"
            )
        return tokens

    def recover(self) -> None:
        """Put tokens into their place that an earlier run had written down, and died before they were there.

        They are newer than what the file has. The caller holds the lock.
        """
        try:
            content = self._next.read_bytes()
        except OSError:
            return
        if _tokens_in(content) is None:  # nothing was written yet, or it is not ours
            return
        try:
            self._take_place()
        except OSError as fault:
            raise self._unusable("cannot be written", fault) from None

    @contextmanager
    def replacing(self) -> Iterator[Callable[[Tokens], None]]:
        """Make everything ready for a new content; what it yields writes it, durably and all at once.

        A full disk or a missing right is found out here, before the CRM is asked for tokens that could not be kept.
        """
        try:
            file = FileIO(self._next, "w", opener=_owner_only)
        except OSError as fault:
            raise self._unusable("cannot be written", fault) from None
        kept = False

        def write(tokens: Tokens) -> None:
            nonlocal kept
            try:
                self._fill(file, msgspec.json.encode(tokens))
                kept = True
                self._take_place()
            except OSError as fault:
                raise self._unusable("cannot be written", fault) from None

        try:
            self._reserve(file)
            yield write
        finally:
            file.close()
            if not kept:  # else it is in its place, or `recover` brings it there
                self._next.unlink(missing_ok=True)

    def _reserve(self, file: FileIO) -> None:
        try:
            self._next.chmod(OWNER_ONLY)  # it may be left over from a crash, of another program even
            file.write(b" " * ROOM)
            os.fsync(file.fileno())
        except OSError as fault:
            raise self._unusable("cannot be written", fault) from None

    def _fill(self, file: FileIO, content: bytes) -> None:
        file.seek(0)
        file.write(content)
        file.truncate()
        os.fsync(file.fileno())
        file.close()

    def _take_place(self) -> None:
        self._next.replace(self.path)
        _sync_folder(self.path.parent)

    def _unusable(self, what: str, fault: OSError) -> errors.ConfigError:
        return errors.ConfigError(f"the setting `oauth.token_file` {what} ({fault.strerror}): {self.path}")


def _tokens_in(content: bytes) -> Tokens | None:
    try:
        return msgspec.json.decode(content, type=Tokens)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, OWNER_ONLY)


def _sync_folder(folder: Path) -> None:
    """Make sure that a new name in the folder outlives a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
