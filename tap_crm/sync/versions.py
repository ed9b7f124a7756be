"""What the state of a stream keeps of its versions, and of a complete read that is not over."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_crm.contract.memory import Memory
from tap_crm.contract.stream import Deletions
from tap_crm.messages import Abandoned, Doubted, ListsKept, Overtaken, Told, ToldGone, Whole
from tap_crm.shaping.moments import from_epoch
from tap_crm.sync.state import Unfinished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.messages import Item, NewVersion, Progress
    from tap_crm.sync.state import StreamState


class Versions:
    """The versions of one stream's rows.

    Args:
        state: what the state has of the stream; changed in place.
        deletions: how it is found out which rows are gone.

    Attributes:
        present: the version of the rows that are written now; None where rows have none.
        whole_since: after a complete read, since when, by this machine's clock, all rows that are there were written.
    """

    def __init__(self, state: StreamState, deletions: Deletions) -> None:
        self._state, self._deletions = state, deletions
        self._whole: Whole | None = None
        self._heeded: int | None = None
        self.whole_since: str | None = None
        begun = None if state.going_on is None else state.going_on.version
        self.present = None if deletions is Deletions.UNTOLD else begun or state.version

    def begin(self, item: NewVersion, now: float, *, first: bool) -> None:
        """Give what follows a new version, or one that an earlier run began."""
        if self._deletions is Deletions.UNTOLD:
            return
        newest = max(self._state.version or 0, self.present or 0)
        self.present = item.number or max(time.time_ns() // 1_000_000, newest + 1)
        if self._deletions is Deletions.RECONCILED and item.number is None:
            self._state.unfinished = Unfinished(
                self.present,
                started=int(now),
                written_from=int(time.time()),
                scope=item.scope,
                first=first,
            )

    def take(self, item: Item, now: float) -> bool:
        """Follow what a read says of itself; tell whether the state changed by what holds whatever becomes of it."""
        if isinstance(item, Whole):
            self.note_whole(item)
        elif isinstance(item, Abandoned):
            self.abandon(now, in_vain=item.in_vain)
        elif isinstance(item, Overtaken):
            return self._note_overtaken()
        elif isinstance(item, ToldGone):
            self.note_told(item.created)
        elif isinstance(item, Told):
            self.note_log(item.at)
        elif isinstance(item, Doubted):
            return self._note_doubt(item)
        elif isinstance(item, ListsKept):
            return self._note_lists(item)
        return False

    def note_progress(self, progress: Progress) -> None:
        """Remember how far a complete read has come."""
        begun = self._state.going_on
        if begun is not None:
            self._state.unfinished = replace(
                begun, read_to=progress.at, rows=progress.rows, new=progress.new, again=progress.again
            )

    def abandon(self, now: float, *, in_vain: bool) -> None:
        """Let the next complete read begin anew; not soon, if this one was in vain."""
        self._state.unfinished = None
        if in_vain and self._deletions is Deletions.RECONCILED:
            self._state.untold_since = int(now)

    def _note_overtaken(self) -> bool:
        """Let the complete read that is not over begin anew in any case; tell whether that is new."""
        begun = self._state.going_on
        if begun is None or not begun.is_scope_known:
            return False
        self._state.unfinished = replace(begun, is_scope_known=False)
        return True

    def note_whole(self, whole: Whole) -> None:
        """Remember that a complete read has found all there is."""
        self._whole = whole

    def note_told(self, created: Sequence[int | None]) -> None:
        """Remember that the CRM told of rows that are gone: the next complete read need not find them."""
        counted = self._state.counted
        if counted is not None:
            self._state.rows = counted.without(created).rows

    def note_log(self, at: int) -> None:
        """Remember up to where the CRM's own log of changes was heeded; of several parts of a log, the least counts."""
        self._heeded = at if self._heeded is None else min(self._heeded, at)
        self._state.told_to = self._heeded

    def _note_doubt(self, item: Doubted) -> bool:
        is_new = self._state.not_shown != item.kept
        self._state.not_shown = item.kept
        return is_new

    def _note_lists(self, item: ListsKept) -> bool:
        is_new = (self._state.lists, self._state.empty_since) != (item.rows, item.empty_since)
        self._state.lists, self._state.empty_since = item.rows, item.empty_since
        return is_new

    def forget_memory(self) -> bool:
        """Keep of what the source remembers only what holds in any case; tell whether that changed something."""
        memory = self._state.memory if self._deletions is Deletions.BY_ITSELF else None
        if memory is None or not memory.holds_records:
            return False
        self._state.memory = Memory(counted=memory.counted)
        return True

    @property
    def is_whole(self) -> bool:
        """Whether a complete read has found all there is."""
        return self._whole is not None

    def end(self, memory: Memory, began: float, now: float, *, as_written: bool = False) -> int | None:
        """Remember what the stream, which is complete now, has; return the version to activate, if there is one.

        Args:
            memory: what the source remembers.
            began: when the run began to read, in epoch seconds.
            now: the present, too.
            as_written: nothing was written, since all rows are as an earlier run wrote them.
        """
        if self._deletions is Deletions.UNTOLD:
            return None
        by_itself = self._deletions is Deletions.BY_ITSELF
        wrote_all = self.present != self._state.version if by_itself else self._whole is not None
        self.whole_since = from_epoch(int(began)) if wrote_all and not as_written else None
        if by_itself:
            self._state.memory = replace(memory)
            if wrote_all:
                self._state.untold_since = None
                self._state.reconciled_at = int(min(began, now))
        elif self._whole is None:
            return None
        else:
            self._note_reconciled(self._whole, int(began), int(now))
        if as_written or self.present is None or self.present == self._state.version:
            return None
        self._state.version = self.present
        return self.present

    def _note_reconciled(self, whole: Whole, began: int, now: int) -> None:
        """Remember a complete read that is over, maybe one that an earlier run began."""
        state, begun = self._state, self._state.going_on
        if begun is not None and begun.written_from is not None:
            self.whole_since = from_epoch(begun.written_from)
        state.unfinished = None
        state.rows, state.total, state.rows_until = whole.rows, whole.total, now
        # What was deleted before the read began is told by now; what is deleted while it goes on may not be.
        state.untold_since = None
        state.reconciled_at = began if begun is None or begun.started is None else begun.started

    @property
    def gone(self) -> int:
        """How many rows a complete read has found to be gone."""
        return 0 if self._whole is None else self._whole.gone

    def count_days_from(self, now: float) -> None:
        """Note since when it is not known what was deleted, where earlier runs left rows, but no such note."""
        state = self._state
        loaded = {Deletions.RECONCILED: state.bookmark, Deletions.BY_ITSELF: state.memory}.get(self._deletions)
        known = (state.reconciled_at, state.untold_since, state.unfinished)
        if loaded is not None and all(one is None for one in known):
            state.untold_since = int(now)
