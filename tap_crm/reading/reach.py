"""Shows where a walk along a time went past records: the CRM did not list in the order that was asked for.

Where all records of a page share one second, their order shows nothing of that. But then the CRM counts more than the
walk found, and the ends of the list show it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm.messages import Checkpoint, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.messages import Emit, Item
    from tap_crm.reading.answer import Answer


@dataclass(slots=True)
class Reach:
    """Between which times the records of a walk lie.

    The checkpoint at its end is held: it must not come before it is known that nothing was passed by.

    Attributes:
        index: where the time stands in a row.
        emit: takes what is watched.
    """

    index: int
    emit: Emit
    _first: int | None = None
    _last: int | None = None
    _held: Checkpoint | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def watch(self, item: Item) -> None:
        """Take note of what is emitted, and hand it on; called from several threads."""
        if isinstance(item, Checkpoint):
            self._held = item if item.is_last else None
        elif isinstance(item, Page) and item.rows is not None:
            times = [at for row in item.kept(item.rows) if (at := row.times[self.index]) is not None]
            if times:
                with self._lock:
                    self._first = min(times) if self._first is None else min(self._first, *times)
                    self._last = max(times) if self._last is None else max(self._last, *times)
        if self._held is not item:
            self.emit(item)

    def release(self) -> None:
        """Hand on the checkpoint at the end."""
        if self._held is not None:
            self.emit(self._held)
            self._held = None

    def is_short(self, ends: Sequence[Answer], since: int | None, until: int) -> bool:
        """Tell whether records were passed by.

        Args:
            ends: first answers to the question for all that was walked, by each order that the CRM has.
            since: the second from which on the walk should have found all; None for all that are older.
            until: the second up to which it should.
        """
        times = [at for answer in ends for row in answer.rows if (at := row.times[self.index]) is not None]
        if any((since is None or since <= at) and at <= until and not self._has_reached(at) for at in times):
            return True
        orders = {tuple(row.key for row in answer.rows) for answer in ends}
        return len(ends) > 1 and len(orders) == 1 and all(1 < len(one.rows) < (one.total or 0) for one in ends)

    def _has_reached(self, at: int) -> bool:
        return self._first is not None and self._last is not None and self._first <= at <= self._last
