"""What a run notes of one stream in its state, as its reading goes on."""

from __future__ import annotations

from enum import Flag, auto
from typing import TYPE_CHECKING

from tap_crm.messages import Checkpoint, HintsKept, NewVersion, Progress
from tap_crm.shaping.moments import from_epoch
from tap_crm.sync.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.memory import Memory
    from tap_crm.messages import Item
    from tap_crm.sync.run import RunStream
    from tap_crm.sync.state import StreamState


class Noted(Flag):
    """What follows from what was noted."""

    NOTHING = 0
    #: The state has changed, and is to be written some time.
    CHANGED = auto()
    #: If it has changed, it is to be written now.
    DUE = auto()


class Bookkeeping:
    """Keeps the state of one stream; used by the thread that writes.

    Args:
        stream: the stream.
        kept: what the state has of it; changed in place.

    Attributes:
        read_to: epoch seconds up to which everything is written; None before the first checkpoint.
    """

    def __init__(self, stream: RunStream, kept: StreamState) -> None:
        self._stream, self._kept = stream, kept
        self._versions = Versions(kept, stream.tells_deletions)
        self.read_to: int | None = None

    @property
    def version(self) -> int | None:
        """The version of the rows that are written now; None where rows have none."""
        return self._versions.present

    @property
    def whole_since(self) -> str | None:
        """After a complete read, since when, by this machine's clock, all rows that are there were written."""
        return self._versions.whole_since

    @property
    def is_whole(self) -> bool:
        """Whether a complete read has found all there is."""
        return self._versions.is_whole

    @property
    def gone(self) -> int:
        """How many rows a complete read has found to be gone."""
        return self._versions.gone

    def begin(self, now: float) -> None:
        """Count the days to the next complete read from now on, where nothing is known of one."""
        self._versions.count_days_from(now)

    def note_account(self, mark: str | None, column: str | None) -> bool:
        """Keep which account the rows are of, if that is known, and which column has it; tell whether that is new."""
        known = self._kept.account, self._kept.account_column
        self._kept.account, self._kept.account_column = mark or self._kept.account, column
        return (self._kept.account, column) != known

    def note_columns(self, names: Mapping[str, str]) -> None:
        """Keep the names of columns by the ids of their fields, so that the next run notices a renaming."""
        self._kept.columns = names

    def note_page(self) -> bool:
        """Note that rows are about to be written; tell whether the state is to be written before them.

        A run that dies from here on leaves the target between what was remembered and what is there now.
        """
        return self._versions.forget_memory()

    def take(self, item: Item, now: float) -> Noted:
        """Follow what the reading says beside its pages."""
        if isinstance(item, NewVersion):
            self._versions.begin(item, now, first=self._stream.starting_bookmark() is None)
            return Noted.NOTHING
        if isinstance(item, Progress):
            self._versions.note_progress(item)
            # A checkpoint follows, but not where the bookmark stays: beside it.
            return Noted.CHANGED | Noted.DUE if self._stream.mode == "reconcile" else Noted.NOTHING
        if isinstance(item, Checkpoint):
            return Noted.DUE | (Noted.CHANGED if self.move_bookmark(item) else Noted.NOTHING)
        if isinstance(item, HintsKept):
            self.note_hints(item)
            return Noted.CHANGED
        return Noted.CHANGED if self._versions.take(item, now) else Noted.NOTHING

    def note_hints(self, hints: HintsKept) -> None:
        """Note how far events were heeded: the rows that they led to are written."""
        self._kept.note_hints(hints)

    def move_bookmark(self, checkpoint: Checkpoint) -> bool:
        """Note that everything up to a checkpoint is written; tell whether there is a bookmark, which only moves on."""
        self.read_to = checkpoint.at if self.read_to is None else max(self.read_to, checkpoint.at)
        if not self._stream.is_incremental:
            return False
        before = self._stream.starting_bookmark()
        if before is None or checkpoint.at > before:
            self._kept.replication_key = self._stream.spec.replication_key
            self._kept.bookmark = from_epoch(checkpoint.at)
        return True

    def end(self, memory: Memory, began: float, now: float, *, as_written: bool = False) -> int | None:
        """Note that the stream is complete; return the version to activate, if there is one.

        Args:
            memory: what the source remembers.
            began: when the run began to read, in epoch seconds.
            now: the present, too.
            as_written: nothing was written, since all rows are as an earlier run wrote them.
        """
        return self._versions.end(memory, began, now, as_written=as_written)
