"""How one run reads one stream: what changed since the bookmark, all there is, or first the one and then the other.

A complete read gives its rows a new version. Only when it has found all there is, the target is told that what has
older versions is gone. A stream with a bookmark is read completely now and then, beside the bookmark: that is the
reconcile. While one is under way, over several runs if need be, whatever is read for the bookmark has its version, too.

It is long because the three ways share what they conclude, and must conclude it alike.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.config.settings import DAY
from tap_crm.contract.stream import Deletions, Reading
from tap_crm.messages import (
    Abandoned,
    Checkpoint,
    Doubted,
    NewVersion,
    Overtaken,
    Page,
    Progress,
    ReadBegun,
    ToldGone,
    Whole,
)
from tap_crm.reading.changes import RESTLESS
from tap_crm.reading.emptiness import Lists
from tap_crm.shaping.moments import from_epoch
from tap_crm.sync.budget import Budget
from tap_crm.sync.hinting import Hinting
from tap_crm.sync.news import News
from tap_crm.sync.row_count import RowCount, check_gone
from tap_crm.sync.undated import Undated
from tap_crm.sync.unexplained import Doubt, Unexplained

if TYPE_CHECKING:
    from tap_crm.messages import Emit, Item
    from tap_crm.sync.run import Run, RunStream
    from tap_crm.sync.state import StreamState, Unfinished

_log = logging.getLogger("tap-crm")
#: What bounds a complete read whose rows have no version; no stream is called so.
_NO_VERSIONS = "(no versions)"


class _Enough(Exception):  # noqa: N818 - it is no failure
    """The reconcile has used the requests that it may use in one run."""


class StreamRun:
    """What one run does to read a stream; lives in the thread that reads.

    Args:
        run: what it shares with the other streams of the run.
        stream: the stream.
        kept: what the state has of it.

    Attributes:
        lists: what is known of the lists that the stream is read from.
        mode: ``full``, ``incremental``, or ``reconcile`` for the latter with a complete read after it.
        read_from: epoch seconds from which changes were asked for.
    """

    def __init__(self, run: Run, stream: RunStream, kept: StreamState) -> None:
        self._run, self._stream, self._spec = run, stream, stream.spec
        self._kept = kept
        self._behind = kept.tables_behind(stream.name, stream.tables)
        good = kept.going_on if self._is_still_good(kept.going_on) else None
        self._is_overtaken = kept.going_on is not None and good is None
        # What it wrote before it had read anything for good may be gone by now: under its version it would stay.
        self._is_at_its_start = good is not None and not good.first and good.read_to is None
        self._unfinished = None if self._is_at_its_start else good
        self._before = kept.counted
        self.lists = Lists(self._rows_before(), kept.lists, kept.empty_since)
        self._doubt = Doubt(kept.not_shown)
        self._bookmark = stream.starting_bookmark()
        self._told_to = kept.log_heeded_to(self._bookmark)
        self._began = int(self._now())
        self.mode = "full" if self._bookmark is None else "incremental"
        self._hinting = Hinting.of(run, stream, kept, told_to=self._told_to)
        self.read_from: int | None = None

    # What is asked for

    @property
    def _scope(self) -> str | None:
        """What bounds the rows that a complete read writes in its version.

        The setting ``start_date``, which tables it writes, and whether rows have a version at all.
        """
        start, tables = self._run.settings.start_date, self._stream.tables
        bounds = [] if start is None else [from_epoch(start)]
        if not self._run.settings.tells_versions or self._stream.tells_deletions is Deletions.UNTOLD:
            bounds.append(_NO_VERSIONS)
        return " ".join([*bounds, *(() if tables == (self._stream.name,) else tables)]) or None

    def _is_still_good(self, unfinished: Unfinished | None) -> bool:
        """Tell whether a complete read that is not over has the bounds that the next part would have.

        Its first part looked for other rows otherwise: those between the bounds would count as gone.
        """
        return unfinished is not None and unfinished.is_scope_known and unfinished.scope == self._scope

    def read(self, emit: Emit) -> None:
        """Read the stream; in a thread of its own."""
        emit = Undated(self._spec, self._run.transport.clock, self._bookmark).minding(emit)
        emit = self._news().counting(emit)
        emit(ReadBegun(self._began))
        if self._is_overtaken:
            emit(Overtaken())
        if self._hinting is not None:
            self._hinting.begin(emit)
        since = self.read_from = self._since()
        tells = self._stream.tells_deletions
        if tells is Deletions.UNTOLD:
            self._ask_source(self._reading(self._polling(emit), since))
        elif tells is Deletions.BY_ITSELF:
            self._read_remembering(emit)
            self._settle_lists(emit, self.lists.rows)
        elif self._bookmark is None:
            self._read_completely(emit, since, NewVersion(scope=self._scope))
        elif self._unfinished is not None and self._unfinished.first:
            self._read_completely(emit, since, NewVersion(self._unfinished.version))
        else:
            self._read_changes(emit, since)
        self._tell_doubt()
        if self._hinting is not None:  # at last: what they bring is newer than what a list may show
            # What a complete read that goes on has read before, events may be missing of.
            self._hinting.heed(
                self._reading(emit, None), reconciled=self.mode == "reconcile" and self._unfinished is None
            )

    def _news(self) -> News:
        """Return what counts the records that are new, and those that changed."""
        begun = self._kept.going_on
        is_first = not self._kept.was_loaded or (begun is not None and bool(begun.first))
        return News(self._spec, self._stream.ledger, self._bookmark, is_first=is_first)

    def _ask_source(self, reading: Reading) -> Unexplained:
        """Have the source read, and return the verdict on what the CRM counted; raise if it is too bad."""
        verdict = Unexplained(
            self._spec.name,
            reading.ledger,
            self._run.settings.max_unexplained_percent,
            self._doubt,
            self._now,
            everything=reading.since is None,
        )
        self._spec.source.read(replace(reading, emit=verdict.watching(reading.emit)))
        try:
            verdict.settle(reading.emit)
        except errors.Incomplete:
            if reading.concludes:
                reading.emit(Abandoned())
            raise
        return verdict

    def _tell_doubt(self) -> None:
        """Tell in each run of what an earlier one was not shown, until a complete read has shown all."""
        untold = self._doubt.records - self._stream.ledger.unexplained
        if untold > 0:
            self._stream.ledger.add(unexplained=untold)
            since = None if self._doubt.since is None else from_epoch(self._doubt.since)
            self._stream.ledger.note(f"unexplained: {self._doubt.records} records were not shown, since {since}")

    def _since(self) -> int | None:
        stream, settings = self._stream, self._run.settings
        if not stream.is_incremental:
            return None
        if self._bookmark is None:
            return settings.start_date
        if self._behind and stream.tells_deletions is Deletions.UNTOLD:  # nothing is read completely beside it
            self._say_behind()
            return settings.start_date
        lookback = self._spec.lookback(settings) if self._spec.lookback is not None else 0
        # A bookmark from a clock ahead of ours must not hide what changes until then.
        present = min(self._bookmark, int(self._now()))
        since = present - max(settings.overlap_seconds, lookback)
        # What lies before `start_date` a complete read does not find: it would count as gone.
        return since if settings.start_date is None else max(since, min(settings.start_date, present))

    def _now(self) -> float:
        return self._run.transport.clock.now()

    def _reading(self, emit: Emit, since: int | None, *, concludes: bool = False) -> Reading:
        reading = self._stream.reading(emit, since)
        return replace(
            reading,
            bookmark=self._bookmark,
            told_to=self._told_to,
            concludes=concludes,
            in_steps=self._run.limit.is_set,
        )

    def _rows_before(self) -> int | None:
        """Return how many records the last complete read found; None where nothing is known of one."""
        if self._before is not None:
            return self._before.rows
        return None if self._kept.memory is None else self._kept.memory.counted

    # A complete read of a stream without a bookmark, maybe going on where an earlier run was cut off

    def _read_completely(self, emit: Emit, since: int | None, version: NewVersion) -> None:
        incremental = self._stream.is_incremental
        # The bookmark of a run that was cut off may be behind what it counted.
        earlier = None if version.number is None else self._unfinished
        counting = self._row_count(self._spec.replication_key if incremental else None, earlier)
        emit(version)
        emit(self._complete_read_begun())

        def take(item: Item) -> None:
            if isinstance(item, Page):
                counting.count(item)
            elif isinstance(item, Checkpoint) and incremental:
                emit(Progress(item.at, *counting.passed(item.at)))
            emit(item)

        verdict = self._ask_source(self._reading(take, since, concludes=True))
        self._conclude(emit, counting, verdict)

    def _row_count(self, by: str | None, earlier: Unfinished | None) -> RowCount:
        """Return what counts the records of a complete read; one that goes on begins with what was counted."""
        spec, now = self._spec, self._now
        if earlier is None:
            return RowCount(spec.primary_key, by, spec.created, self._before, now=now)
        counts = earlier.rows or 0, earlier.new or 0, earlier.again or 0
        return RowCount(
            spec.primary_key,
            by,
            spec.created,
            self._before,
            now=now,
            after=earlier.read_to,
            began=earlier.started,
            earlier=counts,
        )

    def _conclude(self, emit: Emit, counting: RowCount, verdict: Unexplained) -> None:
        """Say that the stream was read completely, unless something was left out or not shown, or too much is gone."""
        if self._stream.ledger.gaps:
            emit(Abandoned(in_vain=self._stream.ledger.gaps != [RESTLESS]))
            return
        rows, new, again = counting.total()
        self._settle_lists(emit, rows - again)
        gone = self._before.gone(rows, new) if self._before is not None else 0
        self._check_gone(emit, gone)
        if self._is_in_doubt(emit, verdict, gone):
            return
        emit(Whole(rows - again, gone, self._stream.ledger.source_total if self._is_in_one_part else None))

    def _is_in_doubt(self, emit: Emit, verdict: Unexplained, gone: int) -> bool:
        """Tell whether what was not found may be there all the same, by what the CRM counts or counted lately."""
        ledger, now = self._stream.ledger, self._now()
        if verdict.records:
            emit(Doubted(self._doubt.replaced(verdict.records, now)))
            why = (
                f"{verdict.records} records that the CRM counts were never shown: nothing is concluded as deleted, by "
                "this read or by the next one"
            )
        elif gone and self._is_still_counted(verdict, gone):
            why = f"the CRM still counts the {gone} records that were not found: nothing is concluded as deleted"
        elif self._doubt.records:
            why = "all records were shown, unlike before: nothing is concluded from this read either, but from the next"
            emit(Doubted(self._doubt.replaced(0, now)))
            ledger.note(why)
            emit(Abandoned())
            return True
        else:
            emit(Doubted(None))
            return False
        ledger.note(why)
        _log.warning("%s: %s", self._spec.name, why)
        emit(Abandoned(in_vain=True))
        return True

    def _is_still_counted(self, verdict: Unexplained, gone: int) -> bool:
        """Tell whether the CRM counted what was not found when the read began; known where that was in one part."""
        total = self._stream.ledger.source_total
        return total is not None and self._is_in_one_part and total - verdict.shown >= gone

    @property
    def _is_in_one_part(self) -> bool:
        """Whether a complete read began in this run, or found nothing before it."""
        return self._unfinished is None or not self._unfinished.rows

    def _settle_lists(self, emit: Emit, rows: int) -> None:
        """Keep what is known of the lists; raise if one is empty that was not, and that is not believed yet."""
        try:
            emit(self.lists.settle(self._spec.name, rows, self._now))
        except errors.Emptied as emptied:
            emit(self.lists.doubted(emptied.empty_since))
            emit(Abandoned())
            raise

    def _check_gone(self, emit: Emit, gone: int) -> None:
        """Raise if so many rows are gone that the reason may be another one than their deletion."""
        try:
            check_gone(self._spec.name, self._before, gone, self._run.settings.max_deletions_percent)
        except errors.TooManyGone:
            emit(Abandoned())
            raise

    def _complete_read_begun(self) -> ReadBegun:
        """Return since when rows may have been written under the version that is being written."""
        started = None if self._unfinished is None else self._unfinished.started
        return ReadBegun(self._began if started is None else started, complete=True)

    # What the source remembers, and compares by itself

    def _read_remembering(self, emit: Emit) -> None:
        """Let the source find what changed; now and then, let it write all the same.

        A run that was stopped may have written rows of which no state came back. If these are gone by the next run,
        the source cannot miss them: only a new version takes them out of the target.
        """
        memory = self._kept.memory
        reason = None if memory is None or memory.is_empty else self._reason_to_reconcile()
        if reason is not None:
            self._stream.ledger.note(f"reconcile: all rows are written anew: {reason}")

        def take(item: Item) -> None:
            emit(item)
            if isinstance(item, NewVersion):
                emit(ReadBegun(self._began, complete=True))

        self._ask_source(replace(self._reading(take, None), rewrites=reason is not None))

    # What changed since the bookmark, and beside it a complete read when that is due

    def _read_changes(self, emit: Emit, since: int | None) -> None:
        reason = self._reason_to_reconcile()
        if reason is not None and not self._budget.has_some():
            self._stream.ledger.note(f"reconcile: due, but `reconcile_max_requests` is used up ({reason})")
            reason = None
        if reason is not None or self._unfinished is not None:
            emit(NewVersion(None if self._unfinished is None else self._unfinished.version, self._scope))
        self._ask_source(self._reading(self._minding_told(self._polling(emit)), since))
        if reason is None:
            return
        self.mode = "reconcile"
        self._stream.ledger.note(f"reconcile: {reason}")
        _log.info("%s: complete read to find deletions, beside the bookmark: %s", self._spec.name, reason)
        try:
            self._reconcile(emit)
        except _Enough:
            text = "reconcile: goes on in the next run, `reconcile_max_requests` is used up"
            self._stream.ledger.note(text)
            _log.info("%s: %s", self._spec.name, text)

    def _polling(self, emit: Emit) -> Emit:
        """Return an emit that holds what the poll finds against what events told."""
        return emit if self._hinting is None else self._hinting.watching(emit)

    def _minding_told(self, emit: Emit) -> Emit:
        """Return an emit that minds which rows need not be found any more, since the CRM told of their deletion."""

        def mind(item: Item) -> None:
            if isinstance(item, ToldGone) and self._before is not None:
                self._before = self._before.without(item.created)
            emit(item)

        return mind

    def _reason_to_reconcile(self) -> str | None:
        """Return why a complete read is due now, None if it is not."""
        if self._behind:
            return self._say_behind()
        wish = self._run.settings.reconcile
        if wish == "false":
            return None
        if (why := self._said_of_an_earlier_one()) is not None:
            return why
        if self._hinting is not None and (why := self._hinting.reason_to_reconcile()):
            return why
        return "`reconcile` is true" if wish == "true" else self._why_it_is_time()

    def _said_of_an_earlier_one(self) -> str | None:
        """Return what becomes of a complete read that was cut off; None if there is none."""
        if self._unfinished is not None:
            return "an earlier one was cut off, and goes on"
        if self._is_at_its_start:
            return "an earlier one was cut off before its first checkpoint, and begins anew"
        if self._is_overtaken:
            bounds = "`start_date`, child tables, versions"
            return f"an earlier one was cut off, and begins anew, since it had other bounds ({bounds})"
        return None

    def _say_behind(self) -> str:
        """Return why everything is read though there is a bookmark, and note it."""
        text = f"{', '.join(self._behind)} did not take part in the last run, and is caught up"
        self._stream.ledger.note(text)
        _log.info("%s: everything is read: %s", self._spec.name, text)
        return text

    @property
    def _budget(self) -> Budget:
        """What a complete read may use; as much as it needs where a table lacks rows without it."""
        return Budget(None) if self._behind else self._run.budget

    def _why_it_is_time(self) -> str | None:
        since = [at for at in (self._kept.reconciled_at, self._kept.untold_since) if at is not None]
        days = (self._now() - max(since, default=self._now())) / DAY
        if days >= self._run.settings.reconcile_days:
            return f"none for {days:.1f} days"
        if self._doubt.awaits_proof:
            return "the last one was shown all records for the first time again, and nothing was concluded"
        told_for = self._spec.told_for
        if told_for is not None and self._told_to is not None and self._now() - self._told_to > told_for:
            what = "the last run was" if self._told_to == self._bookmark else "its log was last readable"
            return f"{what} longer ago than the CRM tells of deletions ({told_for // DAY} days)"
        return None

    def _reconcile(self, emit: Emit) -> None:
        settings, ledger, budget = self._run.settings, self._stream.ledger, self._budget
        emit(self._complete_read_begun())
        # `start_date` is of the replication key: what changed since then may have been created before.
        by = self._spec.reconciled_by if settings.start_date is None else None
        read_to = None if self._unfinished is None else self._unfinished.read_to
        counting = self._row_count(by or self._spec.replication_key, self._unfinished)
        before = ledger.requests
        ledger.source_total = None

        def take(item: Item) -> None:
            nonlocal before
            if isinstance(item, Page):
                if not budget.has_some() and ledger.requests > before:
                    raise _Enough  # not before there is more: a read that is at its end ends
                counting.count(item)
                self._check_total(emit, read_to)
                emit(item)
            elif isinstance(item, Checkpoint):
                emit(Progress(item.at, *counting.passed(item.at)))
                budget.use(ledger.requests - before)
                before = ledger.requests
            elif isinstance(item, Doubted):
                emit(item)

        since = settings.start_date if read_to is None else read_to - settings.overlap_seconds
        found = take if self._hinting is None else self._hinting.minding(take)
        reading = replace(self._stream.reading(found, since), concludes=True, by=by)
        if not budget.is_unlimited:
            reading = replace(reading, lanes=1, in_steps=True)
        self._conclude(emit, counting, self._ask_source(reading))

    def _check_total(self, emit: Emit, read_to: int | None) -> None:
        """Raise as soon as the CRM's own count says that too much is gone; it may always have been too low."""
        total, earlier = self._stream.ledger.source_total, self._kept.total or 0
        if read_to is None and total is not None and self._before is not None:
            self._check_gone(emit, min(self._before.rows, earlier) - total)
