"""What was seen of a list so far, and whether an answer has something new."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tap_crm.contract.newest import Newest

#: So many versions are remembered: more than answers can have in turn, where ties come in another order each time.
REMEMBERED = 2_000


class Known:
    """The versions of records that answers had.

    They are remembered beyond the last answer: one that lacks some of them, or shows others of the same second, is no
    change. What shows late has a time that was passed already, and is new all the same.

    Args:
        overlap: seconds before the latest change from which on is asked again.
    """

    def __init__(self, overlap: int) -> None:
        self._overlap = overlap
        self._versions: dict[Hashable, None] = {}
        self._at: int | None = None
        self._count: int | None = None
        self.is_first = True

    @property
    def since(self) -> int | None:
        """Epoch seconds from which on is to be asked; None for all."""
        return None if self._at is None else self._at - self._overlap

    def take(self, newest: Newest) -> bool:
        """Note an answer; return whether it has something that no earlier one had. The first one has."""
        is_new = self.is_first or any(version not in self._versions for version in newest.versions)
        if newest.count is not None:
            is_new = is_new or self._count is None or newest.count > self._count
            self._count = newest.count if self._count is None else max(self._count, newest.count)
        if newest.at is not None:
            self._at = newest.at if self._at is None else max(self._at, newest.at)
        for version in newest.versions:
            self._versions.pop(version, None)
            self._versions[version] = None
        most = max(REMEMBERED, 2 * len(newest.versions))
        while len(self._versions) > most:
            del self._versions[next(iter(self._versions))]
        self.is_first = False
        return is_new
