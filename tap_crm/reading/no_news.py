"""Counts the answers of one walk that bring nothing new: where a walk that the CRM never ends is given up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm import errors

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tap_crm.messages import Row

#: So many answers in a row may bring nothing new: a list that moves, or rows that the key does not see, explain a few.
MOST_WITHOUT_NEWS = 20
#: An answer of so many rows that is the same as the one before it tells that the position was not heeded.
FEWEST_ALIKE = 5


@dataclass(slots=True)
class NoNews:
    """Counts the answers of one walk that bring nothing new, and yet are said not to be the last.

    Attributes:
        label: what is read, for the message.
        most: so many in a row are one too many.
    """

    label: str
    most: int = MOST_WITHOUT_NEWS
    _in_a_row: int = 0
    _used: set[Hashable] = field(default_factory=set)

    def is_too_much(self, *, is_new: bool) -> bool:
        """Take note of an answer that is said not to be the last; tells whether it is one too many."""
        self._in_a_row = 0 if is_new else self._in_a_row + 1
        return self._in_a_row >= self.most

    def heed(self, *, is_new: bool) -> None:
        """Take note of an answer that is said not to be the last.

        Raises:
            Incomplete: it is one too many.
        """
        if self.is_too_much(is_new=is_new):
            raise endless(self.label, self._in_a_row)

    def leads_back(self, cursor: Hashable) -> bool:
        """Tell whether a cursor was followed before."""
        return cursor in self._used

    def follow(self, cursor: Hashable) -> None:
        """Take note of a cursor that is followed.

        Raises:
            Incomplete: it was followed before.
        """
        if cursor in self._used:
            raise errors.Incomplete(
                f"{self.label}: the CRM's cursors lead back to what was read; the list has no end. Run again later, "
                "and if that does not help, ask the CRM's support"
            )
        self._used.add(cursor)


def are_alike(rows: Sequence[Row], before: Sequence[Row]) -> bool:
    """Tell whether an answer has the rows of the one before it, one by one, and enough of them to be no coincidence."""
    return len(rows) >= FEWEST_ALIKE and [row.key for row in rows] == [row.key for row in before]


def endless(label: str, answers: int) -> errors.Incomplete:
    """Return what to say of a list that has no end, after so many answers that brought nothing new."""
    return errors.Incomplete(
        f"{label}: the CRM says that there is more, and its last {answers} answers brought nothing new; what it holds "
        "back cannot be read. Run again later, and if that does not help, ask the CRM's support why the list has no end"
    )


def same_page_again(label: str) -> errors.Incomplete:
    """Return what to say of a list of which no other page is to be had."""
    return errors.Incomplete(
        f"{label}: the CRM gives the same page again, whatever page is asked for; what is behind it cannot be read. "
        "Run again later, and if that does not help, ask the CRM's support"
    )
