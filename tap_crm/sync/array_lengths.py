"""How long the arrays are at most that the target has, so that one which got shorter leaves no row behind.

What length each array had is not known: for millions of records, the state would have no end. Known is the greatest
length of all of them, but for a few that are much longer, which are known one by one. So places that an array may have
had, and does not have now, are told as deleted: never too few, and not many too much.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

#: The records that are known one by one, and by how many elements they are longer than all others.
MOST_KNOWN, MUCH_LONGER = 50, 4
_MOST, _LONGER = "most", "longer"


class ArrayLengths:
    """The greatest lengths of the arrays of one child table.

    Args:
        kept: what the state has of them.
    """

    def __init__(self, kept: Any = None) -> None:  # noqa: ANN401 - whatever a state holds
        kept = kept if isinstance(kept, dict) else {}
        longer = kept.get(_LONGER)
        self._most = _count(kept.get(_MOST))
        self._longer: dict[str, int] = {}
        for name, length in (longer if isinstance(longer, dict) else {}).items():
            if _count(length) > self._most:
                self._longer[str(name)] = _count(length)

    def most_of(self, key: Hashable) -> int:
        """Return how long the array of a record may have been."""
        return max(self._most, self._longer.get(_mark(key), 0)) if self._longer else self._most

    def note(self, key: Hashable, length: int) -> bool:
        """Remember a length; tell whether that changed what is known."""
        if length <= self._most:
            return False
        mark = _mark(key)
        known = self._longer.get(mark, 0)
        if length <= known:
            return False
        if not known and length < self._most + MUCH_LONGER:
            self._raise_to(length)
            return True
        self._longer[mark] = length
        if len(self._longer) > MOST_KNOWN:
            self._raise_to(min(self._longer.values()))
        return True

    def _raise_to(self, length: int) -> None:
        self._most = length
        self._longer = {mark: known for mark, known in self._longer.items() if known > length}

    def to_state(self) -> Mapping[str, Any]:
        """Return what the state keeps."""
        return {_MOST: self._most, **({_LONGER: dict(self._longer)} if self._longer else {})}


def _mark(key: Hashable) -> str:
    """Return what stands for a record: a hash; of two with one hash, the longer counts for both."""
    return blake2b(repr(key).encode(), digest_size=6).hexdigest()


def _count(value: Any) -> int:  # noqa: ANN401 - whatever a state holds
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
