"""What one run does with the events of one stream: it reads the records that they tell of again, after the poll.

Events make rows fresh, never right: the bookmark, the count of rows and what counts as deleted by a complete read come
from the poll and the reconcile alone, and would be the same without any event.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_crm.config.settings import DAY
from tap_crm.messages import HintsKept, Page, Told
from tap_crm.shaping.moments import from_epoch
from tap_crm.sync.hints import is_looked_up
from tap_crm.sync.look_up import LookUp
from tap_crm.sync.missed import Missed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_crm.contract.hints import Key
    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Emit, Item
    from tap_crm.sync.hints import Hints, StreamHints
    from tap_crm.sync.run import Run, RunStream
    from tap_crm.sync.state import StreamState

_log = logging.getLogger("tap-crm")

#: Hints are worth so much of what a complete read of the stream costs; but so many requests in any case.
SHARE, FEWEST_REQUESTS = 0.2, 20
#: So many requests are made for records before it is said up to where events were heeded.
REQUESTS_AT_ONCE = 4
#: A record that is said to be deleted is asked for so often.
ATTEMPTS_AT_A_DELETION = 2
#: So many keys of one sort the state keeps at most.
MOST_KEPT = 500
#: Seconds for which the CRM is asked again for a record that it neither shows nor denies.
LONGEST_DOUBT = DAY


class Hinting:
    """The events of one stream in one run; lives in the thread that reads.

    Args:
        hints: of the run.
        told: what they say of the stream.
        run: what it shares with the other streams.
        stream: the stream.
        kept: what the state has of it.
        told_to: epoch seconds up to which earlier runs heeded the CRM's own log of changes.
    """

    def __init__(  # noqa: PLR0913 - what a run knows of a stream, handed over once
        self, hints: Hints, told: StreamHints, run: Run, stream: RunStream, kept: StreamState, *, told_to: int | None
    ) -> None:
        self._hints, self._told, self._run, self._stream = hints, told, run, stream
        # The place of another inbox goes; what is still to be asked for stays.
        before = HintsKept(told.after) if kept.hints is None else kept.hints
        place = told.after if before.is_of_other(hints.identity) else before.place
        self._kept = replace(before, place=place, inbox=hints.identity)
        self._said = self._kept
        self._by_id = stream.spec.by_id if is_looked_up(stream) else None
        self._bookmark = stream.starting_bookmark()
        self._told_to, self._told_now = told_to, told_to
        # Before the first place was kept, nobody listened: what changed then was not missed.
        # Where as many are kept as can be, more were told of: what they are, nobody knows any more.
        self._compares = (
            self._by_id is not None
            and self._bookmark is not None
            and kept.hints is not None
            and len(kept.hints.told) < MOST_KEPT
        )
        self._is_storm = self._by_id is not None and self._is_more_than_it_is_worth(kept.rows or kept.total or 0)
        self._now = int(run.transport.clock.now())
        self._due_since = self._first_gap()
        known = {*told.keys, *self._kept.again, *self._kept.told}
        self._missed = Missed(stream.spec, known, set(self._kept.gone), self._bookmark or 0, self._when_told)
        stream.ledger.hints, stream.ledger.hinted_rows = len(told.keys), 0

    @classmethod
    def of(cls, run: Run, stream: RunStream, kept: StreamState, *, told_to: int | None) -> Hinting | None:
        """Return what a run does with the events of a stream; None where there are none, or no inbox."""
        told = None if run.hints is None else run.hints.of(stream.name)
        return None if run.hints is None or told is None else cls(run.hints, told, run, stream, kept, told_to=told_to)

    def _when_told(self) -> float:
        return self._run.transport.clock.now() - self._hints.delay

    def _is_more_than_it_is_worth(self, rows: int) -> bool:
        """Tell whether the hints cost more than a good part of a complete read: then the poll alone is better."""
        by_id = self._stream.spec.by_id
        assert by_id is not None  # noqa: S101 - asked of such streams only
        said_gone = len(self._kept.said_gone.keys() & self._kept.again.keys())
        deletions = sum(place > 0 for place in self._told.keys.values())
        others = len(self._told.keys) - deletions + len(self._kept.again) - said_gone
        deletions += said_gone
        cost = math.ceil(others / (by_id.at_once if by_id.some is not None else 1))
        cost += ATTEMPTS_AT_A_DELETION * deletions
        return self._told.is_cut or cost > max(FEWEST_REQUESTS, SHARE * math.ceil(rows / by_id.page_size))

    def _first_gap(self) -> int | None:
        """Return since when deletions may be untold that only a complete read, or the CRM's own log, would find."""
        # Of what is still asked for, nobody knows any more whether it was said to be deleted.
        is_dropped = self._is_storm and bool(self._told.is_cut or any(self._told.keys.values()) or self._kept.again)
        gaps = [self._kept.gap, self._told.gap, self._now if self._told.is_torn or is_dropped else None]
        return min((one for one in gaps if one is not None), default=None)

    # Beside the poll

    def begin(self, emit: Emit) -> None:
        """Keep the place of a full read as it begins: what events tell from then on, it may not show."""
        if self._by_id is not None and self._bookmark is None:
            emit(HintsKept(self._told.newest, inbox=self._hints.identity))

    def watching(self, emit: Emit) -> Emit:
        """Return an emit that holds what the poll finds against what events told."""
        if self._by_id is None or self._bookmark is None:
            return emit

        def watch(item: Item) -> None:
            if isinstance(item, Told):
                self._told_now = item.at
            emit(item)

        return self._missed.watching(watch)

    def minding(self, emit: Emit) -> Emit:
        """Return an emit that minds what a complete read shows though it was found deleted: the index may be late."""
        if self._by_id is None or self._bookmark is None or not self._kept.gone:
            return emit

        def mind(item: Item) -> None:
            if isinstance(item, Page):
                self._missed.note_shown(item)
            emit(item)

        return mind

    @property
    def _has_log(self) -> bool:
        """Whether a log of the CRM's own tells what events may not have told."""
        return self._stream.spec.told_for is not None and self._told_to is not None

    def reason_to_reconcile(self) -> str | None:
        """Return why a complete read is due at once; None if it is not."""
        if self._due_since is None or (self._has_log and self._told_to == self._bookmark):
            return None  # the log was readable, and is read by this run, too
        return f"events may be missing, or were too many to ask for each, since {from_epoch(self._due_since)}"

    # After it

    def heed(self, reading: Reading, *, reconciled: bool) -> None:
        """Read the records that events told of, and say up to where events were heeded.

        Args:
            reading: of the stream, for rows beside the poll.
            reconciled: a complete read has begun in this run.
        """
        if self._by_id is None or self._bookmark is None:
            reading.emit(replace(self._kept, place=self._told.newest))
            return
        ledger = reading.ledger
        if self._compares and not self._told.is_cut:
            ledger.missed_by_events = self._missed.missed
        is_logged = self._has_log and (self._told_now or 0) > (self._told_to or 0)
        is_settled = reconciled or is_logged or self._run.settings.reconcile == "false"
        gap = None if is_settled else self._due_since
        if self._is_storm:
            text = f"{len(self._told.keys)} records or more are told of: more than it pays to read one by one; polled"
            ledger.note(f"events: {text}")
            _log.info("%s: %s", self._stream.name, text)
            reading.emit(self._left_of({}, (), gap))
            return
        looked = LookUp(replace(reading, emit=self._noting(reading.emit)), self._by_id, self._hints.body)
        wanted = self._wanted()
        unread = list(wanted.items())
        while True:  # some at a time: what a run that ends by itself has not read is left to the next one
            some = self._next_of(unread)
            looked.read(dict(some))
            del unread[: len(some)]
            begun = {self._told.firsts.get(key) for key, _ in some[-1:]}
            self._said = self._left(looked, wanted, [key for key, _ in unread], begun, gap)
            reading.emit(self._said)
            if not unread or looked.gave_up:
                break
        self._note_in_vain(looked)
        looked.conclude()

    def _wanted(self) -> dict[Key, int]:
        """Return the keys of what is read, each with the place of the event that says it is deleted."""
        # What was found deleted, and is shown or told of all the same, is asked for like a deletion: the index is late,
        # or the event. So is what was said to be deleted, and was not answered clearly.
        gone = {key for key in self._kept.gone if key in self._told.keys} | self._missed.shown_again
        again = self._kept.again
        # Those that were asked for in vain come last: one that is never answered keeps nobody waiting.
        known = dict.fromkeys((*self._told.keys, *(gone - again.keys()), *again), 0) | self._told.keys
        known |= {key: known[key] or place for key, place in self._kept.said_gone.items() if key in again}
        known |= {key: known[key] or self._told.newest for key in gone}
        return {key: place for key, place in known.items() if key not in self._missed.told_gone}

    def _noting(self, emit: Emit) -> Callable[[Item], None]:
        def note(item: Item) -> None:
            if isinstance(item, Page):
                self._missed.note(item, is_poll=False)
            emit(item)

        return note

    def _told_early(self) -> tuple[Key, ...]:
        return tuple(self._missed.told_early()[:MOST_KEPT])

    def _next_of(self, unread: Sequence[tuple[Key, int]]) -> Sequence[tuple[Key, int]]:
        """Return the next records that are read before it is said up to where events were heeded."""
        assert self._by_id is not None  # noqa: S101 - asked of such streams only
        at_once = self._by_id.at_once if self._by_id.some is not None else 1
        cost = 0.0
        for at, (_, place) in enumerate(unread, 1):
            cost += ATTEMPTS_AT_A_DELETION if place else 1 / at_once
            if cost >= REQUESTS_AT_ONCE:
                return unread[:at]
        return unread

    def _note_in_vain(self, looked: LookUp) -> None:
        in_vain = sum(self._now - self._asked_since(key) >= LONGEST_DOUBT for key in looked.again)
        if in_vain:
            self._stream.ledger.note(f"events: {in_vain} records are not asked for any more; the reconcile tells")

    def _asked_since(self, key: Key) -> int:
        return self._kept.again.get(key, self._now)

    def _left(
        self, looked: LookUp, wanted: Mapping[Key, int], unread: Sequence[Key], begun: set[int | None], gap: int | None
    ) -> HintsKept:
        """Return what the state keeps after a look.

        Args:
            looked: the look.
            wanted: the records of the whole look, each with the place of the event that calls it deleted.
            unread: those that were not looked at yet: those of which this run's events told come first.
            begun: the place of the event of which some records were looked at, and maybe not all.
            gap: since when events may be missing.
        """
        again = {key: at for key in looked.again if self._now - (at := self._asked_since(key)) < LONGEST_DOUBT}
        # What an index shows may be deleted all the same, as long as it may be late.
        shown = {key: self._asked_since(key) for key in looked.elsewhere}
        again |= {key: at for key, at in shown.items() if self._now - at < self._longest_lag}
        firsts = self._told.firsts
        again |= {key: self._asked_since(key) for key in unread if key not in firsts or firsts[key] in begun}
        if len(again) > MOST_KEPT:  # too many to be kept: their events come again
            return replace(self._said, gap=gap)
        newest = self._told.newest
        said_gone = {key: wanted.get(key) or newest for key in again if wanted.get(key) or key in looked.denied}
        place = next((firsts[key] - 1 for key in unread if key in firsts and key not in again), newest)
        return replace(self._left_of(again, looked.gone, gap), place=place, said_gone=said_gone)

    def _left_of(self, again: dict[Key, int], gone: Sequence[Key], gap: int | None) -> HintsKept:
        return HintsKept(
            self._told.newest,
            again=again,
            told=self._told_early(),
            gone=self._gone(gone),
            gap=gap,
            inbox=self._hints.identity,
        )

    @property
    def _longest_lag(self) -> int:
        """Seconds for which an index, or an event, may be late."""
        return max(self._run.settings.overlap_seconds, self._hints.delay)

    def _gone(self, found: Sequence[Key]) -> dict[Key, int]:
        """Return what was found deleted of late, as long as the next polls or a late event may bring it up again."""
        if self._by_id is None or self._by_id.last_content is not None:  # the CRM's own log tells it again
            return {}
        since = self._now - self._longest_lag
        known = {key: at for key, at in self._kept.gone.items() if at >= since} | dict.fromkeys(found, self._now)
        return dict(list(known.items())[-MOST_KEPT:])
