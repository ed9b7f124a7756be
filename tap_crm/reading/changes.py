"""Reads what changed since the last run, by the way that the CRM turns out to support.

1. One question for everything since then. Where the answer fits one page, that was all.
2. Else closed windows over the change time.
3. Where the CRM ignores or refuses that filter: from the newest change backwards until the old ones begin; and
   where that is out of reach, windows over the creation time, unchanged records left out here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm.reading.listing import BoundIgnored, Slice
from tap_crm.reading.page import Checkpoint, Page
from tap_crm.reading.walk import LOOKS_AT_A_SHORT_PAGE, Walk, Window
from tap_crm.reading.windows import WindowReader, open_listing

if TYPE_CHECKING:
    from tap_crm.reading.listing import Answer, Bound, Listing, Row
    from tap_crm.reading.page import Emit, Item
    from tap_crm.reading.windows import Lanes, Seen
    from tap_crm.transport.ledger import Ledger

_log = logging.getLogger("tap-crm.reading")

#: Seconds by which a bookmark stays behind the server's clock: the current second is not over, and clocks of a
#: search and of its web server need not agree to the second.
BEHIND_THE_CLOCK = 5
#: How often the newest changes are read again to get hold of a moment in which one answer has them all.
MOST_ROUNDS = 10
UNBOUNDED = "the CRM heeds no filter by time: what moved while it was read may be there all the same"
RESTLESS = "records change faster than they can be read: what was not found may be there all the same"


@dataclass(frozen=True, slots=True)
class ChangeReader:
    """Reads a listing by its change time.

    Attributes:
        listing: what is read.
        by: the name of the change time, in ``listing.times``.
        created: the name of the creation time, by which the listing can also be bounded; None if it cannot.
        lanes: how many windows are walked at once.
        settles: what is not found counts as gone. So what changes while it is read is read again, until one answer
            has it all: whatever is not in it was found before. Where that cannot be had, the ledger says so.
    """

    listing: Listing
    by: str
    created: str | None
    emit: Emit
    ledger: Ledger
    lanes: Lanes
    settles: bool = False

    def read(self, since: int | None) -> None:
        """Emit every record whose change time is ``since`` or later (all if None), and checkpoints.

        Raises:
            ReadError: some part could not be read; checkpoints emitted so far hold.
        """
        part = Slice(self.listing, self.by)
        try:
            opening = open_listing(part, since, None, self.ledger)
            now = int(opening.server_time)
            self.ledger.source_total = opening.total
            if _fits(opening, self.listing.page_size):
                self.ledger.add(windows=1, distinct=len({row.key for row in opening.rows}))
                self.emit(Page(body=opening.body))
            else:
                self._read_windows(part, since, now, opening)
        except BoundIgnored as ignored:
            now = self._read_otherwise(since, ignored)
        self.emit(Checkpoint(now - BEHIND_THE_CLOCK))

    def _read_windows(self, part: Slice, since: int | None, now: int, opening: Answer) -> None:
        """Walk windows that are closed since they end in the past; then, open, what is later than that.

        What lies behind the past's last record is asked for in any case. So it also shows there if the CRM stopped
        giving records before their end, and the windows go on from there.
        """
        emit = capped(self.emit, now - BEHIND_THE_CLOCK)
        past = now - BEHIND_THE_CLOCK
        low, first = since, opening
        meeting: Seen = {}
        while True:
            reader = WindowReader(
                part,
                emit,
                self.ledger,
                lanes=self.lanes,
                splits=self._splits(),
                followed=self.listing.ascending,
                shared=meeting,
            )
            reader.read(low, past, first)
            wall = reader.go_on_from
            rest = past if wall is None else wall.second
            first = open_listing(part, rest, None, self.ledger)
            if wall is None or wall.second == low or _fits(first, self.listing.page_size):
                break
            part = replace(part, learned_reach=min(part.reach, wall.reach))
            low = rest
        for _ in range(MOST_ROUNDS):
            seen: Seen = {}
            present = WindowReader(
                part, emit, self.ledger, splits=self._splits(), checkpoints=False, shared=meeting, seen=seen
            )
            present.read(rest, None, first)
            if not self.settles or self._has_all(part, rest, first, seen):
                return
            rest = int(first.server_time) - BEHIND_THE_CLOCK
            first = open_listing(part, rest, None, self.ledger)
        self.ledger.gap(RESTLESS)

    def _has_all(self, part: Slice, since: int, opening: Answer, seen: Seen) -> bool:
        """Tell whether all is read that had changed when the opening question was answered.

        It fits a page, by its total or since it comes twice; or as many records were read, unmoved, as its total says.
        """
        if _fits(opening, self.listing.page_size):
            return True
        if len(opening.rows) < self.listing.page_size:
            self.ledger.add(pages=1)
            return set(part.ask(since, None, 1).rows) == set(opening.rows)
        index = self.listing.times.index(self.by)
        unmoved = sum((times[index] or 0) < int(opening.server_time) for times in seen.values())
        return opening.total is not None and opening.total <= unmoved < self.listing.reach

    def _splits(self) -> tuple[str, ...]:
        return () if self.created is None else (self.created,)

    # Where the filter on the change time does not work

    def _read_otherwise(self, since: int | None, ignored: BoundIgnored) -> int:
        """Read without the filter on the change time; returns the server's time when that began."""
        why = f"filter on {ignored.time} {'refused' if ignored.cause else 'ignored'} by the CRM"
        _log.warning("%s: %s; reading another way, which costs more requests", self.listing.label, why)
        self.ledger.note(why)
        by_change = Slice(_Unbounded(self.listing, self.by), None)
        opening = by_change.ask(None, None, 1)
        self.ledger.add(pages=1)
        now = int(opening.server_time)
        self.ledger.source_total = opening.total
        in_reach = opening.total is not None and opening.total < self.listing.reach
        if since is not None and in_reach and not self.settles:  # what is edited meanwhile escapes to the end
            self._read_from_the_newest(by_change, since, opening)
        elif self.created is not None:
            self._read_by_creation(since, now)
        elif in_reach or since is None:
            Walk(by_change, Window(None, None, first=opening), self._newer(since), self.ledger).run()
            self.ledger.gap(UNBOUNDED)
        else:
            raise ignored.cause or ignored
        return now

    def _read_from_the_newest(self, part: Slice, since: int, opening: Answer) -> None:
        """Walk from the last page down to the one on which the old records begin.

        In ascending order whatever changes meanwhile moves to the end, and the others move left: nothing is lost.
        """
        index = self.listing.times.index(self.by)
        size = self.listing.page_size
        total = opening.total or 0
        number = max(1, -(-total // size))
        keys: set[int | str] = set()
        while number >= 1:
            oldest: int | None = None
            for _ in range(LOOKS_AT_A_SHORT_PAGE):
                answer = part.ask(None, None, number)
                self.ledger.add(pages=1)
                times = [at for row in answer.rows if (at := row.times[index]) is not None]
                oldest = min([*times, *([] if oldest is None else [oldest])], default=None)
                keep = [at for at, row in enumerate(answer.rows) if (row.times[index] or since) >= since]
                if keep:
                    self.emit(Page(body=answer.body, keep=keep))
                    keys.update(answer.rows[at].key for at in keep)
                promised = total if answer.total is None else answer.total
                if len(answer.rows) >= min(size, promised - (number - 1) * size):
                    break  # as long as it should be; a shorter one may be a broken answer
            if oldest is not None and oldest < since:
                break
            number -= 1
        self.ledger.add(windows=1, distinct=len(keys))

    def _read_by_creation(self, since: int | None, now: int) -> None:
        """Walk windows over the creation time, in which edits move nothing, and leave unchanged records out."""
        assert self.created is not None  # noqa: S101 - the caller has asked
        reader = WindowReader(
            Slice(self.listing, self.created),
            self._newer(since),
            self.ledger,
            lanes=self.lanes,
            checkpoints=False,
        )
        try:
            reader.read(None, now)
        except BoundIgnored as also:
            _log.warning("%s: filter on %s does not work either; reading everything", self.listing.label, also.time)
            by_creation = Slice(_Unbounded(self.listing, self.created), None)
            Walk(by_creation, Window(None, None), self._newer(since), self.ledger).run()
            self.ledger.gap(UNBOUNDED)

    def _newer(self, since: int | None) -> Emit:
        """Return an emit that leaves out records not changed since; the body alone cannot tell, so rows do."""
        if since is None:
            return self.emit
        index = self.listing.times.index(self.by)
        listing = self.listing

        def emit(item: Item) -> None:
            if isinstance(item, Page) and item.body is not None:
                rows = listing.rows_of(item.body)
                kept = range(len(rows)) if item.keep is None else item.keep
                keep = [at for at in kept if (rows[at].times[index] or since) >= since]
                if keep:
                    self.emit(Page(body=item.body, keep=keep))

        return emit


@dataclass(frozen=True, slots=True)
class _Unbounded:
    """A listing ordered by a time but never bounded by it."""

    listing: Listing
    order: str

    @property
    def label(self) -> str:
        return self.listing.label

    @property
    def page_size(self) -> int:
        return self.listing.page_size

    @property
    def reach(self) -> int:
        return self.listing.reach

    @property
    def times(self) -> tuple[str, ...]:
        return self.listing.times

    @property
    def ascending(self) -> bool:
        return self.listing.ascending

    def ask(self, bounds: tuple[Bound, ...], order: str | None, page: int) -> Answer:  # noqa: ARG002 - on purpose
        return self.listing.ask((), self.order, page)

    def rows_of(self, body: bytes) -> tuple[Row, ...]:
        return self.listing.rows_of(body)


def _fits(opening: Answer, page_size: int) -> bool:
    """Tell whether the first page is all there is.

    A short page is no proof: the CRM is known to give short ones mid-way. Its total, an upper bound, is.
    """
    if opening.total is None:
        return not opening.rows
    return len(opening.rows) < page_size and opening.total <= len(opening.rows)


def capped(emit: Emit, most: int) -> Emit:
    """Return an emit whose checkpoints never pass the second ``most``."""

    def emit_capped(item: Item) -> None:
        emit(Checkpoint(min(item.at, most)) if isinstance(item, Checkpoint) else item)

    return emit_capped
