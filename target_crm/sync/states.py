"""Passes a STATE on when every record before it is settled, and never before."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class States:
    """The states of a run; the latest that may pass is passed, the ones before it are not needed.

    Args:
        pass_on: writes one for whoever runs the target.
    """

    def __init__(self, pass_on: Callable[[Mapping[str, Any]], None]) -> None:
        self._pass_on = pass_on
        self._records = 0
        self._open: set[int] = set()
        self._oldest: list[int] = []
        self._held_from: int | None = None
        self._waiting: list[tuple[int, Mapping[str, Any]]] = []

    def record(self) -> int:
        """Note that a record came in; return its number."""
        self._records += 1
        self._open.add(self._records)
        heapq.heappush(self._oldest, self._records)
        return self._records

    def hold(self, number: int) -> None:
        """Note that a record waits for the end of the input, and so does every state after it."""
        self._held_from = number if self._held_from is None else min(number, self._held_from)
        self._open.discard(number)

    def release(self) -> None:
        """Note that the records which waited are all settled."""
        self._held_from = None

    def settle(self, number: int | None) -> None:
        """Note that a record is settled in the journal."""
        if number is not None:
            self._open.discard(number)

    def state(self, value: Mapping[str, Any]) -> None:
        """Take a state that came in after all records so far."""
        if self._waiting and self._is_idle(self._waiting[-1][0]):
            self._waiting.pop()  # both pass together, when what holds them back is over
        self._waiting.append((self._records, value))

    def _is_idle(self, number: int) -> bool:
        """Tell whether a state may pass no sooner than one that comes now."""
        return number == self._records or (self._held_from is not None and number >= self._held_from)

    def flush(self) -> None:
        """Pass on the latest state that may pass."""
        while self._oldest and self._oldest[0] not in self._open:
            heapq.heappop(self._oldest)
        limits = [first for first in (self._oldest[0] if self._oldest else None, self._held_from) if first is not None]
        first_open = min(limits, default=self._records + 1)
        passing = [value for number, value in self._waiting if number < first_open]
        self._waiting = [pair for pair in self._waiting if pair[0] >= first_open]
        if passing and passing[-1]:  # an empty state would wipe what the last run left
            self._pass_on(passing[-1])
