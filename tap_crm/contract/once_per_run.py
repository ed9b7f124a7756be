"""What several streams of one run need and only one of them should ask for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, TypeVar, cast, runtime_checkable

from tap_crm import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


@runtime_checkable
class Closable(Protocol):
    """What holds something of the operating system's."""

    def close(self) -> None:
        """Give it back."""


class OncePerRun:
    """Things made once per run, by whichever stream needs them first; the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, object] = {}
        self._is_over = False

    def close(self) -> None:
        """Close whatever was made that can be closed, such as files; called when the run is over."""
        with self._lock:
            self._is_over = True
            made = list(self._made.values())
        for one in made:
            if isinstance(one, Closable):
                one.close()

    def get(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returned when the name was first asked for; if it raised, the next one tries again."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._made:
                made = make()
                with self._lock:
                    self._made[name] = made
                    is_over = self._is_over
                if is_over and isinstance(made, Closable):  # a reading is at its last request still
                    made.close()
            return cast("T", self._made[name])

    def get_once(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returned, or raise the error with which it failed: nobody waits for that anew."""

        def outcome() -> T | errors.ReadError:
            try:
                return make()
            except errors.ReadError as error:
                return error

        found = self.get(name, outcome)
        if isinstance(found, errors.ReadError):
            raise found
        return found
