"""When the next request may go under a limit of so many within any window: at once while it is empty, then evenly.

Why no window ever has one too many, whichever seconds it begins and ends with: a request goes only if fewer than the
limit were sent within the window that ends now, and a little more (:data:`SLACK`) for what requests on their way may
differ by. So the last of any ``limit + 1`` requests was sent more than a window after the first. A server that counts
in fixed windows, whenever they begin, sees no more than one that counts the last seconds; one that refills a bucket
of that size at that rate, neither.

What is sent early is not sent later. After a burst the rest of the limit is spread over the time until the burst
leaves the window; from then on requests follow each other as evenly as what is left allows.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What requests may differ by on their way, as a part of the window; in seconds at least.
SLACK, LEAST_SLACK = 0.01, 0.03
#: A burst begins where no more than the first part of the limit was sent of late, and ends at the second.
EMPTY, BURST = 1 / 3, 0.8
#: By so much requests may follow each other faster than evenly, so that what was not used is made up for; by so much
#: where nothing leaves the window for a while.
KEEN, HARDLY_KEEN = 1.5, 1.1
#: Of a window of thousands of requests, so many are looked at.
LOOKS = 64


@dataclass(frozen=True, slots=True)
class Window:
    """A limit.

    Attributes:
        limit: how many requests.
        seconds: within how many.
    """

    limit: int
    seconds: float

    @property
    def reach(self) -> float:
        """The seconds for which a request counts, after it was sent."""
        return self.seconds + max(LEAST_SLACK, SLACK * self.seconds)

    def may_begin_burst(self, sent: Sequence[float], now: float) -> bool:
        """Tell whether so little was sent of late that a burst may begin."""
        return self._count(sent, now) <= EMPTY * self.limit

    def ends_burst(self, sent: Sequence[float], now: float) -> bool:
        """Tell whether so much was sent of late that a burst is over."""
        return self._count(sent, now) >= int(BURST * self.limit)

    def due(self, sent: Sequence[float], now: float, *, bursting: bool) -> float:
        """Return when the next request may go; no later than now if it may go at once.

        Args:
            sent: when requests were sent, the oldest first.
            now: the clock's time.
            bursting: nothing is to be spread.
        """
        count = self._count(sent, now)
        counted = sent[len(sent) - count :]
        if count >= self.limit or bursting or not counted:
            return self.free(sent, now)
        return counted[-1] + 1 / self._rate(counted, now)

    def free(self, sent: Sequence[float], now: float) -> float:
        """Return when there is room for another request, however they follow each other; now if there is some."""
        count = self._count(sent, now)
        return now if count < self.limit else sent[len(sent) - self.limit] + self.reach

    def _count(self, sent: Sequence[float], now: float) -> int:
        return len(sent) - bisect_right(sent, now - self.reach)

    def _rate(self, counted: Sequence[float], now: float) -> float:
        """Return how many a second may follow such that nobody has to wait for the end of those that count."""
        free, rate = self.limit - len(counted), KEEN * self.limit / self.seconds
        for place in range(0, len(counted), max(1, len(counted) // LOOKS)):
            # Until this one counts no more, there is room for what is free now and for those that leave before it.
            room = (free + place) / max(1e-6, counted[place] + self.reach - now)
            rate = min(rate, (KEEN if place else HARDLY_KEEN) * room)
        return rate
