"""How long a process stands still, measured by a thread of it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

#: The variable that names the file into which a run writes its longest stall, in seconds.
STALLS_FILE = "STALLS_FILE"
#: Seconds between two looks at the clock.
_TICK = 0.005


class Watch:
    """A thread that looks at the clock all the time.

    Attributes:
        longest: the most seconds by which it was late: that of the machine, or of this process alone.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="stalls", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_TICK):
            now = time.monotonic()
            self.longest = max(self.longest, now - before - _TICK)
            before = now


@contextmanager
def recorded(path: str) -> Iterator[None]:
    """Write the longest stall of this process into a file in the end; does nothing where the path is empty."""
    if not path:
        yield
        return
    with Watch() as watch:
        try:
            yield
        finally:
            Path(path).write_text(str(watch.longest), "utf-8")
