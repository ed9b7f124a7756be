"""One pace per endpoint group, learned from what the answers tell of its limit.

Which requests share a limit is not known beforehand: groups that turn out to draw on one bucket are joined.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm.transport.pacing.bucket import MINUTE, Group
from tap_crm.transport.pacing.headers import limit_of
from tap_crm.transport.pacing.joining import Suspicion
from tap_crm.transport.pacing.pacer import Pacer
from tap_crm.transport.pacing.rolling import RollingLimit
from tap_crm.transport.pacing.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_crm.transport.pacing.rolling import ExtraLimit
    from tap_crm.transport.pacing.sent import SentTimes

_log = logging.getLogger("tap-crm.transport")


def one_group(_method: str, _path: str) -> str:
    """Put every request into the same group."""
    return "all"


@dataclass(slots=True)
class Turn:
    """The turn of one request.

    Attributes:
        waited: how many seconds that took.
        is_let_through: to be set when its answer has come, unless that is a refusal: those come quicker, and do not
            count against the limit.
    """

    waited: float
    is_let_through: bool = False


class Pacing:
    """Lets requests go under the limit of their endpoint group, as far as it is known by then.

    Args:
        per_minute: the rate of a group until its answers tell its limit; 0 switches pacing off, holds excepted.
        group_of: from method and path to the name of the group.
        is_ceiling: the rate is the user's wish: all groups together are never faster.
        rates: of groups for which another rate is documented, requests a minute.
        extra: limits that some requests have besides.
        share: the part of each limit that is used: the rest is left to others.
        known: by group, its limit and the seconds of a window, what was sent to it so far; None where the limit is not
            known, or is the user's wish: then requests follow each other evenly.
        clock: seconds that only go forward.
        sleep: waits so many seconds.
    """

    def __init__(  # noqa: PLR0913 - it is built in one place
        self,
        per_minute: float,
        group_of: Callable[[str, str], str] = one_group,
        *,
        is_ceiling: bool = False,
        rates: Mapping[str, float] | None = None,
        extra: Sequence[ExtraLimit] = (),
        share: float = 1.0,
        known: Callable[[str, float, float], SentTimes] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_minute = per_minute
        self._group_of = group_of
        self._rates = rates or {}
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._groups: dict[str, Group] = {}
        self._joined: Group | None = None
        self._suspicion = Suspicion()
        self._ceiling = Pacer(per_minute * share if is_ceiling else 0, clock=clock, sleep=sleep)
        self._share, self._known = share, known
        self._extra = [RollingLimit(one, clock=clock, sleep=sleep) for one in extra if per_minute]

    @property
    def interval(self) -> float:
        """The seconds between two requests of the fastest group in use; 0 without pacing."""
        with self._lock:
            groups = [self._joined] if self._joined else list(self._groups.values())
        present = [group.pacer.interval for group in groups] or [self._pacer(self._per_minute).interval]
        return max(self._ceiling.interval, min(present))

    def used(self) -> float | None:
        """Return the share of the limit that the busiest group has used since its first request; None without one."""
        if not self.interval:
            return None
        with self._lock:
            now = self._clock()
            groups = [self._joined] if self._joined else list(self._groups.values())
            return max((group.used(now, self._ceiling.interval) for group in groups), default=0.0)

    @contextmanager
    def turn(self, method: str, path: str) -> Iterator[Turn]:
        """Wait for a request's turn; what is within is the request itself."""
        began = self._clock()
        places = [(one, one.wait(path)) for one in self._extra if one.limit.concerns(path)]
        try:
            group, sent = self._take_turn(method, path)
            for limit, place in places:
                limit.sent(place)
            turn = Turn(self._clock() - began)
            yield turn
            if turn.is_let_through:
                group.pacer.answered(sent, path)
        finally:
            for limit, place in places:
                limit.answered(place)

    def wait(self, method: str, path: str) -> float:
        """Return when the caller may send its request; tells how many seconds it waited."""
        began = self._clock()
        self._take_turn(method, path)
        return self._clock() - began

    def _take_turn(self, method: str, path: str) -> tuple[Group, float]:
        """Return when a request may be sent: its group, and the time by which the group's pacer knows it."""
        group = self._group(method, path)
        while True:
            sent = group.pacer.turn()
            present = self._group(method, path)
            if present is group:
                break
            group = present  # joined meanwhile: the old turn does not count
        self._ceiling.wait()
        with self._lock:
            group.sent.add(self._clock())
        return group, sent

    def hold(self, method: str, path: str, seconds: float) -> None:
        """Let nobody send to this group for so many seconds: what a 429 asks for."""
        self._group(method, path).pacer.hold(seconds)

    def learn(self, method: str, path: str, headers: Mapping[str, str], *, limited: bool) -> None:
        """Take over what an answer tells of the limit; ``limited`` says that it was a 429."""
        group = self._group(method, path)
        told = limit_of(headers)
        if not self._per_minute or (told is None and not limited):
            return
        with self._lock:
            now = self._clock()
            if limited:
                group.refused.add(now)
            if told is not None:
                group.take(told, now)
            others = [] if self._joined else [other for other in self._groups.values() if other is not group]
            if others and self._suspicion.grows(group, others, told, now, limited=limited):
                self._join()
                return
            group.adapt(told, now, limited=limited)

    def _group(self, method: str, path: str) -> Group:
        name = self._group_of(method, path)
        with self._lock:
            if self._joined is not None:
                return self._joined
            if name not in self._groups:
                rate = min(self._per_minute, self._rates.get(name, self._per_minute))
                self._groups[name] = Group(self._pacer(rate, name), rate, self._share)
            return self._groups[name]

    def _pacer(self, per_minute: float, group: str | None = None) -> Pacer:
        """Return what spaces a group's requests, or those of all."""
        used = per_minute * self._share
        if self._known is None or group is None or not per_minute:
            return Pacer(used, clock=self._clock, sleep=self._sleep)
        pacer = Pacer(used, clock=self._clock, sleep=self._sleep, sent=self._known(group, used, MINUTE))
        pacer.pace(used, MINUTE, whole=Window(max(1, int(used)), MINUTE))
        return pacer

    def _join(self) -> None:
        """Let one pacer space all groups for the rest of the run."""
        pacer = self._pacer(self._per_minute)
        self._joined = Group.of(self._groups.values(), pacer, self._per_minute, self._clock(), self._share)
        names = ", ".join(sorted(self._groups))
        _log.info("the endpoint groups %s share one rate limit: they are paced together from now on", names)
