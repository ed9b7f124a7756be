"""What follows where the CRM counts more records than it shows, however often and in whatever order it is asked.

A few such records are usual: an index may hold rows that are never given. They are told, and nothing that was not found
is taken for deleted, by this read or by the next one: it may be among them. Where they are many, the stream is not
complete, and its bookmark does not pass what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Checkpoint, Doubted, NotShown, Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Item

#: The setting concerns no fewer records: of small streams, a few are many percent.
FEWEST = 10
#: Of fewer, a read of everything may lack one, or up to this share: a third of a small stream is no few.
SHARE_OF_FEW = 0.1


class Unexplained:
    """The records that one read was promised and not shown.

    Args:
        stream: for messages.
        ledger: where the reading counts them; what it holds already is of an earlier read.
        percent: the setting ``max_unexplained_percent``.
        earlier: what the state has of earlier reads.
        now: the present, in epoch seconds.
        everything: the read asks for all records, so that the count of all of them can be held against it. A read of
            changes may find a few rows that an index counts before it gives them, and no others.
    """

    def __init__(  # noqa: PLR0913 - what a verdict is made of
        self,
        stream: str,
        ledger: Ledger,
        percent: float,
        earlier: Doubt,
        now: Callable[[], float],
        *,
        everything: bool,
    ) -> None:
        self._stream, self._ledger, self._percent, self._earlier, self._now = stream, ledger, percent, earlier, now
        self._everything = everything
        self._before = ledger.unexplained
        self._shown_before = ledger.distinct
        self._told = 0
        self._held: Checkpoint | None = None
        self._came = False

    @property
    def records(self) -> int:
        """How many there are so far."""
        return self._ledger.unexplained - self._before

    @property
    def shown(self) -> int:
        """How many different records the read was shown."""
        return self._ledger.distinct - self._shown_before

    def watching(self, emit: Emit) -> Emit:
        """Return an emit that tells of them as they are found, and holds back checkpoints once they may be too many."""

        def watch(item: Item) -> None:
            if isinstance(item, Page):
                self._came = True
            elif isinstance(item, Checkpoint):
                self._tell(emit)
                self._held = item if self._may_be_too_many() or self._nothing_came() else None
                if self._held is not None:
                    return
            emit(item)

        return watch

    def settle(self, emit: Emit) -> None:
        """Give the verdict on a read that is over.

        Args:
            emit: what :meth:`watching` was given.

        Raises:
            Incomplete: there are more than is allowed.
        """
        if self._nothing_came():
            self._ledger.add(unexplained=(self._ledger.source_total or 0) - self.records)
        self._tell(emit)
        records = self.records
        if self._may_be_too_many() and records * 100 > self._percent * (self.shown + records):
            raise errors.Incomplete(
                f"{self._stream}: the CRM counts {self.shown + records} records and showed {self.shown}, however it "
                f"was asked; what is missing is more than `max_unexplained_percent` ({self._percent:g}) allows. "
                "Nothing was marked as deleted, and the next run asks again. If it stays so, the CRM counts records "
                "that it never gives: tell its support, or raise `max_unexplained_percent`"
            )
        if self._held is not None:
            emit(self._held)

    def _may_be_too_many(self) -> bool:
        """Tell whether they are more than the few that are told only."""
        records = self.records
        return records >= FEWEST or (self._everything and records > max(1, SHARE_OF_FEW * (self.shown + records)))

    def _nothing_came(self) -> bool:
        """Tell whether a read of all that the CRM counts was shown nothing at all."""
        return self._everything and not self._came and not self.shown and bool(self._ledger.source_total)

    def _tell(self, emit: Emit) -> None:
        """Have the state remember them, so that neither this read nor the next one concludes anything."""
        records = self.records
        if records > self._told:
            self._told = records
            emit(Doubted(self._earlier.grown(records, self._now())))


class Doubt:
    """What the state has of records that were not shown: none, some, or none since, by one complete read only.

    Args:
        kept: what earlier runs kept; None for none.
    """

    def __init__(self, kept: NotShown | None) -> None:
        self._kept = kept

    @property
    def records(self) -> int:
        """How many were not shown, and still have to be told."""
        return 0 if self._kept is None else self._kept.records

    @property
    def since(self) -> int | None:
        """When that was first seen, in epoch seconds; None where that is not known."""
        return None if self._kept is None else self._kept.since

    @property
    def awaits_proof(self) -> bool:
        """Whether a complete read has shown all since, and another one is wanted before anything is concluded."""
        return self._kept is not None and not self._kept.records

    def grown(self, records: int, now: float) -> NotShown:
        """Return what is kept after another read was not shown so many."""
        return self._keep(max(records, self.records), now)

    def replaced(self, records: int, now: float) -> NotShown:
        """Return what is kept after a complete read, which knows how many there are now."""
        return self._keep(records, now)

    def _keep(self, records: int, now: float) -> NotShown:
        self._kept = NotShown(records, int(now) if self.since is None else self.since)
        return self._kept
