"""When it is asked and when COMMAND is run: a decision without clock and processes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_crm.watch.schedule import Ask, Reason, Run, Schedule, Wait

EVERY, MIN_GAP, MAX_GAP = 30.0, 10.0, 600.0


@dataclass
class Ran:
    """One run of COMMAND."""

    began: float
    ended: float
    code: int
    reason: Reason


@dataclass
class Story:
    """What happens to a watch: changes of the CRM, deliveries, and how long runs take and end."""

    changes: list[float]
    deliveries: list[float]
    runs: list[tuple[float, int]]
    noted: list[float] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)

    def play(self, schedule: Schedule, until: float) -> None:
        """Let time pass; runs that the story does not tell of end with 0 after a second."""
        now, lengths = 0.0, iter(self.runs)
        while now < until:
            now = self._deliver(schedule, now)
            step = schedule.next(now)
            if isinstance(step, Ask):
                self.asked.append(now)
                if any(not self.asked[:-1] or at > self.asked[-2] for at in self.changes if at <= now):
                    self._note(schedule, now)
                schedule.note_answer(now, again_in=EVERY)
            elif isinstance(step, Run):
                seconds, code = next(lengths, (1.0, 0))
                schedule.begin(now)
                ended = now + seconds
                for at in [at for at in self.deliveries if now < at <= ended]:
                    self.deliveries.remove(at)
                    self._note(schedule, at)
                    assert schedule.next(at) == Wait(math.inf)
                schedule.end(ended, code)
                self.ran.append(Ran(now, ended, code, step.reason))
                now = ended
            else:
                assert 0 < step.seconds < math.inf
                now = min([now + step.seconds, *(at for at in self.deliveries if at > now)])

    def _deliver(self, schedule: Schedule, now: float) -> float:
        for at in [at for at in self.deliveries if at <= now]:
            self.deliveries.remove(at)
            self._note(schedule, now)
        return now

    def _note(self, schedule: Schedule, at: float) -> None:
        schedule.note_change(at)
        self.noted.append(at)


MOMENTS = st.lists(st.floats(0, 3_000), max_size=8)
RUNS = st.lists(st.tuples(st.floats(0.1, 200), st.sampled_from([0, 0, 1, 143])), max_size=12)


@settings(max_examples=100, deadline=None)
@given(MOMENTS, MOMENTS, RUNS, st.booleans(), st.sampled_from([0.0, 1.0, MIN_GAP]), st.sampled_from([0.0, 300.0]))
def test_every_change_leads_to_a_run_that_begins_after_it_and_ends_well(  # noqa: PLR0913, PLR0917 - a whole story
    changes: list[float],
    deliveries: list[float],
    runs: list[tuple[float, int]],
    first: bool,
    min_gap: float,
    settle: float,
) -> None:
    """Gaps are kept, whatever fails and however long runs take."""
    story = Story(sorted(changes), sorted(deliveries), runs)
    story.play(Schedule(0.0, min_gap=min_gap, max_gap=MAX_GAP, settle=settle, first=first), 30_000)
    well = [run for run in story.ran if run.code == 0]
    for at in story.noted:
        assert any(run.began >= at for run in well)
        if settle:
            assert any(run.began >= at + settle for run in well)
    for one, other in zip(story.ran, story.ran[1:], strict=False):
        gap = other.began - one.ended
        assert gap >= min_gap - 1e-6
        assert gap <= MAX_GAP + 1e-6
        assert one.code == 0 or other.reason is Reason.FAILED
    if first:
        assert (story.ran[0].began, story.ran[0].reason) == (0.0, Reason.FIRST)


def test_a_failing_command_is_repeated_with_growing_gaps() -> None:
    """Each is twice the last one, up to the greatest that is allowed; after success it begins anew."""
    story = Story([], [], [(5.0, 1)] * 8 + [(5.0, 0), (5.0, 1)])
    story.play(Schedule(0.0, min_gap=MIN_GAP, max_gap=MAX_GAP), 10_000)
    gaps = [other.began - one.ended for one, other in zip(story.ran, story.ran[1:], strict=False)]
    assert gaps[:11] == [10, 20, 40, 80, 160, 320, 600, 600, 600, 10, 600]


def test_it_is_asked_just_before_a_run() -> None:
    """So that only what changed later has COMMAND run once more."""
    story = Story([100.0], [], [(5.0, 0), (90.0, 0)])
    story.play(Schedule(0.0, min_gap=MIN_GAP, max_gap=MAX_GAP), 300)
    assert story.asked[:5] == [0, 30, 60, 90, 120]
    assert [(run.began, run.reason) for run in story.ran] == [(0, Reason.FIRST), (120, Reason.CHANGED)]
    assert story.asked[5] == 120 + 90 + MIN_GAP  # not while COMMAND uses the limit


def test_nothing_new_has_it_run_after_the_greatest_gap() -> None:
    """Some changes show nowhere."""
    story = Story([], [], [])
    story.play(Schedule(0.0, min_gap=MIN_GAP, max_gap=MAX_GAP, first=False), 1_900)
    assert [(run.began, run.reason) for run in story.ran] == [
        (600, Reason.OVERDUE),
        (1201, Reason.OVERDUE),
        (1802, Reason.OVERDUE),
    ]


@pytest.mark.parametrize(("changes", "runs"), [([20.0], [30, 330]), ([20.0, 290.0], [30, 300, 600])])
def test_a_change_is_followed_by_a_run_for_what_shows_late(changes: list[float], runs: list[float]) -> None:
    """One for several changes that come close together."""
    story = Story(changes, [], [])
    story.play(Schedule(0.0, min_gap=MIN_GAP, max_gap=3_600, settle=300.0, first=False), 3_000)
    assert [run.began for run in story.ran] == runs
    assert story.ran[-1].reason is Reason.SETTLED
