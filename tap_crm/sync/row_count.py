"""Counts the records of a complete read, so that the next one can tell how many are gone."""

from __future__ import annotations

import threading
import time
from array import array
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from tap_crm import errors
from tap_crm.shaping.moments import to_epoch
from tap_crm.shaping.schema import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_crm.messages import Page

#: A deletion limit concerns no fewer rows: in small streams, a few rows are many percent.
FEWEST_GONE = 100
#: So many ids are counted at a time: a set of all of them would be large.
_AT_ONCE = 100_000
_MODULUS = 2**64
_NEVER = -(2**62)
_NEW, _AGAIN = 1, 2
#: How many records there are; how many of them are new; how many may have been counted twice.
Counts: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a complete read found: so many rows, and the second up to which they were created."""

    rows: int
    until: int | None = None

    def gone(self, rows: int, new: int) -> int:
        """Return how many of these are missing among ``rows``, of which ``new`` were created later."""
        return max(0, self.rows - (rows - new))

    def without(self, created: Sequence[int | None]) -> Counted:
        """Return what is left when rows with these times of creation are gone; what came later was not counted."""
        counted = sum(self.until is None or at is None or at <= self.until for at in created)
        return replace(self, rows=max(0, self.rows - counted))


def check_gone(stream: str, before: Counted | None, gone: int, percent: float) -> None:
    """Let so many deletions pass, or not.

    Raises:
        TooManyGone: they are more than the setting ``max_deletions_percent`` allows.
    """
    if before is None or gone < FEWEST_GONE or gone * 100 <= percent * before.rows:
        return
    raise errors.TooManyGone(
        f"{stream}: at least {gone} of {before.rows} records that were there are not found any more, more than "
        f"`max_deletions_percent` ({percent:g}) allows. They may be deleted, or the key's user may no longer see them. "
        "Nothing was marked as deleted. Check the user's rights; if the records are gone indeed, raise "
        "`max_deletions_percent` for one run"
    )


class RowCount:
    """Counts records, once each, wherever a read is cut off and goes on.

    Args:
        keys: the primary key.
        by: the time along which the read goes on after it was cut off; None where it begins anew.
        created: the field with the time of creation; None where there is none.
        before: what the last complete read found.
        now: the present, in epoch seconds. What is dated later, such as a meeting, is counted when its time has come.
        after: where this read goes on: what changed up to there was counted.
        began: when the read began of which this is another part; what changed since may have been counted before.
        earlier: the counts of the parts before.
    """

    def __init__(  # noqa: PLR0913 - where a count begins
        self,
        keys: tuple[str, ...],
        by: str | None,
        created: str | None,
        before: Counted | None,
        *,
        now: Callable[[], float] = time.time,
        after: int | None = None,
        began: int | None = None,
        earlier: Counts = (0, 0, 0),
    ) -> None:
        self._keys, self._by, self._created = keys, by, created
        self._until = before.until if before is not None else None
        self._after, self._began = after, began
        self._passed = self._earlier = earlier
        self._now = now
        self._lock = threading.Lock()
        self._all, self._all_new, self._all_again = array("Q"), array("Q"), array("Q")
        self._pending: list[tuple[int, int, int]] = []

    def count(self, page: Page) -> None:
        """Count the records of a page; may be called from several threads."""
        found = list(self._read(page, self._now()))
        with self._lock:
            self._all.extend(key for key, _, _ in found)
            self._all_new.extend(key for key, _, what in found if what & _NEW)
            self._all_again.extend(key for key, _, what in found if what & _AGAIN)
            if self._by is not None:
                self._pending += found

    def _read(self, page: Page, now: float) -> Iterable[tuple[int, int, int]]:
        """Yield what is counted of each record."""
        names = [name for name in (self._by, self._created) if name is not None]
        told = page.told(names) if len(self._keys) == 1 else None
        if told is not None and self._after is None:  # no part of the read came before: nothing can be told twice
            until = self._until
            for row, times in told:
                created = times[-1] if self._created is not None else None
                if created is None or created <= now:
                    at = times[0] if self._by is not None else None
                    is_new = until is not None and created is not None and created > until
                    yield hash((str(row.key),)) % _MODULUS, _NEVER if at is None else at, _NEW * is_new
            return
        if told is not None:
            for row, times in told:
                at = times[0] if self._by is not None else None
                created = times[-1] if self._created is not None else None
                yield from self._judged((str(row.key),), at, created, now)
            return
        for record in page.decoded():
            if record.get(DELETED_AT) is None:
                at, created = (
                    None if name is None else to_epoch(record.get(name)) for name in (self._by, self._created)
                )
                yield from self._judged(tuple([str(record.get(name)) for name in self._keys]), at, created, now)

    def _judged(
        self, key: tuple[str, ...], at: int | None, created: int | None, now: float
    ) -> Iterable[tuple[int, int, int]]:
        """Yield a number for the key, the time, and what it is; nothing for what was counted, or is yet to come."""
        if self._after is not None and at is not None and at <= self._after:
            return
        if created is not None and created > now:
            return
        is_new = self._until is not None and created is not None and created > self._until
        what = _NEW * is_new + _AGAIN * self._may_have_been_counted(at, created)
        yield hash(key) % _MODULUS, _NEVER if at is None else at, what

    def _may_have_been_counted(self, at: int | None, created: int | None) -> bool:
        """Tell whether a record has changed since the first part of the read, which may have had it."""
        if self._began is None or self._after is None or at is None or at < self._began:
            return False
        return created is None or created <= self._after

    def passed(self, at: int) -> Counts:
        """Return the counts of the records that changed up to then; called with rising times."""
        with self._lock:
            done = {key: what for key, time, what in self._pending if time <= at}
            self._pending = [one for one in self._pending if one[1] > at]
            rows, new, again = self._passed
            new += sum(what & _NEW > 0 for what in done.values())
            again += sum(what & _AGAIN > 0 for what in done.values())
            self._passed = rows + len(done), new, again
            return self._passed

    def total(self) -> Counts:
        """Return the counts of all."""
        with self._lock:
            rows, new, again = self._earlier
            return rows + distinct(self._all), new + distinct(self._all_new), again + distinct(self._all_again)


def distinct(keys: array[int]) -> int:
    """Return how many different numbers there are, looking at some of them at a time."""
    parts = 1 + len(keys) // _AT_ONCE
    return sum(len({key for key in keys if key % parts == part}) for part in range(parts))
