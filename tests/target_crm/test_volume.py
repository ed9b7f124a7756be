"""What many records cost: requests, the part of a limit that is used, memory; small cases of what `bench` measures."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import heapq
import random
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.stats import most_within
from target_crm.writers.copper.bulk_pace import BulkPace
from tests.target_crm.running import records

if TYPE_CHECKING:
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

BY_MAIL: dict[str, Any] = {"people": {"match": ["email"], "fields": {"email": "emails"}}}


def people(count: int, title: str) -> list[dict[str, Any]]:
    rows = ({"email": f"p{at}@example.com", "name": f"Person {at}", "title": title} for at in range(count))
    return records("people", *rows)


def test_four_hundred_people_are_upserted_by_forty_writes_and_two_look_ups(bench: Bench, crm: CopperDouble) -> None:
    for at in range(200):
        mails = [{"email": f"p{at}@example.com", "category": "work"}]
        crm.add("people", name=f"Person {at}", title="Before", emails=mails)
    done = bench.run(people(400, "After"), streams=BY_MAIL)
    assert done.outcomes == {"updated": 200, "created": 200}
    assert (len(crm.writes), crm.asked.count(("POST", "/people/search"))) == (40, 2)
    crm.asked.clear()
    again = bench.run(people(400, "After"), streams=BY_MAIL)
    assert (again.outcomes, crm.writes) == ({"unchanged": 400}, [])
    assert crm.asked.count(("POST", "/people/search")) == 2


class Network:
    """Time that passes only while somebody waits, and a way to the CRM of which each request takes another time."""

    def __init__(self, jitter: float) -> None:
        self.now = 0.0
        self.arrivals: list[float] = []
        self._answers: list[tuple[float, int, Any]] = []
        self._draw, self._jitter = random.Random(1), jitter

    def sleep(self, seconds: float) -> None:
        """Let time pass, and answers come."""
        until = self.now + max(seconds, 1e-6)  # less may be lost by rounding
        while self._answers and self._answers[0][0] <= until:
            self.now, _, sending = heapq.heappop(self._answers)
            sending.__exit__(None, None, None)
        self.now = max(self.now, until)

    def send(self, pace: BulkPace) -> None:
        """Send a request when it is its turn."""
        sending = pace.sending()
        sending.__enter__()  # it ends when its answer comes, while others are sent
        arrival = self.now + 0.02 + self._draw.random() * self._jitter
        self.arrivals.append(arrival)
        heapq.heappush(self._answers, (arrival + 0.03, len(self.arrivals), sending))


@pytest.mark.parametrize("jitter", [0.0, 0.03, 0.05])
def test_bulk_requests_keep_to_three_a_second_and_use_nine_tenths_of_it(jitter: float) -> None:
    network = Network(jitter)
    pace = BulkPace(is_paced=True, clock=lambda: network.now, sleep=network.sleep)
    for _ in range(300):
        network.send(pace)
    assert most_within(network.arrivals, 0.99) <= 3
    assert 300 / network.now > 0.9 * 3
