"""Hands on each record of a list once, however often it comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Row
    from tap_crm.reading.answer import Answer


@dataclass(slots=True)
class Distinct:
    """The records of one list that came so far.

    Attributes:
        wanted: tells which of them to emit; None: all.
        keys: of all that came.
    """

    emit: Emit
    ledger: Ledger
    wanted: Callable[[Row], bool] | None = None
    keys: set[int | str] = field(default_factory=set)

    def take(self, answer: Answer) -> int:
        """Emit what is new in an answer; returns how many rows that were."""
        new = [at for at, row in enumerate(answer.rows) if row.key not in self.keys]
        self.keys.update(answer.rows[at].key for at in new)
        keep = [at for at in new if self.wanted is None or self.wanted(answer.rows[at])]
        if keep:
            self.ledger.add(distinct=len(keep))
            self.emit(answer.page(keep))
        return len(new)
