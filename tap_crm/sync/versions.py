"""What the state of a stream keeps of its versions, and of a complete read that is not over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tap_crm.contract.stream import Deletions
from tap_crm.messages import COUNTED, Abandoned, Remembered, Told, ToldGone, Whole
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.sync.row_count import Counted

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from tap_crm.messages import Item, NewVersion, Progress

#: What the state calls a complete read that is not over.
UNFINISHED = "reconcile"
#: When the last complete read began; and since when one is waited for, where none is known or one was in vain.
RECONCILED_AT, UNTOLD_SINCE = "reconciled_at", "untold_since"
#: Up to where the CRM's own log of changes was heeded.
TOLD_TO = "told_to"
#: What bounds the rows that an unfinished complete read looks for.
SCOPE = "since"
#: What the CRM counted when the last complete read began.
TOTAL = "total"
_VERSION, _MEMORY, _ROWS, _WRITTEN_FROM = "version", "memory", "rows", "written_from"


class Versions:
    """The versions of one stream's rows.

    Args:
        state: the stream's part of the state; changed in place.
        deletions: how it is found out which rows are gone.

    Attributes:
        present: the version of the rows that are written now; None where rows have none.
        whole_since: after a complete read, since when, by this machine's clock, all rows that are there were written.
    """

    def __init__(self, state: MutableMapping[str, Any], deletions: Deletions) -> None:
        self._state, self._deletions = state, deletions
        self._whole: Whole | None = None
        self._heeded: int | None = None
        self.whole_since: str | None = None
        self.present = None if deletions is Deletions.UNTOLD else _number(self._unfinished()) or self._last()

    def _unfinished(self) -> Mapping[str, Any]:
        return unfinished(self._state)

    def _last(self) -> int | None:
        """Return the version that the target was last told to be complete."""
        return _number(self._state)

    def begin(self, item: NewVersion, now: float, *, first: bool) -> None:
        """Give what follows a new version, or one that an earlier run began."""
        if self._deletions is Deletions.UNTOLD:
            return
        newest = max(self._last() or 0, self.present or 0)
        self.present = item.number or max(time.time_ns() // 1_000_000, newest + 1)
        if self._deletions is Deletions.RECONCILED and item.number is None:
            self._state[UNFINISHED] = {
                _VERSION: self.present,
                "started": from_epoch(int(now)),
                _WRITTEN_FROM: from_epoch(int(time.time())),
                SCOPE: item.scope,
                "first": first,
            }

    def take(self, item: Item, now: float) -> bool:
        """Follow what a read says of itself; tell whether the state changed by what holds whatever becomes of it."""
        if isinstance(item, Whole):
            self.note_whole(item)
        elif isinstance(item, Abandoned):
            self.abandon(now, in_vain=item.in_vain)
        elif isinstance(item, ToldGone):
            self.note_told(item.created)
        elif isinstance(item, Told):
            self.note_log(item.at)
        elif isinstance(item, Remembered):
            return self.remember(item.entries)
        return False

    def note_progress(self, progress: Progress) -> None:
        """Remember how far a complete read has come."""
        read_to = from_epoch(progress.at)
        self._state[UNFINISHED] = {
            **self._unfinished(),
            "read_to": read_to,
            _ROWS: progress.rows,
            "new": progress.new,
            "again": progress.again,
        }

    def abandon(self, now: float, *, in_vain: bool) -> None:
        """Let the next complete read begin anew; not soon, if this one was in vain."""
        self._state.pop(UNFINISHED, None)
        if in_vain and self._deletions is Deletions.RECONCILED:
            self._state[UNTOLD_SINCE] = from_epoch(int(now))

    def note_whole(self, whole: Whole) -> None:
        """Remember that a complete read has found all there is."""
        self._whole = whole

    def note_told(self, created: Sequence[int | None]) -> None:
        """Remember that the CRM told of rows that are gone: the next complete read need not find them."""
        counted = Counted.from_state(self._state)
        if counted is not None:
            self._state[_ROWS] = counted.without(created).rows

    def note_log(self, at: int) -> None:
        """Remember up to where the CRM's own log of changes was heeded; of several parts of a log, the least counts."""
        self._heeded = at if self._heeded is None else min(self._heeded, at)
        self._state[TOLD_TO] = from_epoch(self._heeded)

    def remember(self, entries: Mapping[str, Any]) -> bool:
        """Keep what a read says of itself; tell whether that changed something."""
        news = {name: value for name, value in entries.items() if self._state.get(name) != value}
        for name, value in news.items():
            if value is None:
                self._state.pop(name, None)
            else:
                self._state[name] = value
        return bool(news)

    def forget_memory(self) -> bool:
        """Keep of what the source remembers only what holds in any case; tell whether that changed something."""
        memory = self._state.get(_MEMORY) if self._deletions is Deletions.BY_ITSELF else None
        if not isinstance(memory, dict) or not memory.keys() - {COUNTED}:
            return False
        self._state[_MEMORY] = {COUNTED: memory[COUNTED]} if COUNTED in memory else {}
        return True

    def end(self, memory: Mapping[str, Any], began: float, now: float) -> int | None:
        """Remember what the stream, which is complete now, has; return the version to activate, if there is one.

        Args:
            memory: what the source remembers.
            began: when the run began to read, in epoch seconds.
            now: the present, too.
        """
        if self._deletions is Deletions.UNTOLD:
            return None
        wrote_all = self.present != self._last() if self._deletions is Deletions.BY_ITSELF else self._whole is not None
        self.whole_since = from_epoch(int(began)) if wrote_all else None
        if self._deletions is Deletions.BY_ITSELF:
            self._state[_MEMORY] = dict(memory)
            if wrote_all:
                self._state.pop(UNTOLD_SINCE, None)
                self._state[RECONCILED_AT] = from_epoch(int(min(began, now)))
        elif self._whole is None:
            return None
        else:
            started = self._unfinished().get("started")
            self.whole_since = self._unfinished().get(_WRITTEN_FROM) or self.whole_since
            self._state.pop(UNFINISHED, None)
            self._state[_ROWS] = self._whole.rows
            self._state[TOTAL] = self._whole.total
            self._state["rows_until"] = from_epoch(int(now))
            # What was deleted before the read began is told by now; what is deleted while it goes on may not be.
            self._state.pop(UNTOLD_SINCE, None)
            self._state[RECONCILED_AT] = started or from_epoch(int(began))
        if self.present is None or self.present == self._last():
            return None
        self._state[_VERSION] = self.present
        return self.present

    @property
    def gone(self) -> int:
        """How many rows a complete read has found to be gone."""
        return 0 if self._whole is None else self._whole.gone

    def count_days_from(self, now: float) -> None:
        """Note since when it is not known what was deleted, where earlier runs left rows, but no such note."""
        known = (RECONCILED_AT, UNTOLD_SINCE, UNFINISHED)
        loaded = {Deletions.RECONCILED: "replication_key_value", Deletions.BY_ITSELF: _MEMORY}.get(self._deletions)
        if loaded in self._state and not any(name in self._state for name in known):
            self._state[UNTOLD_SINCE] = from_epoch(int(now))


def told_to(state: Mapping[str, Any], bookmark: int | None) -> int | None:
    """Return up to where the CRM's own log of changes was heeded; None without a bookmark.

    What the log tells of the time before a complete read, that read has found as well.
    """
    known = to_epoch(state.get(TOLD_TO))
    if known is None or bookmark is None:
        return bookmark
    whole = to_epoch(state.get(RECONCILED_AT))
    return min(bookmark, known if whole is None else max(known, whole - BEHIND_THE_CLOCK))


def unfinished(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a stream's state has of a complete read that is not over; empty if there is none.

    One whose version was activated is over, whatever merging states brought back.
    """
    kept = state.get(UNFINISHED)
    if not isinstance(kept, dict) or (_number(kept) or 0) <= (_number(state) or 0):
        return {}
    return kept


def _number(kept: Mapping[str, Any]) -> int | None:
    version = kept.get(_VERSION)
    return version if isinstance(version, int) and version > 0 else None
