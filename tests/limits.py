"""What a run says of a rate limit, if it or the machine stood still meanwhile.

A pacer keeps its distance from a limit by its slack: requests may arrive so much later or earlier than they were sent.
A machine that stands still for longer, as a busy one does, makes requests arrive together that were sent apart. Such a
run says nothing of the pacer. `tests/unit/test_pacer.py` has the exact proof, in virtual time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_crm.transport.pacing.pacer import CATCH_UP, ROOM_FOR_JITTER, SHARE_OF_LIMIT
from tests.stalls import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Simulator
    from tests.singer import Run, Tap

#: Runs at most, until one says something.
RUNS = 3
#: The part of the requests that stalls may have refused: a pacer that does not pace has many times more.
MOST_BY_STALLS = 0.05


def slack_of(limit: float, window: float) -> float:
    """Return the seconds that requests may jitter: the room under a limit that is not used for catching up."""
    room = limit - limit * SHARE_OF_LIMIT
    return (room - min(CATCH_UP, max(0.0, room - ROOM_FOR_JITTER))) * window / (limit * SHARE_OF_LIMIT)


def used(arrivals: list[float], per_second: float) -> float:
    """Return which part of a limit was used from the first request to the last."""
    return (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) / per_second


def used_undisturbed(arrivals: list[float], per_second: float, stretch: int) -> float:
    """Return which part was used in the best stretch of so many requests: a machine may stand still for a while."""
    return max(used(arrivals[at : at + stretch], per_second) for at in range(len(arrivals) - stretch + 1))


def none_refused(app: Simulator, tap: Tap, slack: float, sync: Callable[[], Run]) -> Run:
    """Return a run that no rate limit refused anything of.

    A run with a refusal counts, and is a fault, if neither the sandbox's process nor the tap's stood still for half of
    the slack; else it says nothing, and is repeated. A few refusals are all that a stall explains. Where no run says
    anything, the test is skipped.

    Args:
        app: whose limit it is; its statistics are those of the run in the end.
        tap: the tap, whose own process is watched as well.
        slack: seconds that requests may jitter without one too many in a window.
        sync: runs the tap.
    """
    longest = 0.0
    for _ in range(RUNS):
        app.stats.reset()
        app.forget_limits()
        tap.watched = True
        with Watch() as watch:
            run = sync()
        longest = max(watch.longest, tap.longest_stall)
        refused, asked = app.stats.refused, app.stats.requests
        if not refused:
            return run
        assert longest > slack / 2, f"{refused} of {asked} refused, though the longest stall took {longest:.3f} s"
        assert refused <= max(1, MOST_BY_STALLS * asked), f"{refused} of {asked} refused: too many for a stall"
    pytest.skip(f"this machine stands still too long to say anything of the rate limit: {longest:.3f} s")
