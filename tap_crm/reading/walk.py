"""Walks one closed window from its last page to its first, and proves that nothing was lost on the way.

Into a window that ends in the past nothing enters. An edit or a deletion takes a record out, and those behind it
move one place to the left: towards the pages that are still to be read. At worst a record is met twice.

The CRM's total is an upper bound. As many distinct records as the highest total seen is therefore a proof; where
that fails (records left, totals missing, ties listed in another order at each request), the doubtful places are
read again: pages that were shorter than they should be at once, seconds that straddle two pages at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm.reading.last_page import find_last_page
from tap_crm.reading.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.reading.listing import Answer, Row, Slice
    from tap_crm.reading.page import Emit
    from tap_crm.transport.ledger import Ledger

#: How often a page that is shorter than it should be is asked for again.
LOOKS_AT_A_SHORT_PAGE = 3
#: How often a whole window is walked again while that brings something new.
MOST_WALKS = 40
#: So many walks in a row that bring nothing new end the search for what the total still promises.
QUIET_WALKS = 2
#: The same for one crowded second whose ties come in another order each time: there luck needs more tries.
QUIET_WALKS_IN_A_CROWD = 8


@dataclass(frozen=True, slots=True)
class Window:
    """A range of seconds to walk, both ends inclusive and open where None.

    Attributes:
        guess: the number of pages it probably has.
        first: its first page where that was read already; read again only if the count does not add up. For a
            window that is all there is: the page's total must be that of the window.
        last: the number and the answer of its last page where the planner has them; the answer may go beyond.
        shares_high: the next window begins with this one's last second.
        followed: whoever planned it reads on behind it anyway, and so sees whether the CRM hid something.
    """

    low: int | None
    high: int | None
    guess: int = 1
    first: Answer | None = None
    last: tuple[int, Answer] | None = None
    shares_high: bool = False
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Wall:
    """The CRM gave ``reach`` records and stopped at this second; behind it there are more, or may be more."""

    second: int
    reach: int
    certain: bool = True


class Walk:
    """One walk through one window.

    Args:
        part: the listing and the time that is walked along.
        window: where.
        emit: takes the pages.
        ledger: counts pages and distinct records.
        crowd: reads a second that has more than one page and returns the keys found there; given by the planner,
            which can split it.
        seen: keys and times already emitted; shared with walks inside of this one.
        shared: the same for the seconds in which neighbouring windows meet; shared by all windows.
    """

    def __init__(  # noqa: PLR0913 - what a walk needs, handed over once
        self,
        part: Slice,
        window: Window,
        emit: Emit,
        ledger: Ledger,
        *,
        crowd: Callable[[int, dict[int | str, tuple[int | None, ...]]], set[int | str]] | None = None,
        seen: dict[int | str, tuple[int | None, ...]] | None = None,
        shared: dict[int | str, tuple[int | None, ...]] | None = None,
    ) -> None:
        self._shared = {} if shared is None else shared
        self._part = part
        self._window = window
        self._emit = emit
        self._ledger = ledger
        self._crowd = crowd
        self._seen = {} if seen is None else seen
        self._size = part.listing.page_size
        self.keys: set[int | str] = set()
        self._asked: set[int | str] = set()
        self._highest_total: int | None = None
        self._last_total: int | None = None
        self._grew = False
        self._missing: dict[int, int] = {}
        self._edges: set[int] = set()
        self._boundary: set[int] = set()
        self._top = 0

    def run(self) -> Wall | None:
        """Read the window completely.

        Returns where the CRM gave no more although there is more (its reach is shorter than was thought), or None
        when the window is complete.
        """
        first, beyond = self._window.first, 0
        if first is not None:
            self._take(first, asked=True)
            beyond = sum(self._is_beyond(row) for row in first.rows)
            self._note_total(first, beyond=beyond)
            if len(first.rows) < self._size and self._proven():
                self._count()
                return None
        last = self._window.last or self._search_last(self._window.guess)
        if last is None:
            self._count()
            return None
        self._top, answer = last
        self._take(answer, asked=self._window.last is None)
        second = self._descend(self._top, answer, stop=1 if first is None else 2)
        if first is not None and self._top > 1:
            self._note_edge(first, second)
            if beyond or not self._proven():  # rows behind the window's end took the place of some of its own
                self._descend(2, second, stop=1)
        full = self._window.last is None and len(answer.rows) >= self._size
        cut_off = full and self._last_total is not None and self._last_total >= (self._top + 1) * self._size
        self._settle(patiently=not cut_off)
        wall = self._wall(answer) if full else None
        self._count(wall)
        if wall is not None and self._part.by is not None:
            index = self._part.listing.times.index(self._part.by)
            self._shared.update((key, at) for key, at in self._seen.items() if at[index] == wall.second)
        return wall

    # Finding the last page

    def _search_last(self, guess: int) -> tuple[int, Answer] | None:
        return find_last_page(self._believed, lambda answer: bool(answer.rows), guess, says=self._said)

    def _said(self, answer: Answer) -> int | None:
        """Return which page is the last one by the answer's total, as far as the CRM can reach."""
        if answer.total is None:
            return None
        return min(-(-answer.total // self._size), max(1, self._part.reach // self._size))

    def _wall(self, last: Answer) -> Wall | None:
        """Return where the CRM hides records behind a full last page, or None.

        The total may be cut off at the same place. One question for what lies behind the last record tells.
        """
        times = [at for row in last.rows if (at := self._part.at(row)) is not None]
        if not times:
            return None
        ascending = self._part.listing.ascending
        edge = max(times) if ascending else min(times)
        wall = Wall(edge, self._top * self._size)
        if self._window.followed:
            return replace(wall, certain=False)
        known = sum(1 for key in self.keys if self._is_behind(key, edge))
        if known < len(self.keys):
            # The page on which more than the known records would show.
            page = known // self._size + 1
            low, high = (edge, self._window.high) if ascending else (self._window.low, edge)
            return wall if len(self._behind(low, high, page)) > known % self._size else None
        # From its first to its last record the window is one second: nothing but what lies beside it is narrower.
        low, high = (edge + 1, self._window.high) if ascending else (self._window.low, edge - 1)
        beside = low is None or high is None or low <= high
        if beside and any(row.key not in self.keys for row in self._behind(low, high, 1)):
            return wall
        return wall if self._shortfall() >= self._size or wall.reach >= self._part.reach else None

    def _behind(self, low: int | None, high: int | None, page: int) -> tuple[Row, ...]:
        """Return a page behind the last one."""
        self._ledger.add(pages=1)
        return self._part.ask(low, high, page).rows

    def _is_behind(self, key: int | str, edge: int) -> bool:
        """Tell whether a record that was read lies at the edge or behind it."""
        if self._part.by is None or key not in self._seen:
            return False
        at = self._seen[key][self._part.listing.times.index(self._part.by)]
        return at is not None and (at >= edge if self._part.listing.ascending else at <= edge)

    # Reading pages

    def _ask(self, number: int) -> Answer:
        answer = self._part.ask(self._window.low, self._window.high, number)
        self._ledger.add(pages=1)
        self._note_total(answer)
        return answer

    def _note_total(self, answer: Answer, beyond: int = 0) -> None:
        """Keep the highest and the last total; one that grows means that records came into the window."""
        if answer.total is None:
            return
        total = answer.total - beyond
        self._grew = self._grew or (self._last_total is not None and total > self._last_total)
        self._last_total = total
        self._highest_total = max(self._highest_total or 0, total)

    def _believed(self, number: int) -> Answer:
        """Return a page that is as long as it should be, or was found short more than once.

        Each look at a short page may bring other rows of it; all of them are taken.
        """
        answer = self._ask(number)
        rows = {row.key for row in answer.rows}
        lacking = self._lacking(number, answer, rows)
        for _ in range(LOOKS_AT_A_SHORT_PAGE - 1):
            if not lacking:
                break
            self._take(answer, asked=True)
            again = self._ask(number)
            seen_before = rows >= {row.key for row in again.rows}
            rows |= {row.key for row in again.rows}
            answer = again if len(again.rows) >= len(answer.rows) else answer
            self._take(again, asked=True)
            lacking = self._lacking(number, again, rows)
            if seen_before:
                break
        self._missing.pop(number, None)
        if lacking:
            self._missing[number] = lacking
        return answer

    def _lacking(self, number: int, answer: Answer, rows: set[int | str]) -> int:
        """Return how many rows the page should have and was not seen to have."""
        if answer.total is not None:
            expected = min(self._size, answer.total - (number - 1) * self._size)
        elif number < self._top:
            expected = self._size
        else:
            expected = 1  # an empty page may be a broken answer: the end is believed when it was seen twice
        return max(0, expected - len(rows))

    def _descend(self, start: int, above: Answer | None, stop: int) -> Answer | None:
        """Read the pages below ``start`` down to ``stop``, noting the seconds that straddle two pages.

        Returns the last page read.
        """
        for number in range(start - 1, stop - 1, -1):
            answer = self._believed(number)
            self._note_edge(answer, above)
            self._take(answer, asked=True)
            above = answer
        return above

    def _note_edge(self, below: Answer, above: Answer | None) -> None:
        """Remember a second that is on both of two neighbouring pages."""
        if above is None or self._part.by is None:
            return
        mine = [at for row in below.rows if (at := self._part.at(row)) is not None]
        theirs = [at for row in above.rows if (at := self._part.at(row)) is not None]
        if mine and theirs:
            low, high = max(min(mine), min(theirs)), min(max(mine), max(theirs))
            both = {at for at in {*mine, *theirs} if low <= at <= high}
            if self._window.last is not None and above is self._window.last[1]:
                self._boundary |= both  # no count covers what lies on both sides of the planner's page
            else:
                self._edges |= both

    def _take(self, answer: Answer, *, asked: bool) -> int:
        """Emit what is new on a page; returns how many rows that were.

        ``asked``: the page counts for the proof, since it was asked for within the bounds of this window.
        """
        if asked:
            self._asked.update(row.key for row in answer.rows if not self._is_beyond(row))
        keep = [index for index, row in enumerate(answer.rows) if self._is_new(row)]
        if keep:
            self._emit(Page(body=answer.body, keep=None if len(keep) == len(answer.rows) else keep))
        return len(keep)

    def _is_beyond(self, row: Row) -> bool:
        """Tell whether the row lies behind the window's end: another window has it."""
        at = self._part.at(row)
        return at is not None and self._window.high is not None and at > self._window.high

    def _is_new(self, row: Row) -> bool:
        """Tell whether the row belongs here and was not emitted as it is now."""
        if self._is_beyond(row) and (self._window.shares_high or not self._part.listing.ascending):
            return False
        self.keys.add(row.key)
        if self._seen.get(row.key) == row.times:
            return False
        self._seen[row.key] = row.times
        if self._part.at(row) in (self._window.low, self._window.high):
            if self._shared.get(row.key) == row.times:
                return False
            self._shared[row.key] = row.times  # the neighbour may meet it at this very moment: then it comes twice
        return True

    # Proof

    def _proven(self) -> bool:
        """Tell whether there cannot be more records than were read.

        A record that left after it was read still counts, so only a total counts that was told no later than the
        first page was read. The planner's last page was read before; so without it, the pages below must be full.
        """
        if self._highest_total is None:
            return False
        if self._window.last is None:
            return len(self._asked) >= self._highest_total
        return len(self._asked) >= min(self._highest_total, (self._window.last[0] - 1) * self._size)

    def _settle(self, *, patiently: bool) -> None:
        """Read doubtful places again until the window is proven, or nothing new comes any more.

        ``patiently``: also walk the whole window again while its total promises more. In vain where the CRM was
        seen to stop before its total: what is missing lies behind.
        """
        for second in sorted(self._boundary if self._proven() else self._edges | self._boundary):
            self._reread(second)
        walks = quiet = 0
        alone = self._window.low is not None and self._window.low == self._window.high
        patience = QUIET_WALKS_IN_A_CROWD if alone and self._edges else QUIET_WALKS
        while patiently and self._doubtful(alone=alone) and walks < MOST_WALKS and quiet < patience:
            self._grew = False
            self._missing.clear()
            quiet = 0 if self._walk_again() else quiet + 1
            walks += 1
        if patiently:  # also what a page that stayed too short never showed: nothing proves that it is not there
            self._ledger.add(unexplained=max(0, (self._last_total or 0) - len(self.keys)))

    def _doubtful(self, *, alone: bool) -> bool:
        """Tell whether another walk could bring something."""
        if self._proven():
            return False
        if alone and self._edges:
            return True  # a crowd of ties: each walk lists them anew
        if self._last_total is None:
            # Without a total, a last page that changed is suspicious: something was back-dated.
            return not self._part.listing.ascending and self._last_page_changed()
        grew = self._grew and not self._part.listing.ascending
        return grew or self._shortfall() > 0

    def _last_page_changed(self) -> bool:
        answer = self._ask(self._top)
        more = self._ask(self._top + 1) if len(answer.rows) >= self._size else None
        new = self._take(answer, asked=True)
        return bool(new or (more is not None and self._take(more, asked=True)))

    def _shortfall(self) -> int:
        """Return how many records the last total promises beyond those read and those the CRM never showed."""
        if self._last_total is None:
            return 0
        return max(0, self._last_total - len(self.keys) - sum(self._missing.values()))

    def _walk_again(self) -> int:
        """Walk the whole window once more; returns how many new rows came."""
        before = len(self.keys)
        last = self._search_last(max(1, self._top))
        if last is not None:
            self._top = last[0]
            self._take(last[1], asked=True)
            self._descend(self._top, last[1], stop=1)
        return len(self.keys) - before

    def _reread(self, second: int) -> None:
        """Read one second in a window of its own: where it fits one page, no order of ties can hide anything."""
        if self._window.low == second == self._window.high:
            return
        answer = self._part.ask(second, second, 1)
        self._ledger.add(pages=1)
        self._take(answer, asked=True)
        fits = len(answer.rows) < self._size and (answer.total is None or answer.total <= self._size)
        if not fits and self._crowd is not None:
            found = self._crowd(second, self._seen)
            self.keys |= found
            self._asked |= found

    def _count(self, wall: Wall | None = None) -> None:
        """Book the distinct records, without those of the last second where another window reads that again."""
        again = wall.second if wall is not None else self._window.high if self._window.shares_high else None
        distinct = len(self.keys)
        if again is not None and self._part.by is not None:
            index = self._part.listing.times.index(self._part.by)
            distinct -= sum(1 for key in self.keys if key in self._seen and self._seen[key][index] == again)
        self._ledger.add(windows=1, distinct=distinct)
