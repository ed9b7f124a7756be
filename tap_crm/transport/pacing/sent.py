"""When requests were sent that count against a limit: by this process alone, or by all of this machine's user.

A process does not know what others sent before it, and where a CRM does not tell, it has to: discovery and the run
after it, or two runs side by side, have one limit. So they keep a small file together, locked while one of them looks
and decides. What is known of the time before:

- The file is there: all that was sent since it was made is in it, and it was made a window ago or earlier. Or else what
  was not known then is in it, too, see the next case.
- The file is not there: nobody on this machine has asked within this account. Another machine may have: a part of
  the limit (:data:`UNKNOWN`) counts as used within the window before, evenly.
- The file cannot be used: any number may have been sent. The whole limit counts as used, evenly, so that there is no
  burst before a window has passed; nor is anything shared.

Processes that have no file in common are to each other what other integrations are: a 429 holds them back, and
``rate_limit_percent`` leaves room.
"""

from __future__ import annotations

import hashlib
import math
import os
import stat
import tempfile
import time
from array import array
from bisect import bisect_left, insort
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: nothing is shared there
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OWNER_ONLY = 0o600
#: What counts as used of a limit where nothing is known of the time before.
UNKNOWN = 0.25
#: Who is stopped while it has the lock keeps the others waiting so long, at most: seconds, and how often they look.
LONGEST_LOCK, LOOK_SECONDS = 1.0, 0.01


class SentTimes(Protocol):
    """When requests were sent, in the time of the clock of who asks, the oldest first."""

    @contextmanager
    def taken(self, now: float, reach: float) -> Iterator[list[float]]:
        """Yield those of the last ``reach`` seconds; what is appended is kept. Nobody else looks meanwhile."""

    def postpone(self, sent: float, seconds: float) -> None:
        """Let a request count as sent so much later, where that can be told of a single one."""


class OwnTimes:
    """What this process sent; who calls keeps its threads apart.

    Args:
        before: times that count as well.
    """

    def __init__(self, before: list[float] | None = None) -> None:
        self._times = before or []

    @contextmanager
    def taken(self, now: float, reach: float) -> Iterator[list[float]]:
        """Yield the times; see :class:`SentTimes`."""
        if len(self._times) > 1 and self._times[len(self._times) // 2] < now - reach:
            self._times = [one for one in self._times if one > now - reach]
        yield self._times

    def postpone(self, sent: float, seconds: float) -> None:
        """Let a request count as sent so much later."""
        place = bisect_left(self._times, sent)
        if place < len(self._times) and self._times[place] == sent:
            del self._times[place]
            insort(self._times, sent + seconds)


def evenly(limit: float, seconds: float, until: float) -> list[float]:
    """Return when so many requests were sent if they were spread over the seconds before."""
    count = math.ceil(limit)
    return [until - seconds * (count - place) / count for place in range(count)]


class SharedTimes:
    """What all processes sent that use the same file, which holds the seconds since 1970 as doubles.

    Args:
        path: the file. It is made if it is not there.
        limit: how many requests may be sent, without knowledge.
        seconds: within how many.
        epoch: seconds since 1970.

    Raises:
        OSError: it cannot be used.
    """

    def __init__(self, path: Path, limit: float, seconds: float, *, epoch: Callable[[], float] = time.time) -> None:
        self._file = -1
        self._epoch = epoch
        self._unknown = UNKNOWN * limit, seconds
        self._alone: OwnTimes | None = None
        if fcntl is None:  # pragma: no cover
            raise OSError("no locks")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ONLY)
        seen = os.fstat(self._file)
        if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.getuid():
            self.close()
            raise OSError("not a file of ours")

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def __del__(self) -> None:
        """Close the file with the run."""
        self.close()

    @contextmanager
    def taken(self, now: float, reach: float) -> Iterator[list[float]]:
        """Yield the times; see :class:`SentTimes`. Where the lock is not to be had, what is known goes on alone."""
        if self._alone is None and not self._locked():
            self._alone = OwnTimes(evenly(self._unknown[0] / UNKNOWN, self._unknown[1], now))
        if self._alone is not None:
            with self._alone.taken(now, reach) as times:
                yield times
            return
        try:
            present = self._epoch()
            written = self._read(present)
            # A clock that was set back makes times of the future: they count as sent now, no longer.
            kept = [one for one in (min(at, present) for at in written) if one > present - reach]
            times = [now - (present - one) for one in kept]
            yield times
            if len(times) > len(kept) or (written and written[-1] > present):
                self._write([*kept, *(present + (one - now) for one in times[len(kept) :])])
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def postpone(self, sent: float, seconds: float) -> None:
        """Do nothing: the limits of which others know are counted in minutes, where their slack is enough."""

    def _locked(self) -> bool:
        until = time.monotonic() + LONGEST_LOCK
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > until:
                    return False
                time.sleep(LOOK_SECONDS)
            else:
                return True

    def _read(self, present: float) -> list[float]:
        content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        if not content or len(content) % 8:  # new, or nothing that we wrote
            self._write(evenly(*self._unknown, present))
            content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        return sorted(one for one in array("d", content) if math.isfinite(one))

    def _write(self, times: list[float]) -> None:
        content = array("d", times).tobytes()
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))


def shared_times(account: str, group: str, limit: float, seconds: float) -> SentTimes:
    """Return what this user's processes on this machine sent to a group of an account's endpoints.

    Args:
        account: tells the account apart; only a hash of it is in the file's name.
        group: the endpoints.
        limit: how many requests may be sent.
        seconds: within how many.
    """
    said = hashlib.sha256(f"{account}\0{group}".encode()).hexdigest()[:24]
    owner = os.getuid() if hasattr(os, "getuid") else 0
    try:
        return SharedTimes(Path(tempfile.gettempdir()) / f"tap-crm-sent-{owner}-{said}", limit, seconds)
    except OSError:
        return OwnTimes(evenly(limit, seconds, time.monotonic()))
