"""Copies of what takes long to make: an account of a sandbox is made once, and each test gets a copy of its own."""

from __future__ import annotations

import io
import pickle
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.behaviour import configure
from sandbox.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
App = TypeVar("App", bound=Simulator)

#: Seconds for which an account is copied: its records are as old as they would be if it had been served since then.
FRESH = 120.0
#: Accounts that are kept; those of one file of tests are hardly more.
KEPT = 12

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
        return _pickled(make())

    def copy() -> T:
        copied: T = pickle.loads(pickled())  # noqa: S301 - of this process
        return copied

    return copy


def _pickled(one: object) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(one)
    return buffer.getvalue()


#: When it was made, and how it was then, by what it was made of.
_ACCOUNTS: dict[tuple[object, str], tuple[float, bytes]] = {}


def app_of(make: Callable[[Any], App], shape: Callable[..., Any], sizes: Mapping[str, Any], **knobs: object) -> App:
    """Return the server of an account, as ``make(shape(**sizes), **knobs)`` does, in a tenth of the time.

    Accounts of the same sizes are made once in two minutes. No knob has a part in that: all are for what is served.
    """
    wanted = make, repr(sorted(sizes.items()))
    moment, content = _ACCOUNTS.pop(wanted, (0.0, b""))
    if not content or time.monotonic() - moment > FRESH:
        moment, content = time.monotonic(), _pickled(make(shape(**sizes)))
    _ACCOUNTS[wanted] = moment, content  # as the last one
    while len(_ACCOUNTS) > KEPT:
        del _ACCOUNTS[next(iter(_ACCOUNTS))]
    app: App = pickle.loads(content)  # noqa: S301 - of this process
    configure(app.behaviour, dict(knobs))
    return app
