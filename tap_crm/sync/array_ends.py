"""Where the array of a record ends now, and up to where the target may have rows of it.

A complete read gives its rows a version, which takes out what older versions have. So only what this very read may
have written is to be told there: of a record that has changed since the read began, or that came before. If the read
ends without a version, what it found shorter is told after all.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, TypeAlias

import msgspec

from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.sync.array_lengths import ArrayLengths
from tap_crm.transport.spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Key: TypeAlias = "tuple[Any, ...]"

#: Records whose lengths are known one by one while a complete read goes on: bounds the memory.
MOST_MINDED = 100_000
_ENCODER, _DECODER = msgspec.json.Encoder(decimal_format="number"), msgspec.json.Decoder()


class ArrayEnds:
    """The ends of the arrays of one child table, in one run.

    Args:
        kept: what the state has of their lengths; None where no row of them was ever written.
    """

    def __init__(self, kept: Any) -> None:  # noqa: ANN401 - whatever a state holds
        self._lengths = ArrayLengths(kept)
        self._has_rows = kept is not None
        self._since: int | None = None
        self._minded: dict[Key, int] = {}
        self._later: IO[bytes] | None = None

    def begin(self, at: int, *, complete: bool) -> None:
        """Note that a read begins, or its complete part.

        Args:
            at: epoch seconds of the server's clock.
            complete: what follows is everything there is, and its version takes out what it does not have.
        """
        # Where nothing was ever written, any read is like a complete one.
        self._since = at - BEHIND_THE_CLOCK if complete or not self._has_rows else None
        if self._has_rows and complete and self._later is None:  # a read may begin anew
            self._later = spooled()

    def note(self, key: Key, length: int) -> bool:
        """Remember a length; tell whether that changed what the state is to keep."""
        return self._lengths.note(key, length)

    def to_state(self) -> Mapping[str, Any]:
        """Return what the state keeps."""
        return self._lengths.to_state()

    def until(self, key: Key, length: int, changed: int | None) -> int:
        """Return up to where places are to be told as deleted, from ``length`` on; called before :meth:`note`.

        Args:
            key: of the record.
            length: of its array.
            changed: epoch seconds of its last change; None where that is not known.
        """
        most = max(length, self._lengths.most_of(key))
        if self._since is None:
            return most
        if most > length:
            self._keep(key, length, most)
        if changed is not None and changed < self._since:
            return length
        before = self._minded.get(key)
        is_known = before is not None or len(self._minded) < MOST_MINDED
        if is_known:
            self._minded[key] = length
        else:
            self.close()  # what came after it would not be known
        return max(length, before or 0) if is_known and changed is None else most

    def _keep(self, key: Key, length: int, most: int) -> None:
        if self._later is not None:
            self._later.write(_ENCODER.encode([key, length, most]) + b"\n")

    def close(self) -> None:
        """Keep nothing for later any more, and give the file back."""
        if self._later is not None:
            self._later.close()
            self._later = None

    def end(self, *, is_versioned: bool) -> Iterator[tuple[Key, int, int]]:
        """Yield keys, lengths, and up to where places are to be told as deleted, if no version takes them out."""
        if self._later is not None and not is_versioned:
            self._later.seek(0)
            for line in self._later:
                found, length, most = _DECODER.decode(line)
                key = tuple(found)
                now = self._minded.get(key, length)
                if now < most:
                    yield key, now, most
        self.close()
