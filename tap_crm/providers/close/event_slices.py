"""Slices of time of Close's event log, which are walked side by side.

Bounds count for the first page of a walk at least, and each page after it is older than the one before
(developer.close.com: event log). So a slice is walked from its newest event until a page is older than it; what such a
page has of other times belongs to the slices of those.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Pages that are read one after the other before there are slices, and of a slice before it is cut in two.
PAGES_AT_FIRST, PAGES_BEFORE_A_CUT = 4, 16


#: Slices that are walked at once, where there are so many. The log is by far the most requests of a first run, and a
#: page comes only after the one before it: too few slices leave the limit unused whenever answers take longer.
MOST_AT_ONCE = 8


class Unbounded(Exception):  # noqa: N818 - it names what the CRM does
    """A walk did not begin where it was asked to."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Whole seconds from ``low``, inclusive, to ``high``, exclusive; without an end where None."""

    low: int | None
    high: int | None

    def has(self, second: int) -> bool:
        """Tell whether a second is in it."""
        return (self.low is None or second >= self.low) and (self.high is None or second < self.high)

    def below(self, second: int) -> Slice | None:
        """Return what is left of it when all later seconds were read; None where that is not worth another walk."""
        high = second + 1
        if (self.low is not None and high - self.low < 2) or (self.high is not None and high >= self.high):  # noqa: PLR2004
            return None
        return Slice(self.low, high)

    def parts(self, count: int, oldest: int | None) -> list[Slice]:
        """Return so many slices of the same length, and where it has no beginning, one of all before ``oldest``."""
        low = oldest if self.low is None else self.low
        if low is None or self.high is None or self.high - low < count:
            return [self]
        cuts = [self.high - (self.high - low) * place // count for place in range(count)] + [low]
        parts = [Slice(cuts[place + 1], cuts[place]) for place in range(count)]
        return [*parts, Slice(None, low)] if self.low is None else parts


def walk_side_by_side(parts: Sequence[Slice], lanes: int, walk: Callable[[Slice], Slice | None]) -> None:
    """Walk slices, so many at once; what a walk leaves is cut in two. Raises what one of them raises."""
    with ThreadPoolExecutor(lanes, thread_name_prefix="events-slice") as pool:
        running: set[Future[Slice | None]] = {pool.submit(walk, part) for part in parts}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    rest = future.result()
                    if rest is not None:
                        running |= {pool.submit(walk, part) for part in rest.parts(2, None)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
