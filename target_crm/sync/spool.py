"""Records that wait for the end of the input: in a file that only this process sees, so that memory stays flat."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_MEMORY = 4_000_000


class Waiting(msgspec.Struct):
    """A record that waits."""

    stream: str
    number: int | None
    key: str
    shown: Any
    record: dict[str, Any]
    schema: int


class Spool:
    """Keeps records in their order."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it lives as long as the run
        self._encoder = msgspec.json.Encoder(decimal_format="number")
        self._decoder = msgspec.json.Decoder(Waiting)
        self._taken: set[int] = set()

    def add(self, one: Waiting) -> None:
        """Keep a record."""
        self._file.write(self._encoder.encode(one) + b"\n")

    def rest(self, stream: str) -> Iterator[Waiting]:
        """Yield the records of a stream that were not yielded before."""
        self._file.seek(0)
        for place, line in enumerate(self._file):
            if place not in self._taken:
                one = self._decoder.decode(line)
                if one.stream == stream:
                    self._taken.add(place)
                    yield one

    def close(self) -> None:
        """Forget them."""
        self._file.close()
