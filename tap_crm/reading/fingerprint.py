"""Remembers a whole table in a few kilobytes, so that the next read of it tells what changed and whether rows are gone.

Rows fall into buckets by their ids. A bucket keeps two sums: of its ids and of its contents. Where the sum of the
contents differs, one of the bucket's rows changed, and all of them are written again. Where the sum of the ids differs
by more than the rows created since, rows are gone (or were hidden and show now).
"""

from __future__ import annotations

import base64
import binascii
from array import array
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Powers of two, so that buckets can be folded together.
MOST_BUCKETS, FEWEST_BUCKETS, ROWS_PER_BUCKET = 1024, 16, 16
_BYTES = 8
#: Rows created so shortly before a read are noted one by one; where they are too many, a later read begins anew.
RECENT_SECONDS, MOST_RECENT = 5, 200
_MODULUS = 2 ** (8 * _BYTES)


def _sum_of(*parts: bytes) -> int:
    return int.from_bytes(blake2b(b"\0".join(parts), digest_size=_BYTES).digest(), "big")


@dataclass(slots=True)
class Digest:
    """The sum of parts, whatever their order: tells only whether they are the same as others were."""

    parts: int = 0
    _sum: int = 0

    def add(self, *part: bytes) -> None:
        """Add one."""
        self.parts += 1
        self._sum = (self._sum + _sum_of(*part)) % _MODULUS

    @override
    def __str__(self) -> str:
        """Return what is kept of it."""
        return f"{self.parts}:{self._sum:016x}"


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows of some buckets, of so many in all."""

    buckets: frozenset[int]
    of: int

    def __contains__(self, key: str) -> bool:
        """Tell whether a row is one of them."""
        return _sum_of(key.encode()) % self.of in self.buckets


@dataclass(slots=True)
class Fingerprint:
    """The sums of one read.

    Attributes:
        basis: of what the contents were made; contents of another basis cannot be compared.
        at: epoch seconds of the server's clock when the rows were given.
        recent: rows created in the last seconds before that: their times alone do not tell that they were there.
        source: a digest of all that the rows were made of; empty where that is not known.
    """

    basis: str
    at: int
    ids: array[int] = field(default_factory=lambda: array("Q", bytes(_BYTES * MOST_BUCKETS)))
    contents: array[int] = field(default_factory=lambda: array("Q", bytes(_BYTES * MOST_BUCKETS)))
    rows: int = 0
    recent: list[str] = field(default_factory=list)
    source: str = ""

    @property
    def buckets(self) -> int:
        """How many buckets there are."""
        return len(self.ids)

    def add(self, key: str, content: bytes) -> None:
        """Count a row."""
        name = key.encode()
        number = _sum_of(name)
        at = number % len(self.ids)
        self.ids[at] = (self.ids[at] + number) % _MODULUS
        self.contents[at] = (self.contents[at] + _sum_of(name, content)) % _MODULUS
        self.rows += 1

    def folded(self, buckets: int | None = None) -> Fingerprint:
        """Return the same with fewer buckets: as many as asked for, or as suit the number of rows."""
        wanted = buckets
        if wanted is None:
            wanted = MOST_BUCKETS
            while wanted > FEWEST_BUCKETS and wanted * ROWS_PER_BUCKET > self.rows:
                wanted //= 2
        ids, contents = array("Q", self.ids), array("Q", self.contents)
        while len(ids) > wanted:
            half = len(ids) // 2
            ids, contents = (
                array("Q", ((sums[at] + sums[at + half]) % _MODULUS for at in range(half))) for sums in (ids, contents)
            )
        return Fingerprint(self.basis, self.at, ids, contents, self.rows, self.recent, self.source)

    def note_creation(self, key: str, created: int) -> None:
        """Remember a row that was created just before it was read."""
        if created >= self.at - RECENT_SECONDS:
            self.recent.append(key)

    def may_lack(self, key: str, created: int) -> bool:
        """Tell whether a row, by its creation, came after this read."""
        return created >= self.at - RECENT_SECONDS and key not in self.recent

    def changed_since(self, earlier: Fingerprint, created_since: Iterable[str]) -> Changed | None:
        """Return which rows may have changed, or None if rows are gone or nothing can be compared.

        ``created_since`` are the keys of the rows that were created after the earlier read: it cannot have had them.
        """
        if earlier.basis != self.basis or earlier.buckets > self.buckets:
            return None
        present = self.folded(earlier.buckets)
        ids = present.ids
        for key in created_since:
            number = _sum_of(key.encode())
            ids[number % len(ids)] = (ids[number % len(ids)] - number) % _MODULUS
        if ids != earlier.ids:
            return None
        some = frozenset(at for at in range(len(ids)) if present.contents[at] != earlier.contents[at])
        return Changed(some, earlier.buckets)

    def to_state(self) -> dict[str, Any]:
        """Return what is kept in the state."""
        return {
            "basis": self.basis,
            "at": self.at,
            "rows": self.rows,
            "recent": self.recent if len(self.recent) <= MOST_RECENT else [],
            "ids": base64.b64encode(self.ids.tobytes()).decode(),
            "contents": base64.b64encode(self.contents.tobytes()).decode(),
            "source": self.source,
        }

    @classmethod
    def from_state(cls, kept: object) -> Fingerprint | None:
        """Return what an earlier run kept; None if it is nothing of the kind."""
        if not isinstance(kept, dict):
            return None
        try:
            ids, contents = array("Q"), array("Q")
            ids.frombytes(base64.b64decode(kept["ids"], validate=True))
            contents.frombytes(base64.b64decode(kept["contents"], validate=True))
            recent = [str(key) for key in kept.get("recent") or ()]
            source = str(kept.get("source") or "")
            found = cls(str(kept["basis"]), int(kept["at"]), ids, contents, int(kept["rows"]), recent, source)
        except (KeyError, TypeError, ValueError, binascii.Error):
            return None
        suits = len(ids) == len(contents) and FEWEST_BUCKETS <= len(ids) <= MOST_BUCKETS
        return found if suits and len(ids).bit_count() == 1 else None
