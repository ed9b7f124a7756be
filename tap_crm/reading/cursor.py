"""Reads a list by cursor, all of it: each answer says where the next one begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tap_crm.reading.distinct import Distinct
from tap_crm.reading.no_news import NoNews

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit
    from tap_crm.reading.answer import Answer, Continuation


class CursorListing(Protocol):
    """A list that is asked from a cursor on."""

    @property
    def label(self) -> str:
        """For messages: the stream's name."""

    def ask_after(self, cursor: Continuation | None) -> Answer:
        """Return one answer, the first one for None; its ``after`` is None where the CRM says that it was the last."""


@dataclass(slots=True)
class CursorReader:
    """Reads a whole list.

    Attributes:
        confirm_empty: ask twice before an empty list is believed that comes without a count.
        is_short: tells whether a list of so many records, without a count, has its end asked for twice.
    """

    listing: CursorListing
    emit: Emit
    ledger: Ledger
    confirm_empty: bool = False
    is_short: Callable[[int], bool] = lambda _: False
    _total: int | None = None
    _usual: int | None = None
    _found: Distinct = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing found."""
        self._found = Distinct(self.emit, self.ledger)

    def read(self) -> None:
        """Emit every record of the list.

        Raises:
            Incomplete: the cursors lead back, or bring nothing new for ever.
        """
        cursor: Continuation | None = None
        no_news = NoNews(self.listing.label)
        while True:
            answer = self._ask(cursor, no_news)
            is_new = bool(self._found.take(answer))
            if answer.after is None:
                break
            no_news.follow(answer.after)
            no_news.heed(is_new=is_new)
            cursor = answer.after
        self.ledger.source_total = self._total
        self.ledger.add(windows=1, unexplained=max(0, (self._total or 0) - len(self._found.keys)))

    def _ask(self, cursor: Continuation | None, no_news: NoNews) -> Answer:
        """Ask; an answer that is hard to believe is asked for once more."""
        answer = self._counted(self.listing.ask_after(cursor))
        if not self._is_doubtful(answer, cursor, no_news):
            return answer
        self._found.take(answer)
        again = self._counted(self.listing.ask_after(cursor))
        if again.rows and len(again.rows) == len(answer.rows):
            self._usual = len(again.rows)  # the CRM gives shorter pages than asked for
        return again

    def _is_doubtful(self, answer: Answer, cursor: Continuation | None, no_news: NoNews) -> bool:
        """Tell whether an answer lacks rows that it promises, or leads back."""
        if answer.after is not None and no_news.leads_back(answer.after):
            return True
        if answer.rows and answer.after is not None:
            return len(answer.rows) < min(answer.size, self._usual or answer.size)
        if answer.rows:
            rows = len(self._found.keys) + len(answer.rows)
            return self.is_short(rows) if self._total is None else rows < self._total
        return cursor is not None or answer.after is not None or bool(self._total) or self.confirm_empty

    def _counted(self, answer: Answer) -> Answer:
        self.ledger.add(pages=1)
        self._total = answer.total if answer.total is not None else self._total
        return answer
