"""Finds records that no question by times shows, since they have none: they stand at one of the ends of the list.

They are sought where the CRM counts more records of everything than a read by times has found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Page
from tap_crm.reading.answer import Expired

if TYPE_CHECKING:
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Item
    from tap_crm.reading.answer import Answer, Continuation, KeysetListing


@dataclass(slots=True)
class TimelessReader:
    """Reads the records of a listing that lack the time by which it was read.

    Attributes:
        by: the name of that time.
        known: keys of those that were emitted.
        found: how many only this reader has found.
        ends: the first answers, by each order.
    """

    listing: KeysetListing
    by: str
    emit: Emit
    ledger: Ledger
    known: set[int | str] = field(default_factory=set)
    found: int = 0
    ends: list[Answer] = field(default_factory=list)

    def note(self, item: Item) -> None:
        """Take note of those that a read by times happens to meet."""
        if isinstance(item, Page) and item.rows is not None:
            index = self.listing.times.index(self.by)
            self.known.update(row.key for row in item.kept(item.rows) if row.times[index] is None)

    def read(self) -> None:
        """Emit those at both ends of the list; where it has one order only, the count tells where its far end is."""
        orders = self.listing.orders(self.by)
        for order in orders[:2]:
            answer = self._ask(order, None)
            self.ends += [answer] if answer is not None else []
            if len(orders) == 1 and answer is not None and answer.start is not None and answer.total is not None:
                self._read_far_end(order, answer.total, max(1, answer.size // 3))
            while answer is not None and self._take(answer) and answer.after is not None:
                answer = self._ask(order, answer.after)

    def _read_far_end(self, order: str, end: int, step: int) -> None:
        """Go backwards from the end as long as such records come, by steps that are smaller than any answer."""
        for position in range(max(0, end - step), -1, -step):
            answer = self._ask(order, position)
            if answer is None or not self._take(answer):
                return

    def _ask(self, order: str, after: Continuation | None) -> Answer | None:
        """Return an answer without bounds; None where the CRM does not go so far."""
        self.ledger.add(pages=1)
        try:
            return self.listing.ask((), order, after or None)
        except (errors.Refused, Expired):
            return None

    def _take(self, answer: Answer) -> bool:
        """Emit what is new; tell whether the records that follow may lack the time, too."""
        index = self.listing.times.index(self.by)
        timeless = [at for at, row in enumerate(answer.rows) if row.times[index] is None]
        new = [at for at in timeless if answer.rows[at].key not in self.known]
        self.known.update(answer.rows[at].key for at in new)
        if new:
            self.found += len(new)
            self.ledger.add(distinct=len(new))
            self.emit(answer.page(new))
        return bool(timeless)
