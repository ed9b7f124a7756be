"""Reads by keyset what changed since the last run: what is past in closed spans, then, once, what is later."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.reading.changes import BEHIND_THE_CLOCK, MOST_ROUNDS, RESTLESS, UNBOUNDED, capped
from tap_crm.reading.keyset import LOOKS, KeysetReader
from tap_crm.reading.listing import Bound, BoundIgnored
from tap_crm.reading.offset import OffsetReader
from tap_crm.reading.page import Checkpoint
from tap_crm.reading.part import Unordered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.reading.offset import OffsetListing
    from tap_crm.reading.page import Emit
    from tap_crm.reading.part import KeysetListing, Part
    from tap_crm.transport.ledger import Ledger

_log = logging.getLogger("tap-crm.reading")

#: How much of a list that comes newest first is read between two checkpoints, where these should come often.
PAGES_OF_A_STEP = 5
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
        splits: times by which a crowded second can be split.
        lanes: how many spans are walked at once.
        confirm_empty: tells whether to ask twice before an empty first answer is believed that comes without a count.
        checkpoints: whether the bookmark may move before the end.
        whole: the same listing without bounds and order, to fall back on; None where there is none.
        settles: as in :class:`~tap_crm.reading.changes.ChangeReader`.
        steps: checkpoints should come often, also where the list comes newest first.
        lags: so many seconds an edited record may still be found by its old time only. Where the read settles, what is
            not older is read by one lane, after all others: it meets a record at one of its two places.
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
    settles: bool = False
    steps: bool = False
    lags: int = 0

    def read(self, since: int | None) -> int:
        """Emit every record whose change time is ``since`` or later (all if None).

        Returns the epoch second up to which everything is read; saying so with a checkpoint is left to the caller.

        Raises:
            ReadError: some part could not be read; checkpoints emitted so far hold.
        """
        try:
            opening = self._open(since)
            past = int(opening.server_time) - BEHIND_THE_CLOCK
            if opening.rows or opening.after is not None or opening.total:
                self._read_from(since, past, opening)
        except (BoundIgnored, Unordered) as cause:
            past = self._read_whole(since, cause)
        return past

    def _open(self, since: int | None) -> Part:
        outer = (Bound(self.by, since),) if since is not None else ()
        order = self.listing.orders(self.along)[0]
        try:
            opening = self._ask(outer, order)
            # On a first run a count of nothing is doubted too: believing it wrongly would lose everything.
            doubts = LOOKS - 1 if since is None else int(opening.total is None and self.confirm_empty())
            while doubts and not opening.rows:
                opening = self._ask(outer, order)
                doubts -= 1
        except errors.Refused as refusal:
            raise BoundIgnored(self.by, refusal) from refusal
        self.ledger.source_total = opening.total
        return opening

    def _ask(self, outer: tuple[Bound, ...], order: str) -> Part:
        self.ledger.add(pages=1)
        return self.listing.ask(outer, order, None)

    def _read_from(self, since: int | None, past: int, opening: Part) -> None:
        """Read on from the first answer, which is all in most runs."""
        if self.along != self.by:
            # Nothing moves along the other time, and edits take nothing out of what has no upper bound.
            if self.settles or (opening.after is None and len(opening.rows) < opening.size):
                self._reader(outer=self._bound(since, None)).read(None, None, opening)
                return
            # Edits take records out of what is past, and nothing comes in.
            self._reader(outer=self._bound(since, past)).read(None, None, opening)
            self._reader(outer=self._bound(past + 1, None), lanes=1).read(None, None)
        elif self.steps and not self.listing.ascending and opening.after is not None:
            self._read_in_steps(since, past)
        elif not self.listing.ascending or (opening.after is None and len(opening.rows) < opening.size):
            self._reader(checkpoints=self.checkpoints, past=past).read(since, None, opening)
        else:
            still = min(past, int(opening.server_time) - self.lags) if self.settles else past
            if since is None or since <= still:
                self._reader(checkpoints=self.checkpoints, past=past).read(since, still, opening)
            self._read_present(still + 1 if since is None else max(since, still + 1))

    def _read_in_steps(self, since: int | None, past: int) -> None:
        """Read a list that comes newest first from its oldest records on, so that it can be cut off at any time."""
        low, begin, width = since, EARLIEST if since is None else since, FIRST_STEP
        while begin <= past:
            high = min(past, begin + width - 1)
            opening = self._ask((Bound(self.by, low, high),), self.listing.orders(self.by)[0])
            pages = self._pages(opening)
            if pages > 2 * PAGES_OF_A_STEP and high - begin >= SHORTEST_STEP:
                width = (high - begin + 1) // 4
                continue
            self._reader(lanes=1).read(low, high, opening)
            self.emit(Checkpoint(high))
            low = begin = high + 1
            width = width * 2 if pages < PAGES_OF_A_STEP / 2 else width
        self._reader(lanes=1).read(past + 1, None)

    def _pages(self, opening: Part) -> float:
        """Return how many pages a first answer promises; as many as there should be where it does not tell."""
        if opening.total is None:
            return PAGES_OF_A_STEP if opening.after is not None else 1
        return opening.total / max(1, opening.size)

    def _bound(self, low: int | None, high: int | None) -> tuple[Bound, ...]:
        return (Bound(self.by, low, high),) if low is not None or high is not None else ()

    def _read_present(self, low: int) -> None:
        """Read what changed since the reading began, up to now: what changes later is left to the next run."""
        for _ in range(MOST_ROUNDS):
            opening = self._ask((Bound(self.by, low),), self.listing.orders(self.by)[0])
            if opening.rows or opening.after is not None or opening.total:
                self._reader(lanes=1).read(low, self._end_of_present(low, opening), opening)
            if not self.settles or opening.after is None:
                return
            low = max(low, int(opening.server_time) - BEHIND_THE_CLOCK)
        self.ledger.gap(RESTLESS)

    def _end_of_present(self, low: int, opening: Part) -> int | None:
        """Return up to which second the present is read; None for all that there is.

        A record from after the present shows that this machine's clock is behind: there is no telling where to end.
        """
        index = self.listing.times.index(self.by)
        newest = max((at for row in opening.rows if (at := row.times[index]) is not None), default=low)
        present = int(opening.server_time)
        return None if opening.after is None or newest > present else max(low, present)

    def _reader(
        self,
        *,
        outer: tuple[Bound, ...] = (),
        lanes: int | None = None,
        checkpoints: bool = False,
        past: int | None = None,
    ) -> KeysetReader:
        return KeysetReader(
            self.listing,
            self.along,
            self.emit if past is None else capped(self.emit, past),
            self.ledger,
            outer=outer,
            splits=self.splits,
            lanes=lanes or self.lanes,
            checkpoints=checkpoints,
        )

    # Where the filter or the order does not work

    def _read_whole(self, since: int | None, cause: BoundIgnored | Unordered) -> int:
        """Read the whole list and leave unchanged records out; returns as :meth:`read` does."""
        if isinstance(cause, BoundIgnored):
            why = f"filter on {cause.time} {'refused' if cause.cause else 'ignored'} by the CRM"
        else:
            why = f"order by {self.along} ignored by the CRM"
        if self.whole is None:
            raise errors.Incomplete(f"{self.listing.label}: {why}; the stream cannot be read exactly") from cause
        _log.warning("%s: %s; reading the whole list instead, which costs more requests", self.listing.label, why)
        self.ledger.note(why)
        self.ledger.gap(UNBOUNDED)
        first = self.whole.ask_from(0)
        self.ledger.add(pages=1)
        index = self.listing.times.index(self.by)
        wanted = None if since is None else lambda row: (row.times[index] or since) >= since
        OffsetReader(self.whole, self.emit, self.ledger, self.confirm_empty(), wanted).read()
        return int(first.server_time) - BEHIND_THE_CLOCK
