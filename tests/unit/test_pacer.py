"""The pacer: as many requests as the limit allows, evenly, and never one more."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_crm.transport.pacing.pacer import Pacer
from tests.limits import slack_of
from tests.unit.fake_time import FakeTime

LIMITS = st.sampled_from([1, 2, 3, 7, 10, 49, 50, 51, 99, 100, 101, 149, 150, 151, 180, 600, 3000])


def most_within(window: float, times: list[float]) -> int:
    """Return the greatest number of requests in any so many seconds, both ends counted."""
    return max(bisect_right(times, start + window) - at for at, start in enumerate(times))


def most_in_a_minute(times: list[float]) -> int:
    """Return the greatest number of requests in any 60 seconds, both ends counted."""
    return most_within(60.0, times)


@settings(max_examples=100)
@given(
    limit=LIMITS,
    gaps=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.5, 3.0, 70.0]), min_size=1, max_size=40),
    overshoot=st.sampled_from([0.0, 0.001, 0.2, 1.5, 20.0]),
)
def test_no_rolling_minute_holds_more_than_the_limit(limit: int, gaps: list[float], overshoot: float) -> None:
    """Threads come when they like and wake up late; the CRM never sees more than it allows."""
    fake = FakeTime(overshoot)
    pacer = Pacer(limit, clock=fake.clock, sleep=fake.sleep)
    times = []
    for gap in gaps * (1 + 3 * limit // len(gaps) if limit < 200 else 10):
        fake.now += gap
        pacer.wait()
        times.append(fake.now)
    assert most_in_a_minute(times) <= limit


@settings(max_examples=150)
@given(
    limit=st.sampled_from([1, 3, 10, 20, 49, 50, 51, 90, 100, 160, 180, 600]),
    window=st.sampled_from([1.0, 5.0, 8.0, 60.0]),
    gaps=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.5, 3.0, 70.0]), min_size=1, max_size=40),
    jitters=st.lists(st.floats(0, 0.999), min_size=1, max_size=7),
    overshoot=st.sampled_from([0.0, 0.001, 0.2]),
)
def test_no_rolling_window_holds_more_than_the_limit_where_the_network_jitters(
    limit: int, window: float, gaps: list[float], jitters: list[float], overshoot: float
) -> None:
    """Each request takes another time to arrive, by less than the slack: windows as the server sees them are kept."""
    fake = FakeTime(overshoot)
    pacer = Pacer(0, clock=fake.clock, sleep=fake.sleep)
    pacer.pace(limit, window)
    slack = slack_of(limit, window)
    assert slack > 0
    arrived = []
    for number, gap in enumerate(gaps * (1 + 3 * limit // len(gaps))):
        fake.now += gap * window / 60
        pacer.wait()
        arrived.append(fake.now + slack * jitters[number % len(jitters)])
    assert most_within(window, sorted(arrived)) <= limit


@settings(max_examples=60)
@given(limit=LIMITS, schedule=st.lists(st.integers(0, 3), min_size=5, max_size=60))
def test_threads_that_wait_together_stay_within_the_limit(limit: int, schedule: list[int]) -> None:
    """While one thread sleeps, others may come, send and sleep: every way of taking turns is fine."""
    fake = FakeTime()
    turns = schedule * (1 + 2 * limit // len(schedule) if limit < 200 else 5)
    times: list[float] = []

    def sleep(seconds: float) -> None:
        until = fake.now + seconds
        while turns and turns[-1]:
            turns[-1] -= 1
            turns.append(0)
            send()  # another thread meanwhile
        fake.now = max(fake.now, until)

    def send() -> None:
        pacer.wait()
        times.append(fake.now)

    pacer = Pacer(limit, clock=fake.clock, sleep=sleep)
    while turns:
        turns.pop()
        send()
    assert most_in_a_minute(sorted(times)) <= limit


@pytest.mark.parametrize("limit", [1, 10, 50, 51, 100, 150, 180, 600])
@pytest.mark.parametrize("overshoot", [0.0, 0.0005, 0.005])
def test_at_least_95_per_cent_of_the_limit_are_used_when_somebody_always_waits(limit: int, overshoot: float) -> None:
    """Being careful must not cost time."""
    fake = FakeTime(overshoot)
    pacer = Pacer(limit, clock=fake.clock, sleep=fake.sleep)
    began, sent = fake.now, 0
    while fake.now <= began + 600:
        pacer.wait()
        sent += 1
    assert sent >= 0.95 * 10 * limit


def test_requests_are_spaced_evenly() -> None:
    """No bursts while everybody waits."""
    fake = FakeTime()
    pacer = Pacer(180, clock=fake.clock, sleep=fake.sleep)
    times = []
    for _ in range(100):
        pacer.wait()
        times.append(fake.now)
    gaps = [later - earlier for earlier, later in pairwise(times[5:])]
    assert all(gap == pytest.approx(60 / 180 / 0.98) for gap in gaps)


def test_a_long_pause_is_made_up_for_by_two_requests_only() -> None:
    """An hour without requests is no credit for a burst."""
    fake = FakeTime()
    pacer = Pacer(180, clock=fake.clock, sleep=fake.sleep)
    pacer.wait()
    fake.now += 3600
    waits = [pacer.wait() for _ in range(5)]
    assert waits[:3] == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert waits[3] > 0.3
    assert waits[4] > 0.3


def test_a_low_limit_has_no_room_for_catching_up() -> None:
    """Ten requests a minute after a pause are ten, not twelve."""
    fake = FakeTime()
    pacer = Pacer(10, clock=fake.clock, sleep=fake.sleep)
    fake.now += 3600
    assert pacer.wait() == 0.0
    assert pacer.wait() >= 0.9 * 60 / 9.8 - 1e-6
    assert pacer.wait() == pytest.approx(60 / 9.8)


def test_zero_switches_pacing_off() -> None:
    """A sandbox needs no manners."""
    fake = FakeTime()
    pacer = Pacer(0, clock=fake.clock, sleep=fake.sleep)
    assert sum(pacer.wait() for _ in range(1000)) == 0.0
    assert pacer.interval == 0.0


def test_a_hold_stops_the_unpaced_as_well() -> None:
    """A 429 is obeyed even where the user switched pacing off."""
    fake = FakeTime()
    pacer = Pacer(0, clock=fake.clock, sleep=fake.sleep)
    pacer.hold(30)
    assert pacer.wait() == pytest.approx(30)
    assert pacer.wait() == 0.0


def test_the_longer_of_two_holds_counts() -> None:
    """A later, shorter demand does not shorten an earlier one."""
    fake = FakeTime()
    pacer = Pacer(180, clock=fake.clock, sleep=fake.sleep)
    pacer.hold(30)
    pacer.hold(5)
    assert pacer.wait() == pytest.approx(30)


def test_a_hold_reaches_those_who_wait_already() -> None:
    """Whoever sleeps when the 429 comes looks again before sending."""
    fake = FakeTime()
    held = False

    def sleep(seconds: float) -> None:
        nonlocal held
        fake.sleep(seconds)
        if not held:
            held = True
            pacer.hold(20)

    pacer = Pacer(60, clock=fake.clock, sleep=sleep)
    while not held:
        began = fake.now
        pacer.wait()
    assert fake.now - began >= 20


def test_after_a_hold_requests_are_spaced_as_before() -> None:
    """The end of a hold is no starting gun for every thread at once."""
    fake = FakeTime()
    pacer = Pacer(180, clock=fake.clock, sleep=fake.sleep)
    pacer.hold(10)
    pacer.wait()
    assert [pacer.wait() for _ in range(3)] == pytest.approx([60 / 180 / 0.98] * 3)


def test_wait_tells_how_long_it_waited() -> None:
    """The ledger reports it."""
    fake = FakeTime(overshoot=0.5)
    pacer = Pacer(0, clock=fake.clock, sleep=fake.sleep)
    pacer.hold(2)
    assert pacer.wait() == pytest.approx(2.5)


def test_real_threads_share_one_pace() -> None:
    """Four threads are no faster than one, and hardly slower than the limit."""
    pacer = Pacer(6000)
    times: list[float] = []

    def work() -> None:
        for _ in range(20):
            pacer.wait()
            times.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert len(times) == 80
    assert took >= (80 - 3) * pacer.interval - 0.001
