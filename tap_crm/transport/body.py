"""The body of an answer, read piece by piece: one that comes too slowly, or is too large, is given up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of an answer that is kept in memory, and of one that is kept in a file. What an API gives is far below.
LARGEST, LARGEST_SPOOLED = 64 * 1_048_576, 8_192 * 1_048_576
#: Bytes that are taken at a time at least: requests asks for 10 kB, which is a turn of the interpreter for each.
AT_ONCE = 65_536
#: Bytes a second, on the average, of an answer that still makes progress.
SLOWEST = 1_024


class Raw(Protocol):
    """What urllib3 has of an answer."""

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:  # noqa: FBT001 - urllib3's
        """Return what has come, unpacked; empty at the end."""

    def close(self) -> None:
        """Close the connection."""

    def release_conn(self) -> None:
        """Give the connection back."""


class Body:
    """Stands before urllib3's answer, where requests reads it from.

    A byte now and then keeps a read timeout from ever coming, and an answer without end fills the memory; so both are
    looked at while it comes.

    Args:
        raw: urllib3's answer.
        patience: seconds after which an answer has to be making progress.
        largest: bytes that it may have, unpacked.
    """

    def __init__(self, raw: Raw, patience: float, largest: int) -> None:
        self._raw, self._patience, self._largest = raw, patience, largest
        self._began = time.monotonic()

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:  # noqa: FBT001 - urllib3's
        """Yield the body in pieces as they come: of no more than so many bytes, or than 64 kB if that is more.

        Raises:
            Doubtful: it comes too slowly, or is too large.
        """
        size, most = 0, max(amount, AT_ONCE)
        while piece := self._raw.read1(most, decode_content=decode_content):
            size += len(piece)
            if size > self._largest:
                self.close()
                raise Doubtful(f"the answer is larger than {self._largest // 1_000_000} MB", timed_out=True)
            took = time.monotonic() - self._began
            if took > self._patience and size < SLOWEST * took:
                self.close()
                raise Doubtful("the answer comes too slowly", timed_out=True)
            yield piece

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()

    def release_conn(self) -> None:
        """Give the connection back."""
        self._raw.release_conn()
