"""Copies of what takes long to make: an account of a sandbox is made once, and each test gets a copy of its own."""

from __future__ import annotations

import io
import pickle
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LOCKS: tuple[tuple[type, Callable[[], Any]], ...] = (
    (type(threading.Lock()), threading.Lock),
    (type(threading.RLock()), threading.RLock),
)


class _Pickler(pickle.Pickler):
    """Has each lock copied as a new one, which nobody holds."""

    def reducer_override(self, one: Any) -> Any:  # noqa: ANN401 - any object
        """Tell how a lock is made; everything else is copied as ever."""
        return next(((made, ()) for kind, made in _LOCKS if isinstance(one, kind)), NotImplemented)


def copies_of(make: Callable[[], T]) -> Callable[[], T]:
    """Return what gives copies of what ``make`` makes, which is made when the first one is asked for."""

    @cache
    def pickled() -> bytes:
        buffer = io.BytesIO()
        _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(make())
        return buffer.getvalue()

    def copy() -> T:
        copied: T = pickle.loads(pickled())  # noqa: S301 - of this process
        return copied

    return copy
