"""A limit of its own that some requests have: so many within any window, as the server sees them arrive.

What a server counts is when requests arrive, and that is not known. A request arrived at the latest when it was
answered, less what the quickest answer took. So where answers are quick and alike, it is known well enough that no
window ever has one too many; where they are slow or differ by themselves, waiting for certainty would leave the limit
unused, so only a part of it is spent on that.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: What requests on their way may always differ by, in seconds.
MARGIN = 0.03
#: The part of the limit that is used at least, as far as there is something to send: the rest pays for certainty.
LEAST_SHARE = 0.93
#: Seconds that may be spent at first, and saved at most.
FIRST_CREDIT, MOST_CREDIT = 0.5, 2.0
#: Fewer answers do not tell what the quickest one takes; later ones may still be quicker.
ENOUGH_ANSWERS, STILL_QUICKER = 20, 0.85
#: How often is looked whether an answer came.
_GLANCE = 0.01


@dataclass(frozen=True, slots=True)
class ExtraLimit:
    """A limit that some requests have besides that of all.

    Attributes:
        path: which requests, as a pattern that fits their whole path.
        requests: how many of them the server takes.
        seconds: within how many.
    """

    path: str
    requests: int
    seconds: float

    def concerns(self, path: str) -> bool:
        """Tell whether a request counts against it."""
        return re.fullmatch(self.path, path) is not None


class OnItsWay:
    """A request: when it was sent and answered, None before that."""

    __slots__ = ("answered", "path", "sent")

    def __init__(self, path: str) -> None:
        self.path = path
        self.sent: float | None = None
        self.answered: float | None = None


class RollingLimit:
    """Lets requests go so that no window has more of them than the server takes.

    Args:
        limit: the limit.
        clock: seconds that only go forward.
        sleep: waits so many seconds.
    """

    def __init__(self, limit: ExtraLimit, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.limit = limit
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._recent: list[OnItsWay] = []
        self._quickest: dict[str, float] = {}
        self._answers = 0
        self._credit = FIRST_CREDIT
        self._earned = limit.seconds / limit.requests / LEAST_SHARE - (limit.seconds + MARGIN) / limit.requests
        self._since: float | None = None

    def wait(self, path: str) -> OnItsWay:
        """Return a request's place when there is one; :meth:`sent` and :meth:`answered` are to follow."""
        while True:
            with self._lock:
                pause = self._pause(self._clock())
                if pause is None:
                    place = OnItsWay(path)
                    self._recent.append(place)
                    return place
            self._sleep(pause)

    def sent(self, place: OnItsWay) -> None:
        """Note that a request leaves now."""
        with self._lock:
            place.sent = self._clock()

    def answered(self, place: OnItsWay) -> None:
        """Note that a request was answered, or that it is not waited for any more."""
        with self._lock:
            if place.sent is None:  # it never left
                self._recent.remove(place)
                return
            place.answered = self._clock()
            took = place.answered - place.sent
            self._quickest[place.path] = min(took, self._quickest.get(place.path, took))
            self._answers += 1

    def _pause(self, now: float) -> float | None:
        """Return for how long to wait before looking again; None where a request may go."""
        window, most = self.limit.seconds, self.limit.requests
        self._recent = [one for one in self._recent if one.answered is None or self._latest(one, now) + window > now]
        usual = [now + _GLANCE if one.sent is None else one.sent + MARGIN + window for one in self._recent]
        held = sorted(end for end in usual if end > now)
        if len(held) >= most:
            self._since = None
            return held[len(held) - most] - now
        if sum(self._latest(one, now) + window > now for one in self._recent) >= most:
            self._since = now if self._since is None else self._since
            if now - self._since < self._credit * most:
                return _GLANCE
        # Each request waits for the one that is so many before it: a wait shifts one of so many rows of requests.
        spent = 0.0 if self._since is None else (now - self._since) / most
        self._credit = min(MOST_CREDIT, self._credit - spent + self._earned)
        self._since = None
        return None

    def _latest(self, one: OnItsWay, now: float) -> float:
        """Return when a request reached the server at the latest, as far as is known now."""
        if one.sent is None:
            return now
        quickest = STILL_QUICKER * self._quickest.get(one.path, 0.0) if self._answers >= ENOUGH_ANSWERS else 0.0
        return max(one.sent + MARGIN, (now if one.answered is None else one.answered) - quickest)
