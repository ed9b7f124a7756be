"""A limit of its own: nearly all of it is used, and nothing is refused, though nobody knows when a request arrives.

The server counts as Copper does (bulk requests: three within any second, besides 180 within any minute), in virtual
time; eight threads send what a run of ``target-crm`` sends.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from sandbox.limits import RollingWindow
from tap_crm.providers import PROVIDERS
from tap_crm.transport.pacing.pacing import Pacing
from tests.unit.fake_time import FakeTime
from tests.unit.virtual_time import VirtualTime

BULK, SEARCH = "/people/bulk_create", "/people/search"
THREADS, PARTS, PART, SEARCHES = 8, 2, 100, 5
COPPER = PROVIDERS["copper"]
Draw = Callable[[random.Random], float]


@dataclass
class Network:
    """What a request meets: the way to the server, then its work and the way back, in seconds."""

    way: Draw
    work: Draw
    seed: int
    time: VirtualTime = field(default_factory=VirtualTime)
    refused: int = 0
    answered: int = 0
    busy: float = 0.0
    """Seconds in which bulk requests were sent."""

    def __post_init__(self) -> None:
        """Open the server."""
        self._random = random.Random(self.seed)
        self._bulk, self._all = RollingWindow(), RollingWindow()
        self.pacing = Pacing(
            COPPER.requests_per_minute,
            COPPER.group_of,
            extra=COPPER.extra_limits,
            clock=self.time.clock,
            sleep=self.time.sleep,
        )

    def send(self, path: str) -> None:
        """Send a request, and wait for its answer."""
        with self.pacing.turn("POST", path):
            self.time.sleep(self.way(self._random))
            now = self.last = self.time.now
            over = path == BULK and self._bulk.wait(3, 1.0, now)
            if over or self._all.wait(180, 60.0, now):
                self.refused += 1
            else:
                self.answered += 1
            self.time.sleep(self.work(self._random))

    def run(self) -> float:
        """Send look-ups, then bulk requests side by side, and so on; return the part of the limit that was used."""
        began = self.time.now
        for _ in range(PARTS):
            self.time.run(*[lambda: self.send(SEARCH)] * SEARCHES)
            left, sent = itertools.count(), self.time.now
            self.last = sent

            def work(left: Iterator[int] = left) -> None:
                while next(left) < PART:
                    self.send(BULK)

            self.time.run(*[work] * THREADS)
            self.busy += self.last - sent
        return (self.answered + self.refused) / (self.time.now - began) / 3


def uniform(low: float, high: float) -> Draw:
    """Return what draws evenly."""
    return lambda draw: draw.uniform(low, high)


def rarely(share: float, late: float, usual: Draw) -> Draw:
    """Return what is late in a few cases."""
    return lambda draw: late if draw.random() < share else usual(draw)


SLOW = "a server that is slow, and differs"
NETWORKS: dict[str, tuple[Draw, Draw]] = {
    "this machine": (uniform(0.001, 0.01), uniform(0.02, 0.06)),
    "a usual network": (uniform(0.02, 0.06), uniform(0.05, 0.1)),
    "a wild network": (uniform(0.02, 0.12), uniform(0.05, 0.08)),
    "a network that stops at times": (rarely(0.02, 0.6, uniform(0.02, 0.05)), uniform(0.05, 0.1)),
    SLOW: (uniform(0.02, 0.045), uniform(0.4, 1.6)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_nine_tenths_of_the_limit_are_used_and_nothing_is_refused(name: str) -> None:
    """Over several seeds."""
    for seed in range(3):
        network = Network(*NETWORKS[name], seed)
        share = network.run()
        assert (network.refused, network.answered) == (0, PARTS * (PART + SEARCHES)), seed
        assert PARTS * PART / network.busy / 3 >= 0.9, (seed, network.busy)
        if name != SLOW:  # there, the last answer of each part takes its time
            assert share >= 0.9, (seed, share)


def test_a_request_that_waits_for_the_pace_of_all_counts_from_when_it_leaves() -> None:
    """Else those after it would follow too closely."""
    fake = FakeTime()
    pacing = Pacing(60, extra=COPPER.extra_limits, clock=fake.clock, sleep=fake.sleep)
    left = []
    for _ in range(6):
        with pacing.turn("POST", BULK):
            left.append(fake.clock())
    assert min(later - earlier for earlier, later in itertools.pairwise(left)) >= 1.0


def test_other_requests_do_not_wait_for_it_and_without_pacing_none_does() -> None:
    """It is a limit of some requests only."""
    fake = FakeTime()
    for per_minute, path in ((100_000, SEARCH), (0, BULK)):
        pacing = Pacing(per_minute, extra=COPPER.extra_limits, clock=fake.clock, sleep=fake.sleep)
        began = fake.clock()
        for _ in range(20):
            with pacing.turn("POST", path):
                pass
        assert fake.clock() - began < 0.1


def test_a_request_that_never_left_takes_no_place() -> None:
    """A run that ends while it waits."""
    fake = FakeTime()
    pacing = Pacing(100_000, extra=COPPER.extra_limits, clock=fake.clock, sleep=fake.sleep)
    for _ in range(5):
        with pytest.raises(KeyError), pacing.turn("POST", BULK):
            raise KeyError
    assert fake.clock() > 0
