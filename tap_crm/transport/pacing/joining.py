"""Finds out whether endpoint groups that were thought to have limits of their own draw on one bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.transport.pacing.bucket import Group
    from tap_crm.transport.pacing.headers import Told

#: So much evidence joins the groups; an answer that speaks against it takes one away.
ENOUGH = 4
#: A 429 says more than a count that is off.
WEIGHT_OF_A_429 = 2
#: Requests on their way are counted by one side only.
LEAST_MARGIN, MARGIN = 3.0, 0.1


class Suspicion:
    """Weighs the answers, one by one."""

    def __init__(self) -> None:
        self._evidence = 0

    def grows(self, group: Group, others: Sequence[Group], told: Told | None, now: float, *, limited: bool) -> bool:
        """Take an answer to a group into account; tells whether it is certain enough by now."""
        if not any(other.sent.within(group.window, now) for other in others):
            return False
        weight = self._of_a_429(group, others, told, now) if limited else self._of_a_count(group, others, told, now)
        self._evidence = max(0, self._evidence + weight)
        return self._evidence >= ENOUGH

    def _of_a_429(self, group: Group, others: Sequence[Group], told: Told | None, now: float) -> int:
        """A 429 to a group that was within its limit, while all together were just about at it."""
        if told is None or told.limit is None:
            # Either no limits are told at all, or this is an extra limit of one endpoint that says only when to return.
            return 0 if group.limit else WEIGHT_OF_A_429
        if told.remaining:
            return 0
        margin = _margin(told.limit)
        own = group.accepted(group.window, now)
        together = own + sum(other.accepted(group.window, now) for other in others)
        if own + margin >= told.limit or together < told.limit - margin:
            return 0
        return WEIGHT_OF_A_429 if together <= told.limit + margin else -1

    def _of_a_count(self, group: Group, others: Sequence[Group], told: Told | None, now: float) -> int:
        """An answer that counts more than this group sent, and just as much as all together did."""
        if told is None or told.limit is None or told.remaining is None or told.reset is None:
            return 0
        used, margin, window = told.limit - told.remaining, _margin(told.limit), group.window

        def together(seconds: float) -> int:
            return sum(each.accepted(seconds, now) for each in (group, *others))

        # A reset is rounded up to whole seconds: the window began between these two moments.
        shortest = max(0.0, window - told.reset)
        longest = min(window, shortest + 1.0)
        if used + margin < together(shortest):
            return -1
        if used <= group.accepted(window, now) + margin:
            return 0
        if told.reset > window - 1.0:  # a window that has just begun, or one that rolls and is always full
            return 1 if abs(together(window) - used) <= margin else -1
        return int(together(shortest) - margin <= used <= together(longest) + margin)


def _margin(limit: float) -> float:
    return max(LEAST_MARGIN, MARGIN * limit)
