"""Reads what changed since a time from the end of a listing that no time bounds: the newest changes come last there.

It is listed by its change time, oldest first. Whatever changes meanwhile goes to its end, and the rest moves to the
left, towards pages that are still to be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm.reading.pages_backwards import PagedListing, ask_page
from tap_crm.reading.questions import ATTEMPTS

if TYPE_CHECKING:
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit
    from tap_crm.reading.answer import Answer

#: Page sizes that are tried to get a second of two pages into one answer.
SMALLEST_SIZE = 100


class _Doubtful(Exception):  # noqa: N818 - it names what was found
    """The pages do not fit together, or do not show as many rows as are counted."""


@dataclass(frozen=True, slots=True)
class NewestReader:
    """Reads the end of a listing.

    Attributes:
        order: the change time that it is listed by.
        index: the place of that time in a row's times.
        found: the times of what was emitted, by key.
    """

    listing: PagedListing
    order: str
    index: int
    emit: Emit
    ledger: Ledger
    found: dict[int | str, tuple[int | None, ...]] = field(default_factory=dict)

    def read(self, since: int, total: int) -> bool:
        """Emit what changed since then, a page more or less; tell whether that can be all.

        It cannot be relied on where pages are shorter than the count says, or a second of more than a page may come
        in another order in each answer.
        """
        try:
            self._read(since, total)
        except _Doubtful:
            return False
        return True

    def _read(self, since: int, total: int) -> None:
        size = self.listing.page_size
        number = max(1, -(-total // size))
        above: Answer | None = None
        while number >= 1:
            answer = self._page(number, is_last=above is None)
            if above is None and len(answer.rows) >= size and self._ask(number + 1, size).rows:
                raise _Doubtful  # a full page was the last by the count only
            self._take(answer, since)
            if above is not None:
                self._join(answer, above, number, since)
            times = self._times(answer)
            if times and times[0] < since:
                break
            above, number = answer, number - 1
        self.ledger.add(windows=1)

    def _page(self, number: int, *, is_last: bool) -> Answer:
        """Return a page that has as many rows as it should have.

        Raises:
            _Doubtful: none of several answers has.
        """
        size = self.listing.page_size
        for _ in range(ATTEMPTS):
            answer = self._ask(number, size)
            if answer.total is None or (is_last and answer.total > number * size):
                break  # the count leads nowhere, or has grown
            if len(answer.rows) >= min(size, answer.total - (number - 1) * size):
                return answer
        raise _Doubtful

    def _ask(self, number: int, size: int) -> Answer:
        self.ledger.add(pages=1)
        return ask_page(self.listing, number, size, self.order)

    def _take(self, answer: Answer, since: int) -> None:
        changed = [at for at, row in enumerate(answer.rows) if (row.times[self.index] or since) >= since]
        keep = [at for at in changed if self.found.get(answer.rows[at].key) != answer.rows[at].times]
        self.found.update((answer.rows[at].key, answer.rows[at].times) for at in keep)
        if keep:
            self.ledger.add(distinct=len(keep))
            self.emit(answer.page(keep))

    def _times(self, answer: Answer) -> list[int]:
        return sorted(at for row in answer.rows if (at := row.times[self.index]) is not None)

    # Ties on both of two pages

    def _join(self, below: Answer, above: Answer, number: int, since: int) -> None:
        """See that a second which stands on two neighbouring pages is read whole, in one answer.

        Raises:
            _Doubtful: it is not to be had in one.
        """
        lower, upper = self._times(below), self._times(above)
        if not lower or not upper or lower[-1] < upper[0] or lower[-1] < since:
            return
        first, last = min(lower[-1], upper[0]), max(lower[-1], upper[0])
        boundary = number * self.listing.page_size
        before = sum(at >= first for at in lower)
        behind = sum(at <= last for at in upper)
        for size in range(self.listing.page_size, SMALLEST_SIZE - 1, -1):
            page = boundary // size + 1
            start = (page - 1) * size
            if start + 1 > boundary - before and start:
                continue
            if start + size < boundary + behind + (behind < len(above.rows)):
                continue
            answer = self._ask(page, size)
            times = self._times(answer)
            ends = not answer.total or start + len(answer.rows) >= answer.total
            if times and (times[0] < first or not start) and (times[-1] > last or ends):
                self._take(answer, since)
                return
            break
        raise _Doubtful
