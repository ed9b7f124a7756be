"""What is written of one stream, kept back until it is known whether the target has it already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.reading.fingerprint import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: A list that is longer is written as it comes: rows, and bytes of their lines.
MOST_ROWS, MOST_BYTES = 5_000, 16_000_000


def _nothing() -> None:
    """Do nothing."""


class Held:
    """The lines of one stream and its child tables; STATE is none of them.

    A SCHEMA waits until something follows it, or somebody sends it. Rows are written as they come, unless
    :meth:`compare` says that they are to wait.

    Args:
        write: writes lines.
    """

    def __init__(self, write: Callable[[Sequence[bytes]], None]) -> None:
        self._write = write
        self._schemas: dict[str, bytes] = {}
        self._form = Digest()
        self._digest: Digest | None = None
        self._lines: list[tuple[str, list[bytes]]] | None = None
        self._size = 0
        self._let_go: Callable[[], None] = _nothing

    # SCHEMA

    def schema(self, stream: str, line: bytes) -> None:
        """Take a SCHEMA."""
        self._schemas[stream] = line
        self._form.add(line)

    @property
    def form(self) -> str:
        """A digest of every SCHEMA that was taken."""
        return str(self._form)

    def send_schemas(self) -> None:
        """Write each SCHEMA that waits."""
        lines, self._schemas = list(self._schemas.values()), {}
        if lines:
            self._write(lines)

    # Rows

    def compare(self, mark: bytes, let_go: Callable[[], None], *, waits: bool) -> None:
        """Sum up the rows that follow.

        Args:
            mark: what else they are to be the same in.
            let_go: called before the first row of them is written.
            waits: nothing is written of them before :meth:`release`, unless they become too many.
        """
        self._digest = Digest()
        self._digest.add(mark)
        self._let_go = let_go
        self._lines = [] if waits else None
        if not waits:
            let_go()

    @property
    def digest(self) -> str | None:
        """The digest of all rows, whatever their order; None where they are too many, or nobody asked for it."""
        return None if self._digest is None else str(self._digest)

    @property
    def waits(self) -> bool:
        """Whether rows are kept back."""
        return self._lines is not None

    def rows(self, stream: str, records: Sequence[bytes], lines: list[bytes]) -> None:
        """Take rows.

        Args:
            stream: as the target is told it.
            records: each as JSON.
            lines: a RECORD message of each.
        """
        if self._digest is not None:
            for record in records:
                self._digest.add(stream.encode(), record)
            self._size += sum(map(len, lines))
        if self._lines is None:
            self._send(stream, lines)
        else:
            self._lines.append((stream, lines))
        if self._digest is not None and (self._digest.parts > MOST_ROWS or self._size > MOST_BYTES):
            self._digest = None
            self.release()

    def other(self, stream: str, line: bytes) -> None:
        """Take another message: rows before it are written first."""
        self.release()
        self._send(stream, [line])

    def release(self) -> None:
        """Write the rows that wait, and do not let others wait."""
        if self._lines is None:
            return
        waiting, self._lines = self._lines, None
        self._let_go()
        for stream, lines in waiting:
            self._send(stream, lines)

    def drop(self) -> None:
        """Forget the rows that wait."""
        self._lines = None

    def _send(self, stream: str, lines: list[bytes]) -> None:
        if not lines:
            return
        schema = self._schemas.pop(stream, None)
        self._write(lines if schema is None else [schema, *lines])
