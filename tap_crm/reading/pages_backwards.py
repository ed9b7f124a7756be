"""Reads a listing that has page numbers, but no time to bound it by, from its last page to its first.

What leaves the list moves the rest one place to the left, towards pages that are still to be read: at worst a row is
met twice. A count that is not met, and rows that stand on two pages, give reason to read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tap_crm import errors
from tap_crm.reading.distinct import Distinct
from tap_crm.reading.no_news import same_page_again
from tap_crm.reading.questions import ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Row
    from tap_crm.reading.answer import Answer

#: How often a whole list is walked, where its count is not met or its order is not the same in each answer.
MOST_WALKS = 10
#: So many walks in a row that bring nothing new end the search for what the count still promises.
QUIET_WALKS = 2
#: How often a count is followed to the page that it points to, before the last page is sought by doubling.
MOST_JUMPS = 2


class PagedListing(Protocol):
    """A listing that is asked page by page."""

    @property
    def label(self) -> str:
        """For messages: the stream's name."""

    @property
    def page_size(self) -> int:
        """How many rows a full page has."""

    def ask_page(self, number: int, size: int, order: str | None) -> Answer:
        """Return a page, counted from 1, of the whole listing.

        Raises:
            Refused: there is no such page.
        """


@dataclass(slots=True)
class BackwardReader:
    """Reads a whole listing.

    Attributes:
        order: the time that it is listed by; None where it comes as it is.
        wanted: tells which rows to emit; None: all.
    """

    listing: PagedListing
    emit: Emit
    ledger: Ledger
    order: str | None = None
    wanted: Callable[[Row], bool] | None = None
    _found: Distinct = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing found."""
        self._found = Distinct(self.emit, self.ledger, self.wanted)

    @property
    def keys(self) -> set[int | str]:
        """What was found."""
        return self._found.keys

    def read(self) -> None:
        """Emit every record.

        Raises:
            Incomplete: the CRM does not heed page numbers.
        """
        first = self._ask(1)
        for _ in range(ATTEMPTS - 1):  # of everything, nothing is less likely than a broken answer
            if first.rows or first.total == 0:
                break
            first = self._ask(1)
        self.ledger.source_total = first.total
        self._found.take(first)
        if len(first.rows) < self.listing.page_size and first.total == len(first.rows):
            self.ledger.add(windows=1)
            return
        guess = 2 if first.total is None else self._pages(first.total)
        walks = quiet = missing = 0
        while walks < MOST_WALKS:
            before = len(self.keys)
            missing, repeats = self._walk(guess, first)
            walks += 1
            quiet = 0 if len(self.keys) > before else quiet + 1
            if (not missing and not repeats) or (walks > 1 and quiet >= QUIET_WALKS):
                break
        self.ledger.add(windows=1, unexplained=missing)

    def _pages(self, total: int) -> int:
        return max(1, -(-total // self.listing.page_size))

    def _walk(self, guess: int, first: Answer) -> tuple[int, bool]:
        """Walk once; return how many rows the count promises beyond those that came, and whether some came twice."""
        found = self._find_last_page(guess)
        if found is None:
            return (first.total or 0), False
        number, answer = found
        total = answer.total
        keys = {row.key for row in answer.rows}
        given = len(answer.rows)
        for page in range(number - 1, 0, -1):
            above, answer = answer, self._believed(page)
            _check_numbers(self.listing.label, above, answer)
            keys |= {row.key for row in answer.rows}
            given += len(answer.rows)
        return max(0, (total or 0) - len(keys)), given > len(keys)

    def _find_last_page(self, guess: int) -> tuple[int, Answer] | None:
        """Return the number and the answer of the last page with rows, or None if page 1 has none.

        Starts at ``guess``, goes where the answer's count says that the last page is, and gallops on from there where
        that is wrong or unknown: a right count costs one request, two where the last page is full; a missing one
        about ``2 log2(pages)``.
        """
        found: tuple[int, Answer] | None = None
        empty: int | None = None
        number, step, jumps = max(1, guess), 1, 0
        while found is None or empty is None or empty < found[0]:
            answer = self._believed(number)
            said = None if answer.total is None else self._pages(answer.total)
            if answer.rows:
                if found is not None:
                    _check_numbers(self.listing.label, found[1], answer)
                found = (number, answer)
                if said == number and len(answer.rows) < self.listing.page_size:
                    return found  # a full one is not the last on the word of a count alone
            else:
                empty = number
                if number == 1:
                    return None
            if said is not None and said != number and jumps < MOST_JUMPS and (empty is None or said < empty):
                jumps, number = jumps + 1, said
                continue
            number = found[0] + step if found is not None else max(1, number - step)
            step *= 2
        low, high = found[0], empty
        while high - low > 1:
            middle = (low + high) // 2
            answer = self._believed(middle)
            if answer.rows:
                low, found = middle, (middle, answer)
            else:
                high = middle
        return found

    def _believed(self, number: int) -> Answer:
        """Return a page, asked for again while it is shorter than it should be; all rows that come are taken."""
        best = self._ask(number)
        self._found.take(best)
        for _ in range(ATTEMPTS - 1):
            expected = 1 if best.total is None else best.total - (number - 1) * self.listing.page_size
            if len(best.rows) >= min(expected, self.listing.page_size):
                break
            again = self._ask(number)
            quiet = not self._found.take(again) and bool(again.rows)
            best = again if len(again.rows) >= len(best.rows) else best
            if quiet:
                break
        return best

    def _ask(self, number: int) -> Answer:
        self.ledger.add(pages=1)
        return ask_page(self.listing, number, self.listing.page_size, self.order)


def ask_page(listing: PagedListing, number: int, size: int, order: str | None) -> Answer:
    """Return a page; one that the CRM refuses though it gives the first lies behind its cap, and has no rows."""
    try:
        return listing.ask_page(number, size, order)
    except errors.Refused:
        if number == 1:
            raise
        first = listing.ask_page(1, size, order)
        return type(first)((), b"[]", None, None, size, first.server_time, (number - 1) * size)


def _check_numbers(label: str, one: Answer, other: Answer) -> None:
    """Raise if two pages are the same page.

    Raises:
        Incomplete: so they are.
    """
    keys = {row.key for row in one.rows}
    if keys and one.start != other.start and keys == {row.key for row in other.rows}:
        raise same_page_again(label)
