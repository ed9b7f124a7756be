"""What became of a run, stream by stream: what people are shown at its end, whatever the end was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tap_crm.config.settings import DAY
from tap_crm.contract.stream import Deletions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.sync.run import AuditedStream, Run, RunStream
    from tap_crm.sync.state import StreamState

COMPLETE, NOT_COMPLETE, UNFINISHED, STOPPED = "complete", "not complete", "goes on in the next run", "stopped"
NOT_READ = "not read"
#: What is said of the next reconcile by the setting of that name, and else.
_WISHES = {"false": "never (`reconcile` is false)", "true": "in each run (`reconcile` is true)"}
GOES_ON, IN_THE_NEXT = "goes on in the next run", "in the next run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one stream.

    Attributes:
        stream: its name.
        rows: records that were written.
        new: so many of them were created since the last run; None where the tap cannot know.
        changed: so many others were changed since then, likewise.
        deleted: rows that were found to be gone.
        requests: so many were sent for it.
        waited: seconds, for the rate limit and between attempts.
        word: in a word.
        why: what kept it from being complete.
    """

    stream: str
    rows: int
    new: int | None
    changed: int | None
    deleted: int
    requests: int
    waited: float
    word: str
    why: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether everything was read and written."""
        return self.word == COMPLETE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run.

    Attributes:
        crm: its name for people.
        outcomes: of each stream that was to be read.
        seconds: that the run took.
        limit_used: the share of the rate limit; None without one.
        reconcile: what is to be said of the next complete read that finds deletions; None where none is needed.
    """

    crm: str
    outcomes: Sequence[Outcome]
    seconds: float
    limit_used: float | None
    reconcile: str | None

    @property
    def is_complete(self) -> bool:
        """Whether every stream is."""
        return all(one.is_complete for one in self.outcomes)

    def total(self) -> Outcome:
        """Return the sums of all streams."""
        every = self.outcomes
        new = [one.new for one in every if one.new is not None]
        changed = [one.changed for one in every if one.changed is not None]
        return Outcome(
            "total",
            sum(one.rows for one in every),
            sum(new) if new else None,
            sum(changed) if changed else None,
            sum(one.deleted for one in every),
            sum(one.requests for one in every),
            sum(one.waited for one in every),
            f"{sum(one.is_complete for one in every)} of {len(every)} complete",
        )


def verdict_of(run: Run, selected: Sequence[AuditedStream], seconds: float, reconcile: str | None) -> Verdict:
    """Return what became of a run.

    Args:
        run: the run, which is over.
        selected: the streams that it was to read.
        seconds: that it took.
        reconcile: what is to be said of the next complete read.
    """
    begun = {stream.name for stream in run.begun}
    wanted = [stream for stream in selected if stream.name not in run.left_out]
    outcomes = [_outcome(run, stream, is_begun=stream.name in begun) for stream in wanted]
    return Verdict(run.provider.title, outcomes, seconds, run.limit_used(), reconcile)


def _outcome(run: Run, stream: AuditedStream, *, is_begun: bool) -> Outcome:
    ledger = stream.ledger
    why = run.failures.get(stream.name)
    if stream.complete:
        word = COMPLETE
    elif why is not None:
        word = NOT_COMPLETE
    elif stream.name in run.unfinished:
        word = UNFINISHED
    else:
        word = STOPPED if is_begun else NOT_READ
    new, changed = (ledger.new, ledger.changed) if ledger.tells_news else (None, None)
    if ledger.is_first:
        new, changed = ledger.records, 0
    return Outcome(
        stream.name,
        ledger.records,
        new,
        changed,
        ledger.deletions,
        ledger.requests,
        ledger.waited,
        word,
        None if stream.complete else why,
    )


def next_reconcile(run: Run, selected: Sequence[RunStream], kept: Mapping[str, StreamState]) -> str | None:
    """Return what is to be said of the next complete read that finds deletions; None where each run finds them.

    Args:
        run: the run.
        selected: the streams that it was to read.
        kept: what the state has of each stream.
    """
    asking = [stream for stream in selected if stream.tells_deletions is Deletions.RECONCILED]
    if not asking:
        return None
    if (always := _WISHES.get(run.settings.reconcile)) is not None:
        return always
    states = [kept[stream.name] for stream in asking if stream.name in kept]
    if any(state.going_on is not None and not state.going_on.first for state in states):
        return GOES_ON
    known = [[at for at in (state.reconciled_at, state.untold_since) if at is not None] for state in states]
    since = [max(times) for times in known if times]
    due = min(since) + run.settings.reconcile_days * DAY if since else None
    return None if due is None else _when(due, run.transport.clock.now())


def _when(due: float, now: float) -> str:
    return IN_THE_NEXT if due <= now else f"{datetime.fromtimestamp(due, UTC):%Y-%m-%d %H:%M} UTC"
