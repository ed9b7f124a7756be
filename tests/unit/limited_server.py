"""A server in virtual time that counts requests as CRMs do, and callers that ask it as the transport does."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from tap_crm.transport.pacing.pacing import Pacing
from tap_crm.transport.refusals import wait_asked
from tests.unit.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable

MODERN = "limit={limit}, remaining={remaining}, reset={reset}"
SEMICOLONS = "reset={reset};remaining={remaining} ; limit={limit}"


@dataclass
class Bucket:
    """One limit; ``rolls`` counts the last seconds, otherwise windows begin with the first request after the last."""

    limit: int
    window: float
    rolls: bool = False
    always_whole: bool = False
    text: str = MODERN
    taken: list[float] = field(default_factory=list)
    began: float = -math.inf

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        """Tell whether a request is let through, and the headers of its answer."""
        if self.rolls:
            self.taken = [moment for moment in self.taken if moment >= now - self.window]
        elif now >= self.began + self.window:
            self.began, self.taken = now, []
        fits = len(self.taken) < self.limit
        if fits:
            self.taken.append(now)
        return fits, self.headers(now)

    def headers(self, now: float) -> dict[str, str]:
        """Return what the server tells of this limit."""
        end = self.window if self.always_whole else (self.taken[0] if self.rolls else self.began) + self.window - now
        remaining = self.limit - len(self.taken)
        if not self.text:
            return {}
        if self.text == "legacy":
            told = {"limit": self.limit, "remaining": remaining, "reset": round(end, 3)}
            return {f"x-rate-limit-{name}": str(value) for name, value in told.items()}
        reset = math.ceil(end - 1e-6)
        return {"RateLimit": self.text.format(limit=self.limit, remaining=remaining, reset=reset)}


class Account:
    """A server with buckets by path, and a pacing that is to find out about them."""

    def __init__(
        self, buckets: dict[str, Bucket], per_minute: float = 600, *, latency: float = 0.15, jitter: float = 0.01
    ) -> None:
        """Give every path a bucket; a path stands for its group."""
        self.time = VirtualTime()
        self.buckets = buckets
        self.random = random.Random(7)
        self.way: Callable[[], float] = lambda: self.random.uniform(latency, latency + jitter) / 2
        self.work: Callable[[], float] = lambda: latency / 2
        """Return the seconds that a request is on its way, and those of the server's work and the way back."""
        self.answered: Counter[str] = Counter()
        self.limited: Counter[str] = Counter()
        self.pacing = self.pacing_of(per_minute)

    def pacing_of(self, per_minute: float, *, is_ceiling: bool = False) -> Pacing:
        """Return a pacing in this account's time."""
        return Pacing(
            per_minute, lambda _, path: path, is_ceiling=is_ceiling, clock=self.time.clock, sleep=self.time.sleep
        )

    def caller(self, path: str, seconds: float) -> Callable[[], None]:
        """Return what a thread does that asks as fast as it may."""

        def work() -> None:
            end = self.time.now + seconds
            while True:
                with self.pacing.turn("GET", path) as turn:
                    if self.time.now >= end:
                        return
                    fits, headers = self.send(path)
                    turn.is_let_through = fits
                self.pacing.learn("GET", path, headers, limited=not fits)
                if not fits:
                    self.pacing.hold("GET", path, wait_asked(headers, 0.0) or 1.0)

        return work

    def send(self, path: str) -> tuple[bool, CaseInsensitiveDict[str]]:
        """Send one request; tell whether it was let through, and the headers of its answer."""
        self.time.sleep(self.way())
        fits, told = self.buckets[path].take(self.time.now)
        self.time.sleep(self.work())
        (self.answered if fits else self.limited)[path] += 1
        return fits, CaseInsensitiveDict(told)

    def others(self, path: str, per_second: float, seconds: float) -> Callable[[], None]:
        """Return what somebody else does who uses the same bucket at some rate."""

        def work() -> None:
            end = self.time.now + seconds
            while self.time.now < end:
                self.time.sleep(1 / per_second)
                self.buckets[path].take(self.time.now)

        return work

    def run(self, seconds: float, threads: int, *paths: str, also: tuple[Callable[[], None], ...] = ()) -> None:
        """Let so many threads ask each path for so many seconds."""
        self.time.run(*(self.caller(path, seconds) for path in paths for _ in range(threads)), *also)
