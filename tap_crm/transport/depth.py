"""How deeply an answer in a file is nested: what is read piece by piece must not be deeper than memory can hold."""

from __future__ import annotations

import re
from typing import IO

from tap_crm.transport.question import Doubtful

#: Deeper than any documented answer; a parser of streams keeps the whole path to each level.
MOST_LEVELS = 500
#: Bytes that are looked at together, and how many more brackets may open than close in so many.
WINDOW, SUSPICIOUS = 4_096, 200
PIECE = 64 * WINDOW
#: Bytes of one text in an answer that looks deep; a longer one has no end.
LONGEST_TEXT = 16_000_000
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))


def check_depth(file: IO[bytes]) -> None:
    """Read a file of JSON once from its beginning.

    First only brackets are counted, which takes hardly any time; texts may hold some, so what looks deep then is read
    with care.

    Raises:
        Doubtful: it is nested more than ``MOST_LEVELS`` deep.
    """
    file.seek(0)
    while piece := file.read(PIECE):
        if any(_opens(piece, at) > SUSPICIOUS for at in range(0, len(piece), WINDOW)):
            _check_exactly(file)
            return


def _opens(piece: bytes, at: int) -> int:
    """Return how many more brackets open than close in a window."""
    end = at + WINDOW
    opened = piece.count(b"[", at, end) + piece.count(b"{", at, end)
    return opened - piece.count(b"]", at, end) - piece.count(b"}", at, end)


def _check_exactly(file: IO[bytes]) -> None:
    """Count brackets outside of texts."""
    file.seek(0)
    opened = rest = b""
    while piece := file.read(PIECE):
        outside = _TEXT.sub(b"", rest + piece)
        before, quote, begun = outside.partition(b'"')
        rest = quote + begun  # a text that goes on in the next piece
        if len(rest) > LONGEST_TEXT:
            raise Doubtful("the answer is broken or cut JSON")
        opened = _closed(opened + before.translate(None, _OTHERS))
        if len(opened) > MOST_LEVELS:
            raise Doubtful("the answer is nested too deeply")


def _closed(brackets: bytes) -> bytes:
    """Return brackets without those pairs that have nothing between them, as far as they are not too deep.

    Raises:
        Doubtful: so many lie within each other.
    """
    for _ in range(MOST_LEVELS):
        fewer = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if fewer == brackets:
            return brackets
        brackets = fewer
    raise Doubtful("the answer is nested too deeply")
