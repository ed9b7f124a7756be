"""Reads by keyset what changed since the last run: what is past in closed spans, then, once, what is later."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Checkpoint
from tap_crm.reading.answer import Expired, Unordered
from tap_crm.reading.changes import BEHIND_THE_CLOCK, RESTLESS, UNBOUNDED, capped
from tap_crm.reading.keyset import KeysetReader
from tap_crm.reading.listing import Bound, BoundExclusive, BoundIgnored
from tap_crm.reading.newest import NewestReader
from tap_crm.reading.offset import OffsetReader
from tap_crm.reading.pages_backwards import BackwardReader
from tap_crm.reading.questions import ATTEMPTS, Questions
from tap_crm.reading.reach import Reach
from tap_crm.reading.timeless import TimelessReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Item, Row
    from tap_crm.reading.answer import Answer, Continuation, KeysetListing
    from tap_crm.reading.offset import OffsetListing
    from tap_crm.reading.pages_backwards import PagedListing

_log = logging.getLogger("tap-crm.reading")

#: How much of a list that comes newest first is read between two checkpoints, where these should come often.
PAGES_OF_A_STEP = 5
#: The same where the bookmark just should not wait for a very long read to end, and from how many pages on.
PAGES_OF_A_LONG_STEP, LONGEST_STEP = 80, 100
#: Seconds of such a step, at first and at least; the first one begins here, and has all that is older.
FIRST_STEP, SHORTEST_STEP = 30 * 86_400, 3_600
EARLIEST = 1_262_304_000


@dataclass(frozen=True, slots=True)
class KeysetChanges:
    """Reads a listing by its change time.

    Attributes:
        listing: what is read.
        by: the name of the change time, in ``listing.times``, by which the listing can be bounded.
        along: the time that the listing is ordered by; often the same.
        splits: further times by which the listing can be bounded and ordered: a second of many records is split by
            them, and where the filter on the change time does not work, the listing is read along the first of them.
        lanes: how many spans are walked at once.
        confirm_empty: tells whether to ask twice before an empty first answer is believed that comes without a count.
        checkpoints: whether the bookmark may move before the end.
        whole: the same listing without bounds and order, to fall back on; None where there is none.
        pages: the same listing by page number, without bounds, to fall back on; None where it has no such pages.
        wider: the same listing, which asks for a second more at both ends of its bounds, for a CRM that turns out to
            leave these out; None where bounds are known to be inclusive.
        concludes: what is not found counts as gone. So what changes while it is read is followed up to a question that
            nothing is behind; where that cannot be had, the ledger says so.
        index_lag: seconds after which a change shows in the listing, at most: so far back what changed while it was
            read is looked at once more.
        steps: checkpoints should come often, also where the list comes newest first.
    """

    listing: KeysetListing
    by: str
    along: str
    emit: Emit
    ledger: Ledger
    splits: tuple[str, ...] = ()
    lanes: int = 1
    confirm_empty: Callable[[], bool] = lambda: True
    checkpoints: bool = True
    whole: OffsetListing | None = None
    pages: PagedListing | None = None
    wider: KeysetListing | None = None
    concludes: bool = False
    index_lag: int = BEHIND_THE_CLOCK
    steps: bool = False

    def read(self, since: int | None) -> int:
        """Emit every record whose change time is ``since`` or later (all if None).

        Returns the epoch second up to which everything is read; saying so with a checkpoint is left to the caller.

        Raises:
            ReadError: some part could not be read; checkpoints emitted so far hold.
        """
        try:
            opening = self._open(since)
            past = int(opening.server_time) - BEHIND_THE_CLOCK
            if not self._is_nothing(opening):
                if since is None:
                    self._read_everything(past, opening)
                else:
                    self._read_since(since, past, opening)
        except (BoundIgnored, Unordered) as cause:
            past = self._read_otherwise(since, cause)
        except BoundExclusive:
            if self.wider is None:
                raise
            self.ledger.note(f"bounds of {self.by} leave out the seconds that they name; asked with a second more")
            past = replace(self, listing=self.wider, wider=None).read(since)
        return past

    def _open(self, since: int | None) -> Answer:
        outer = self._bound(since, None)
        try:
            opening = self._ask(outer)
            # On a first run a count of nothing is doubted too: believing it wrongly would lose everything.
            doubts = ATTEMPTS - 1 if since is None else int(opening.total is None and self.confirm_empty())
            while doubts and not opening.rows and not opening.total:
                opening = self._ask(outer)
                doubts -= 1
            if not opening.rows and opening.after is not None and opening.total is None and not self.listing.tells_end:
                opening = self._beyond(outer, opening)
        except errors.Refused as refusal:
            raise BoundIgnored(self.by, refusal) from refusal
        self.ledger.source_total = opening.total
        return opening

    def _beyond(self, outer: tuple[Bound, ...], empty: Answer) -> Answer:
        """Return a first page without rows as the last one, if the next page has none either."""
        following = self._ask(outer, empty.after)
        return empty if following.rows else replace(empty, after=None)

    def _ask(self, outer: tuple[Bound, ...], after: Continuation | None = None) -> Answer:
        self.ledger.add(pages=1)
        return self.listing.ask(outer, self.listing.orders(self.along)[0], after)

    def _is_nothing(self, opening: Answer) -> bool:
        return not (opening.rows or opening.after is not None or opening.total)

    def _is_all(self, opening: Answer) -> bool:
        """Tell whether a first answer is the only one."""
        return opening.after is None and len(opening.rows) < opening.size

    def _read_from(self, since: int | None, past: int, opening: Answer) -> None:
        """Read on from the first answer, which is all in most runs."""
        present, tells = past + BEHIND_THE_CLOCK, self.checkpoints
        if self.along != self.by:
            # Nothing moves along the other time, and edits take nothing out of what has no upper bound.
            if self.concludes or self._is_all(opening) or not self.listing.knows_until:
                self._walk(present, None, None, opening, outer=self._bound(since, None))
                return
            # Edits take records out of what is past, and nothing comes in.
            self._walk(present, None, None, opening, outer=self._bound(since, past))
            self._walk(present, None, None, outer=self._bound(past + 1, None), lanes=1)
        elif not self.listing.ascending and opening.after is not None and self._needs_steps(opening):
            self._read_in_steps(since, past, opening)
        elif not self.listing.ascending or self._is_all(opening):
            self._walk(present, since, None, opening, checkpoints=tells)
        elif not self.listing.knows_until:
            self._walk(present, since, None, opening, checkpoints=tells, lanes=1)
        else:
            if since is None or since <= past:
                self._walk(present, since, past, opening, checkpoints=tells)
            self._read_present(past + 1)

    def _read_everything(self, past: int, opening: Answer) -> None:
        """Read from the beginning on, and what questions by times cannot show: records without the time.

        These are sought where the CRM counts more than came, or has shown some. A count alone proves nothing, since it
        may be too high; where some of them come, the others count, too.
        """
        index = self.listing.times.index(self.by)
        reader = TimelessReader(self.listing, self.by, self.emit, self.ledger)

        def noting(item: Item) -> None:
            reader.note(item)
            self.emit(item)

        reach = Reach(index, noting)
        missing = self._missing_of(reach, None, past, opening)
        shown = opening.total is None and any(row.times[index] is None for row in opening.rows)
        if missing > 0 or shown:
            reader.read()
        if missing > 0:
            self._check_reach(reach, reader.ends, None, past)
        reach.release()
        if reader.found:
            self.ledger.note(f"records without {self.by}: {reader.found}")
            self.ledger.add(unexplained=max(0, missing - reader.found))

    def _read_since(self, since: int, past: int, opening: Answer) -> None:
        """Read what changed since then; where the CRM counts more than came, both ends of the list show why."""
        reach = Reach(self.listing.times.index(self.by), self.emit)
        if self._missing_of(reach, since, past, opening) > 0:
            ends = []
            for order in self.listing.orders(self.by)[:2]:
                self.ledger.add(pages=1)
                with suppress(errors.Refused, Expired):
                    ends.append(self.listing.ask(self._bound(since, None), order, None))
            self._check_reach(reach, ends, since, past)
        reach.release()

    def _missing_of(self, reach: Reach, since: int | None, past: int, opening: Answer) -> int:
        """Read on from the first answer; return how many more records it counts than came."""
        before = self.ledger.distinct + self.ledger.unexplained
        try:
            replace(self, emit=reach.watch)._read_from(since, past, opening)  # noqa: SLF001 - it is of the same kind
        except (BoundExclusive, BoundIgnored, Unordered):
            raise
        except BaseException:  # what was walked to its end before stays so
            with suppress(errors.Cancelled):
                reach.release()
            raise
        return (opening.total or 0) - (self.ledger.distinct + self.ledger.unexplained - before)

    def _check_reach(self, reach: Reach, ends: Sequence[Answer], since: int | None, past: int) -> None:
        """Raise :class:`Unordered` where records were passed by."""
        if reach.is_short(ends, since, past - self.index_lag):
            raise Unordered

    # What comes newest first

    def _needs_steps(self, opening: Answer) -> bool:
        """Tell whether the bookmark should move before all is read: it follows the oldest record, which comes last."""
        if self.steps:
            return True
        return self.checkpoints and (opening.total or 0) > LONGEST_STEP * opening.size

    def _read_in_steps(self, since: int | None, past: int, opening: Answer) -> None:
        """Read a list that comes newest first from its oldest records on, so that it can be cut off at any time."""
        pages = PAGES_OF_A_STEP if self.steps else PAGES_OF_A_LONG_STEP
        present, lanes = past + BEHIND_THE_CLOCK, 1 if self.steps else None
        low, left = since, -(-(opening.total or 0) // opening.size)
        while left > pages * 2 and isinstance(opening.after, int):
            cut = self._cut(low, past, (left - pages) * opening.size)
            if cut is None or not self.listing.knows_until:
                break
            step = self._ask((Bound(self.by, low, cut),))
            self._walk(present, low, cut, step, lanes=lanes)
            self.emit(Checkpoint(min(cut, past)))
            low, left = cut + 1, left - pages
        if opening.total is None:
            low = self._read_by_width(low, past)
        self._walk(present, low, None, lanes=lanes)

    def _cut(self, low: int | None, past: int, position: int) -> int | None:
        """Return a second that the record at a position has, or None where that is no place to cut."""
        try:
            answer = self._ask(self._bound(low, past), position)
        except errors.Refused:
            return None
        index = self.listing.times.index(self.by)
        times = [at for row in answer.rows if (at := row.times[index]) is not None]
        return times[0] if times and (low is None or times[0] > low) and times[0] < past else None

    def _read_by_width(self, low: int | None, past: int) -> int | None:
        """Read steps of some time, where no count tells how much there is; return where the last one ends."""
        begin, width = EARLIEST if low is None else low, FIRST_STEP
        while begin <= past:
            high = min(past, begin + width - 1)
            before = self.ledger.pages
            self._walk(past + BEHIND_THE_CLOCK, low, high, lanes=1)
            self.emit(Checkpoint(high))
            low = begin = high + 1
            pages = self.ledger.pages - before
            if pages < PAGES_OF_A_STEP:
                width *= 2
            elif pages > LONGEST_STEP:
                width = max(SHORTEST_STEP, width // 2)
        return low

    def _bound(self, low: int | None, high: int | None) -> tuple[Bound, ...]:
        return (Bound(self.by, low, high),) if low is not None or high is not None else ()

    # What changes while it is read

    def _read_present(self, low: int) -> None:
        """Read what changed since the reading began, up to now: what changes later is left to the next run.

        If what is not found counts as gone, what changes meanwhile is followed to its end. There one answer has all
        that is at or behind its first record, and what is before it was read where it stands.
        """
        if self.concludes:
            low -= self.index_lag - BEHIND_THE_CLOCK
        opening = self._ask((Bound(self.by, low),))
        now = max(low, int(opening.server_time))
        if self._is_nothing(opening):
            return
        if self._is_all(opening):
            self._walk(now, low, None, opening, lanes=1)
            return
        self._walk(now, low, self._end_of_present(now, opening), opening, lanes=1)
        if self.concludes:
            self._walk(now, max(low, now - self.index_lag), None, lanes=1, follows=True)

    def _end_of_present(self, now: int, opening: Answer) -> int | None:
        """Return up to which second the present is read; None for all that there is.

        A record from after the present shows that this machine's clock is behind: there is no telling where to end.
        """
        index = self.listing.times.index(self.by)
        newest = max((at for row in opening.rows if (at := row.times[index]) is not None), default=now)
        return None if newest > now else now

    def _walk(  # noqa: PLR0913 - a question, and how it is walked
        self,
        present: int,
        low: int | None,
        high: int | None,
        opening: Answer | None = None,
        *,
        outer: tuple[Bound, ...] = (),
        lanes: int | None = None,
        checkpoints: bool = False,
        follows: bool = False,
    ) -> None:
        """Walk along the time of the listing; ``present`` is the server's second when that begins."""
        emit = capped(self.emit, present - BEHIND_THE_CLOCK) if checkpoints else self.emit
        questions = Questions(self.listing, self.along, emit, self.ledger, outer, self.splits, present=present)
        questions.may_exclude = self.wider is not None
        reader = KeysetReader(questions, lanes=lanes or self.lanes, checkpoints=checkpoints, follows=follows)
        reader.read(low, high, opening)
        if reader.is_restless and self.concludes:
            self.ledger.gap(RESTLESS)

    # Where the filter or the order does not work

    def _read_otherwise(self, since: int | None, cause: BoundIgnored | Unordered) -> int:
        """Read without the filter on the change time, and leave unchanged records out; returns as :meth:`read` does."""
        why = self._said(cause)
        first = self._first_page()
        past = int(first.server_time) - BEHIND_THE_CLOCK
        if isinstance(cause, BoundIgnored) and self._read_around(since, first, why):
            return past
        if self.whole is None and self.pages is None:
            raise errors.Incomplete(f"{self.listing.label}: {why}; the stream cannot be read exactly") from cause
        self._tell(why, "reading the whole list instead")
        self.ledger.gap(UNBOUNDED)
        if self.whole is not None:
            OffsetReader(self.whole, self.emit, self.ledger, self.confirm_empty(), self._wanted(since)).read()
        elif self.pages is not None:
            order = next(iter(self.splits), self.by)
            BackwardReader(self.pages, self.emit, self.ledger, order, self._wanted(since)).read()
        return past

    def _said(self, cause: BoundIgnored | Unordered) -> str:
        if isinstance(cause, BoundIgnored):
            return f"filter on {cause.time} {'refused' if cause.cause else 'ignored'} by the CRM"
        return f"order by {self.along} ignored by the CRM"

    def _tell(self, why: str, what: str) -> None:
        _log.warning("%s: %s; %s, which costs more requests", self.listing.label, why, what)
        self.ledger.note(why)

    def _first_page(self) -> Answer:
        """Return the first page of everything, for the server's time."""
        self.ledger.add(pages=1)
        if self.whole is not None:
            return self.whole.ask_from(0)
        return self.listing.ask((), self.listing.orders(self.along)[0], None)

    def _read_around(self, since: int | None, first: Answer, why: str) -> bool:
        """Read from the newest change backwards, or along another time; tell whether that worked."""
        in_reach = first.total is not None and (self.listing.reach is None or first.total < self.listing.reach)
        if since is not None and self.pages is not None and in_reach and not self.concludes:
            self._tell(why, "reading from the newest change backwards")
            index = self.listing.times.index(self.by)
            if NewestReader(self.pages, self.by, index, self.emit, self.ledger).read(since, first.total or 0):
                return True
        until = int(first.server_time)
        for time in self.splits:
            self._tell(why, f"reading along {time} instead")
            questions = Questions(self.listing, time, self.emit, self.ledger, wanted=self._wanted(since), present=until)
            try:
                KeysetReader(questions, lanes=self.lanes).read(None, until)
            except (BoundIgnored, Unordered) as also:
                _log.warning("%s: %s, too", self.listing.label, self._said(also))
                continue
            return True
        return False

    def _wanted(self, since: int | None) -> Callable[[Row], bool] | None:
        """Return what tells whether a row changed since then."""
        index = self.listing.times.index(self.by)
        return None if since is None else lambda row: (row.times[index] or since) >= since
