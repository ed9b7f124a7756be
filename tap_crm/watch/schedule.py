"""Decides when to ask, when to run COMMAND, and when to wait: pure, in seconds that somebody else counts.

A change that was seen is due until a run that began after it has ended with 0. A change may show before all that reads
the CRM can see it, and another one may come in the same second, so one more run follows it some time later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

#: The least that a failing COMMAND's first gap is, where ``min_gap`` is less.
LEAST_GAP_AFTER_FAILURE = 1.0
MOST_DOUBLINGS = 30


class Reason(Enum):
    """Why COMMAND is run."""

    FIRST = "at start"
    CHANGED = "for what changed"
    SETTLED = "once more, for what shows late"
    OVERDUE = "since the last run is --max-gap ago"
    FAILED = "again"


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask now whether something changed."""


@dataclass(frozen=True, slots=True)
class Run:
    """Run COMMAND now."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Wait:
    """There is nothing to do for so many seconds."""

    seconds: float


Step: TypeAlias = Ask | Run | Wait


class Schedule:
    """When to ask and when to run.

    Args:
        now: the present; the first look is due at once.
        min_gap: seconds from the end of a run to the begin of the next, at least.
        max_gap: seconds from the end of a run to the begin of the next, at most; a failing COMMAND waits no longer.
        settle: seconds from a change after which a run sees it for sure; 0 if every run does.
        first: whether COMMAND is due at start.
    """

    def __init__(self, now: float, *, min_gap: float, max_gap: float, settle: float = 0.0, first: bool = True) -> None:
        self._min_gap, self._max_gap, self._settle = min_gap, max_gap, settle
        self._ask_at = now
        self._not_before = now
        self._overdue_at = now + max_gap
        self._settled_at = math.inf
        self._due: Reason | None = Reason.FIRST if first else None
        self._changes = self._changes_at_begin = 0
        self._began: float | None = None
        self._failures = 0

    @property
    def is_due(self) -> bool:
        """Whether COMMAND is to be run as soon as the gap allows."""
        return self._due is not None

    def next(self, now: float) -> Step:
        """Return what is to be done; while COMMAND runs, nothing is."""
        if self._began is not None:
            return Wait(math.inf)
        run_at, reason = self._next_run()
        if now >= run_at:  # what is there just before a run is known, so that only what comes later has it run again
            return Ask() if now >= self._ask_at else Run(reason)
        if self._due is not None:  # it will be run whatever an answer says
            return Wait(run_at - now)
        return Ask() if now >= self._ask_at else Wait(min(run_at, self._ask_at) - now)

    def _next_run(self) -> tuple[float, Reason]:
        if self._due is not None:
            return self._not_before, self._due
        settled_at = max(self._settled_at, self._not_before)
        if settled_at < self._overdue_at:
            return settled_at, Reason.SETTLED
        return self._overdue_at, Reason.OVERDUE

    def note_answer(self, now: float, *, again_in: float) -> None:
        """Note that it was asked, with whatever success, and when to ask again."""
        self._ask_at = now + again_in

    def note_change(self, now: float) -> None:
        """Note that something changed, or may have."""
        self._changes += 1
        self._due = Reason.CHANGED if self._due is None else self._due
        self._settled_at = now + self._settle if self._settle else math.inf

    def begin(self, now: float) -> None:
        """Note that COMMAND begins."""
        self._began = now
        self._changes_at_begin = self._changes

    def end(self, now: float, code: int) -> None:
        """Note that COMMAND has ended."""
        assert self._began is not None  # noqa: S101 - it was begun
        began, self._began = self._began, None
        if code:
            self._failures += 1
            self._due = Reason.FAILED
            growth = 2.0 ** min(self._failures - 1, MOST_DOUBLINGS)
            gap = min(self._max_gap, max(self._min_gap, LEAST_GAP_AFTER_FAILURE) * growth)
        else:
            self._failures, gap = 0, self._min_gap
            self._due = Reason.CHANGED if self._changes > self._changes_at_begin else None
            if began >= self._settled_at:
                self._settled_at = math.inf
        self._not_before = now + gap
        self._overdue_at = now + self._max_gap
        # Asked just before the next run can begin, an answer has the most to say.
        self._ask_at = max(self._ask_at, self._not_before)
