"""Ends a walk that the CRM never ends: answer after answer says that there is more, and none brings anything new."""

from __future__ import annotations

from dataclasses import dataclass

from tap_crm import errors

#: So many answers in a row may bring nothing new: a list that moves, or rows that the key does not see, explain a few.
MOST_WITHOUT_NEWS = 10


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

    def heed(self, *, is_new: bool) -> None:
        """Take note of an answer that is said not to be the last.

        Raises:
            Incomplete: it is one too many.
        """
        self._in_a_row = 0 if is_new else self._in_a_row + 1
        if self._in_a_row >= self.most:
            raise errors.Incomplete(
                f"{self.label}: the CRM says that there is more, and its last {self._in_a_row} answers brought nothing "
                "new; what it holds back cannot be read. Run again later, and if that does not help, ask the CRM's "
                "support why this list has no end"
            )
