"""The hits of a search in order, and pages cut from them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

_key = itemgetter(0)


@dataclass(slots=True, frozen=True)
class Ranking:
    """A range of a list of (sort key, id) that is sorted ascending, read from either end."""

    entries: list[tuple[Any, int]]
    low: int
    high: int
    descending: bool

    def __len__(self) -> int:
        return self.high - self.low

    def ids(self, start: int, stop: int, rng: Random | None) -> list[int]:
        """Give the ids at these ranks; with `rng`, equal keys come in a new order each time."""
        stop = min(stop, len(self))
        if start >= stop:
            return []
        if self.descending:
            first, last = self.high - stop, self.high - start
        else:
            first, last = self.low + start, self.low + stop
        chosen = self._shuffled(first, last, rng) if rng else self.entries[first:last]
        ids = [entry[1] for entry in chosen]
        return ids[::-1] if self.descending else ids

    def _shuffled(self, first: int, last: int, rng: Random) -> list[tuple[Any, int]]:
        """Give some entries, after shuffling every group of ties of which there is one among them."""
        entries = self.entries
        begin = bisect_left(entries, entries[first][0], self.low, first, key=_key)
        end = bisect_right(entries, entries[last - 1][0], last, self.high, key=_key)
        stretch = entries[begin:end]
        at = 0
        for place in range(1, len(stretch) + 1):
            if place == len(stretch) or stretch[place][0] != stretch[at][0]:
                if place - at > 1:
                    group = stretch[at:place]
                    rng.shuffle(group)
                    stretch[at:place] = group
                at = place
        return stretch[first - begin : last - begin]
