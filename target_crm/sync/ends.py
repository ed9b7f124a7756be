"""How records end: in the journal first, then in the report, and then a STATE may pass."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_crm.journal.entries import Kept, Settled, Wrote
from target_crm.report import Line
from target_crm.sync.items import CONFLICT, CREATED, DELETED, REJECTED, SKIPPED, UNCHANGED, UNKNOWN, UPDATED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_crm.journal.journal import Journal
    from target_crm.report import Report
    from target_crm.sync.items import Item, StreamRun
    from target_crm.sync.states import States

_log = logging.getLogger("target-crm")
#: Of fewer rejected records a stream is not stopped.
FEWEST_REJECTS = 20
#: Why a record is kept between its two turns: so that the second one is taken by the next run if this one dies.
AWAITS = "it is written but for fields that refer to records which are written later"
_WRITTEN = (CREATED, UPDATED, DELETED)


@dataclass(frozen=True, slots=True)
class _End:
    item: Item
    settled: Settled
    passes: bool
    is_last: bool


class Ends:
    """Takes ends, and settles them together.

    Args:
        journal: where they are settled.
        report: where they are told.
        states: what waits for them.
        again: takes a record that is written, and has to be written again when those are there to which it refers.
        most_rejects: in percent, see the setting ``max_rejects_percent``.
    """

    def __init__(
        self,
        journal: Journal,
        report: Report,
        states: States,
        again: Callable[[Item], None],
        *,
        most_rejects: float,
    ) -> None:
        self._journal = journal
        self._report = report
        self._states = states
        self._again = again
        self._most_rejects = most_rejects
        self._taken: list[_End] = []
        self.live: set[Item] = set()

    def begin(self, item: Item) -> None:
        """Note that a record is on its way."""
        self.live.add(item)

    def wait(self, item: Item) -> None:
        """Note that a record waits for the end of the input."""
        self.live.discard(item)

    def end(  # noqa: PLR0913 - each is one thing to be told
        self,
        item: Item,
        outcome: str,
        reason: str | None = None,
        *,
        changed: float | None = None,
        changes: bool = False,
        passes: bool = True,
        leaves_open: bool = False,
    ) -> None:
        """Take the end of a record.

        Args:
            item: the record.
            outcome: how it ended.
            reason: why, for the report; it may hold what the record holds.
            changed: the CRM's own time of the change.
            changes: whether the report shows what differed.
            passes: whether a STATE may pass it: False where the next run has to take it again.
            leaves_open: whether it stays unknown what became of what was sent.
        """
        is_last = not (item.waits_for_others and outcome in (CREATED, UPDATED, UNCHANGED))
        shown = item.changes if changes else {}
        crm_id = None if item.crm_id is None else item.stream.typed_id(item.crm_id)
        line = Line(self._journal.run_id, item.stream.name, item.shown, outcome, crm_id, shown, reason)
        is_kept = not is_last or (outcome in (REJECTED, UNKNOWN) and passes)
        kept = Kept(item.stream.name, item.key, item.record, dict(item.schema.properties)) if is_kept else None
        written = outcome in _WRITTEN or (outcome == REJECTED and item.made)
        is_known = not (written or item.intents or kept)
        settled = Settled(
            item.stream.name,
            item.key,
            item.stream.spec.name,
            outcome,
            line=line.text() if is_last and self._report.path is not None else None,
            crm_id=item.crm_id,
            changed=changed,
            reason=reason if is_last else AWAITS,
            intents=list(item.intents),
            leaves_open=leaves_open,
            kept=kept,
            is_known=is_known and (item.crm_id is None or item.known is not None),
            wrote=_wrote(item, outcome, is_shown=changes, changed=changed),
        )
        if not passes:  # it did not get its turn: what is kept of it stays
            settled.is_known = True
        self.live.discard(item)
        self._taken.append(_End(item, settled, passes, is_last))
        if not is_last:
            item.made = item.made or outcome == CREATED
            self._again(item)

    def leave_out(self, item: Item, reason: str) -> None:
        """Take the end of a record that does not get its turn: the next run has to take it again."""
        if item.intents:  # it was sent, and nothing tells yet what became of it
            self.end(item, UNKNOWN, reason, passes=False, leaves_open=True)
        else:
            self.end(item, SKIPPED, reason, passes=False)

    def settle(self) -> None:
        """Settle what was taken, tell of it, and let states pass."""
        taken, self._taken = self._taken, []
        if taken:
            self._settle_rejects(taken)
            work = [end.settled for end in taken if end.settled.line is not None or not end.settled.is_known]
            if work:
                self._journal.settle(work)
            for end in (one for one in taken if one.is_last):
                end.item.stream.ends[end.settled.outcome] += 1
                if end.passes:
                    self._states.settle(end.item.number)
            self._report.write()
            for run in {end.item.stream for end in taken}:
                self._stop_if_too_many(run)
        self._states.flush()

    def _settle_rejects(self, taken: Sequence[_End]) -> None:
        """See to it that a record is forgotten that was rejected once and has another end now."""
        for run in {end.item.stream for end in taken}:
            ends = [end for end in taken if end.item.stream is run]
            kept = {end.settled.key for end in ends if end.settled.kept is not None}
            run.has_rejects = run.has_rejects or bool(kept)
            if run.has_rejects:
                keys = {end.settled.key for end in ends if end.passes and end.settled.is_known}
                kept |= self._journal.rejected_among(run.name, keys)
                for end in ends:
                    if end.passes and end.settled.key in kept:
                        end.settled.is_known = False

    def _stop_if_too_many(self, run: StreamRun) -> None:
        rejected, ended = run.ends[REJECTED], run.ends.total()
        if run.stopped is None and rejected >= FEWEST_REJECTS and 100 * rejected > self._most_rejects * ended:
            most = f"`max_rejects_percent` ({self._most_rejects:g})"
            self.stop(run, f"{rejected} of {ended} records were rejected, more than {most}")

    def stop(self, run: StreamRun, reason: str) -> None:
        """Write no more of a stream."""
        if run.stopped is None:
            run.stopped = f"the stream was stopped: {reason}"
            _log.error("%s: no more of it is written: %s", run.name, reason)


def _wrote(item: Item, outcome: str, *, is_shown: bool, changed: float | None) -> Wrote | None:
    """Return what was sent for a record and has taken effect, or may have; None for nothing."""
    if not item.intents or item.meant is None:
        return None
    took = outcome in (*_WRITTEN, UNKNOWN) or (outcome == REJECTED and is_shown and bool(item.changes or item.made))
    return Wrote(tuple(item.changes), item.meant, item.before, changed) if took else None


def told(run: StreamRun) -> str:
    """Return how the records of a stream ended, in words."""
    order = (CREATED, UPDATED, UNCHANGED, DELETED, SKIPPED, CONFLICT, REJECTED, UNKNOWN)
    return ", ".join(f"{run.ends[end]} {end}" for end in order if run.ends[end]) or "no records"
