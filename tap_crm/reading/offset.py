"""Reads a list by skip and limit, all of it, though it moves while it is read.

Each answer is asked to begin with the last record of the one before. If it shows none that is known, the list moved
to the left (something was deleted), and the walk steps back until it does. What moved to the right comes twice.

Records of the same time may stand in another order in each answer, and one can hide between two of them. Where a count
or repeated records give reason to walk once more, each answer overlaps half of the one before, so that such records
come together in one.

A list that the CRM never ends, or whose position it does not heed, is an error: what it holds back cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tap_crm import errors
from tap_crm.reading.distinct import Distinct
from tap_crm.reading.no_news import NoNews, are_alike, same_page_again

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Row
    from tap_crm.reading.answer import Answer

#: How often the whole list is walked, where a count or a list that moves gives reason to.
MOST_WALKS = 4


class OffsetListing(Protocol):
    """A list that is asked from a position on."""

    @property
    def label(self) -> str:
        """For messages: the stream's name."""

    def ask_from(self, skip: int) -> Answer:
        """Return one answer; its ``after`` is None where the CRM says that it was the last one."""


@dataclass(slots=True)
class OffsetReader:
    """Reads a whole list.

    Attributes:
        confirm_empty: ask twice before an empty list is believed that comes without a count.
        wanted: tells which records to emit; None: all.
        is_short: tells whether a list of so many records, without a count, is walked twice before it is believed.
    """

    listing: OffsetListing
    emit: Emit
    ledger: Ledger
    confirm_empty: bool = False
    wanted: Callable[[Row], bool] | None = None
    is_short: Callable[[int], bool] = lambda _: False
    total: int | None = None
    _usual: int | None = None
    _moved: bool = False
    _repeated: bool = False
    _found: Distinct = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing found."""
        self._found = Distinct(self.emit, self.ledger, self.wanted)

    @property
    def keys(self) -> set[int | str]:
        """What was found."""
        return self._found.keys

    def read(self) -> None:
        """Emit every record of the list.

        Raises:
            Incomplete: answer after answer brings nothing new, and yet there is said to be more.
        """
        for walk in range(1, MOST_WALKS + 1):
            before = len(self.keys)
            self._moved = self._repeated = False
            self._walk(overlaps=walk > 1)
            new = len(self.keys) - before
            short = self.total is not None and len(self.keys) < self.total
            if walk == 1 and self._is_doubtful():
                continue
            if walk > 1 and not new:
                break
            if not short and not ((self._moved or self._repeated) and self.total is None):
                break
        self.ledger.source_total = self.total
        self.ledger.add(windows=1, unexplained=max(0, (self.total or 0) - len(self.keys)))

    def _is_doubtful(self) -> bool:
        if not self.keys:
            return not self.total and self.confirm_empty
        return self.total is None and self.is_short(len(self.keys))

    def _walk(self, *, overlaps: bool) -> None:
        position, overlap = 0, 0
        known: set[int | str] = set()
        no_news = NoNews(self.listing.label)
        answer = self._ask(0)
        before: Sequence[Row] = ()
        while True:
            keys = {row.key for row in answer.rows}
            self._found.take(answer)
            self._repeated = self._repeated or len(keys & known) > max(1, overlap)
            if overlap and position and known.isdisjoint(keys) and (keys or answer.after is None):
                self._moved = True
                position = max(0, position - max(1, answer.size // 2))
                answer, before = self._ask(position), ()
                continue
            if answer.after is None:
                if are_alike(answer.rows, before):
                    raise same_page_again(self.listing.label)
                return
            try:
                no_news.heed(is_new=not keys <= known)
            except errors.Incomplete:
                if self.total is None or are_alike(answer.rows, before):
                    raise
                return  # the count tells whether all came
            known |= keys
            # A page of one row leaves no room for the last one.
            overlap = max(len(answer.rows) // 2 if overlaps else 1, 1) if len(answer.rows) > 1 else 0
            position += max(1, len(answer.rows)) - overlap
            before, answer = answer.rows, self._ask(position, answer.rows)

    def _ask(self, skip: int, before: Sequence[Row] = ()) -> Answer:
        """Ask; an answer that lacks rows, or is the one before, is asked for once more; what both brought is taken."""
        answer = self._count(self.listing.ask_from(skip))
        if not self._lacks_rows(answer, skip) and not are_alike(answer.rows, before):
            return answer
        again = self._count(self.listing.ask_from(skip))
        if again.rows and len(again.rows) == len(answer.rows):
            self._usual = len(again.rows)  # the CRM gives shorter pages than asked for
        less, more = (answer, again) if len(again.rows) >= len(answer.rows) else (again, answer)
        self._found.take(less)
        return more

    def _lacks_rows(self, answer: Answer, skip: int) -> bool:
        """Tell whether an answer has none where there should be some, or is short, and yet not the last one."""
        if not answer.rows:
            return bool(skip or answer.after is not None or self.keys)
        return answer.after is not None and len(answer.rows) < min(answer.size, self._usual or answer.size)

    def _count(self, answer: Answer) -> Answer:
        self.ledger.add(pages=1)
        self.total = answer.total if answer.total is not None else self.total
        return answer
