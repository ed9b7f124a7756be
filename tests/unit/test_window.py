"""Bursts: while the window is empty, as many as there is room for; never more than the limit in any window.

The servers count as CRMs do: in fixed windows, over the last seconds, or by a bucket that is refilled. Processes have
one file in common, come one after the other and run side by side.
"""

from __future__ import annotations

import math
import random
import tempfile
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_crm.transport.pacing import sent as sent_module
from tap_crm.transport.pacing.pacer import Pacer
from tap_crm.transport.pacing.pacing import Pacing
from tap_crm.transport.pacing.sent import OwnTimes, SharedTimes, evenly
from tap_crm.transport.pacing.window import BURST, KEEN, Window
from tests.unit.fake_time import FakeTime
from tests.unit.virtual_time import VirtualTime

if TYPE_CHECKING:
    from pathlib import Path

GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.001, 0.01, 0.3, 0.9, 1.1]), min_size=1, max_size=30)
LIMITS = st.sampled_from([(1, 60.0), (2, 1.0), (10, 1.0), (50, 60.0), (160, 8.0), (180, 10.0), (180, 60.0)])


def most_within(window: float, times: list[float]) -> int:
    """Return the greatest number of requests in any so many seconds, both ends counted."""
    return max(bisect_right(times, start + window) - at for at, start in enumerate(times))


def most_in_fixed(window: float, times: list[float], phase: float) -> int:
    """Return the greatest number in any window of those that begin at a phase."""
    counts: dict[int, int] = {}
    for one in times:
        place = int((one - phase) // window)
        counts[place] = counts.get(place, 0) + 1
    return max(counts.values())


def fits_bucket(limit: int, window: float, times: list[float]) -> bool:
    """Tell whether a bucket of the limit, refilled at its rate, never runs out."""
    level, before = float(limit), times[0]
    for one in times:
        level = min(limit, level + (one - before) * limit / window) - 1
        before = one
        if level < -1e-6:
            return False
    return True


def bursting(fake: FakeTime | VirtualTime, limit: int, window: float, sent: OwnTimes | SharedTimes) -> Pacer:
    """Return a pacer that knows what was sent before it."""
    pacer = Pacer(0, clock=fake.clock, sleep=fake.sleep, sent=sent)
    pacer.pace(limit, window, whole=Window(limit, window))
    return pacer


@settings(max_examples=30)
@given(limit=LIMITS, gaps=GAPS, phase=st.floats(0, 60), jitters=st.lists(st.floats(0, 0.99), min_size=1, max_size=7))
def test_no_server_counts_one_too_many(
    limit: tuple[int, float], gaps: list[float], phase: float, jitters: list[float]
) -> None:
    """Whoever comes when, however windows are aligned, and though requests take another time to arrive each."""
    most, window = limit
    fake = FakeTime()
    whole = Window(most, window)
    pacer = bursting(fake, most, window, OwnTimes())
    slack, arrived = whole.reach - window, []
    for number, gap in enumerate(gaps * (1 + 5 * most // (2 * len(gaps)))):
        fake.now += gap * window
        pacer.wait()
        arrived.append(fake.now + slack * jitters[number % len(jitters)])
    arrived.sort()
    assert most_within(window, arrived) <= most
    assert most_in_fixed(window, arrived, phase) <= most
    assert fits_bucket(most, window, arrived)


@pytest.mark.parametrize(("limit", "window"), [(50, 60.0), (180, 60.0), (180, 10.0), (160, 8.0)])
def test_an_empty_window_is_used_at_once_then_requests_are_even(limit: int, window: float) -> None:
    """And all in all as many go as the limit lets through."""
    fake = FakeTime()
    pacer = bursting(fake, limit, window, OwnTimes())
    began = fake.now
    times: list[float] = []
    while fake.now < began + 6 * window:
        pacer.wait()
        times.append(fake.now)
    burst = int(BURST * limit)
    assert times[burst - 1] == began
    gaps = [later - earlier for earlier, later in pairwise(times[burst:])]
    even = window / limit
    assert min(gaps) >= even / KEEN - 1e-6 or min(gaps) == pytest.approx(0)
    # What the burst took is not there for the rest of its window: the pauses are longer, none is a standstill.
    assert max(gaps) <= 1.6 * even / (1 - BURST)
    assert len(times) >= 0.985 * 6 * limit


def test_a_pause_of_a_window_lets_the_next_burst_begin() -> None:
    """A run that has nothing to ask for a while, or the next one."""
    fake = FakeTime()
    sent = OwnTimes()
    for _ in range(2):
        pacer = bursting(fake, 180, 60.0, sent)
        assert sum(pacer.wait() for _ in range(100)) == 0.0
        fake.now += 61


def test_what_was_not_used_is_made_up_for() -> None:
    """A standstill of a second within each ten costs nothing over a run, and there is no second burst."""
    fake = FakeTime()
    pacer = bursting(fake, 180, 10.0, OwnTimes())
    began = fake.now
    times: list[float] = []
    while fake.now < began + 120:
        if len(times) % 170 == 160:
            fake.now += 1.0
        pacer.wait()
        times.append(fake.now)
    assert len(times) >= 0.97 * 180 * 12
    assert most_within(10.0, times) <= 180


def test_a_429_ends_bursts_for_the_run() -> None:
    """Something else counts, too: requests follow each other evenly from then on, as before there were bursts."""
    fake = FakeTime()
    pacer = bursting(fake, 180, 60.0, OwnTimes())
    for _ in range(20):
        assert pacer.wait() == 0.0
    pacer.calm()
    pacer.hold(5.0)
    assert pacer.wait() == pytest.approx(5.0)
    assert pacer.wait() >= 60 / 180 / KEEN - 1e-6
    fake.now += 300
    pacer.wait()
    assert pacer.wait() >= 60 / 180 / KEEN - 1e-6


def test_a_share_of_the_limit_leaves_the_rest_to_others() -> None:
    """In each window."""
    fake = FakeTime()
    pacing = Pacing(180, share=0.5, known=lambda *_: OwnTimes(), clock=fake.clock, sleep=fake.sleep)
    times = []
    for _ in range(400):
        pacing.wait("GET", "/x")
        times.append(fake.now)
    assert most_within(60.0, times) == 90


# Several processes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is there, from a run of long ago."""
    path = tmp_path / "sent"
    path.write_bytes(b"\0" * 8)
    return path


def shared(path: Path, fake: FakeTime | VirtualTime, limit: int = 180, window: float = 60.0) -> SharedTimes:
    """Return what a process opens."""
    return SharedTimes(path, limit, window, epoch=fake.clock)


@settings(max_examples=10)
@given(seed=st.integers(0, 999), limit=st.sampled_from([(20, 10.0), (50, 60.0)]), known=st.booleans())
def test_processes_one_after_the_other_keep_one_limit(
    tmp_path_factory: pytest.TempPathFactory, seed: int, limit: tuple[int, float], known: bool
) -> None:
    """Short ones and long ones, whatever the pauses between them."""
    draw = random.Random(seed)
    most, window = limit
    path = tmp_path_factory.mktemp("sent") / "sent"
    if known:
        path.write_bytes(b"\0" * 8)
    fake, times = FakeTime(), []
    for _ in range(draw.randint(2, 6)):
        pacer = bursting(fake, most, window, shared(path, fake, most, window))
        for _ in range(draw.choice([1, most // 3, most, 2 * most])):
            pacer.wait()
            times.append(fake.now)
        fake.now += draw.choice([0.0, 0.1, window / 2, window])
    assert most_within(window, times) <= most


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_side_by_side_keep_one_limit_and_use_it(path: Path, processes: int) -> None:
    """Discovery of one, a run of another: each has threads of its own."""
    time, times = VirtualTime(), []
    began = time.now

    def work(pacer: Pacer) -> None:
        while True:
            pacer.wait()
            if time.now > began + 25:
                return
            times.append(time.now)
            time.sleep(0.15)

    pacers = [bursting(time, 60, 5.0, shared(path, time, 60, 5.0)) for _ in range(processes)]
    time.run(*[lambda pacer=pacer: work(pacer) for pacer in pacers for _ in range(4)])
    assert most_within(5.0, times) <= 60
    assert len(times) >= 0.97 * 60 * 5


def test_a_run_right_after_discovery_goes_at_once_where_there_is_room(path: Path) -> None:
    """22 requests, then 34, of 180."""
    fake = FakeTime()
    for requests in (22, 34):
        pacer = bursting(fake, 180, 60.0, shared(path, fake))
        assert sum(pacer.wait() for _ in range(requests)) == 0.0


def test_what_a_run_before_sent_is_no_sign_of_others(path: Path) -> None:
    """The answers count it, too: they are no reason to go slower."""
    fake = FakeTime()
    began = fake.now
    for run in range(3):
        pacing = Pacing(50, known=lambda *_: shared(path, fake, 50), clock=fake.clock, sleep=fake.sleep)
        for used in range(1, 11):
            pacing.wait("GET", "/x")
            fake.now += 0.1
            left = math.ceil(60 - (fake.now - began))
            told = f"limit=50, remaining={50 - used - 10 * run}, reset={left}"
            pacing.learn("GET", "/x", {"RateLimit": told}, limited=False)
    assert fake.now - began == pytest.approx(3.0)


def test_a_run_right_after_a_long_one_is_even(path: Path) -> None:
    """There is no room for a burst."""
    fake = FakeTime()
    first = bursting(fake, 180, 60.0, shared(path, fake))
    for _ in range(500):
        first.wait()
    second = bursting(fake, 180, 60.0, shared(path, fake))
    waits = [second.wait() for _ in range(20)]
    assert sum(waits) >= 18 * 60 / 180 / KEEN


def test_where_nobody_asked_before_a_part_counts_as_used(tmp_path: Path) -> None:
    """By another machine, maybe: a burst has less room. A minute later nothing is unknown any more."""
    fake = FakeTime()
    pacer = bursting(fake, 180, 60.0, shared(tmp_path / "new", fake))
    waits = [pacer.wait() for _ in range(150)]
    assert sum(one == 0.0 for one in waits[:99]) == 99
    assert sum(waits) > 10
    fake.now += 61
    assert sum(pacer.wait() for _ in range(144)) == 0.0


@pytest.mark.parametrize("content", [b"abc", b"\xff" * 16, b""])
def test_a_file_that_others_wrote_into_is_made_anew(tmp_path: Path, content: bytes) -> None:
    """What is no list of times tells nothing."""
    path = tmp_path / "sent"
    path.write_bytes(content)
    fake = FakeTime()
    bursting(fake, 180, 60.0, shared(path, fake)).wait()
    assert path.stat().st_size % 8 == 0
    assert path.stat().st_size > 0


def test_times_of_the_future_count_as_now_and_no_longer(path: Path) -> None:
    """The clock was set back by an hour."""
    fake = FakeTime()
    fake.now += 3600
    first = bursting(fake, 180, 60.0, shared(path, fake))
    for _ in range(180):
        first.wait()
    fake.now -= 3600
    began = fake.now
    second = bursting(fake, 180, 60.0, shared(path, fake))
    for _ in range(100):
        second.wait()
    assert 60 <= fake.now - began <= 62
    fake.now += 61
    third = bursting(fake, 180, 60.0, shared(path, fake))
    assert sum(third.wait() for _ in range(100)) == 0.0


def test_where_no_file_can_be_had_there_is_no_burst_before_a_window_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any number may have been sent: requests go as evenly as if others had used the whole limit evenly."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "missing"))
    times = sent_module.shared_times("somebody", "all", 180, 60.0)
    assert isinstance(times, OwnTimes)
    fake = FakeTime()
    pacer = bursting(fake, 180, 60.0, OwnTimes(evenly(180, 60.0, fake.now)))
    assert sum(pacer.wait() for _ in range(60)) >= 58 * 60 / 180
    fake.now += 61
    assert sum(pacer.wait() for _ in range(144)) == 0.0


def test_a_file_in_the_place_of_which_there_is_a_link_or_a_folder_is_not_used(tmp_path: Path) -> None:
    """Anybody may write into the folder for temporary files."""
    aim, link, folder = tmp_path / "aim", tmp_path / "link", tmp_path / "folder"
    aim.write_bytes(b"precious")
    link.symlink_to(aim)
    folder.mkdir()
    for path in (link, folder):
        with pytest.raises(OSError):  # noqa: PT011 - the system says which
            SharedTimes(path, 180, 60.0)
    assert aim.read_bytes() == b"precious"
