"""The items of a JSON array in a file, decoded some at a time: memory stays flat, however large the file is.

A piece of the file is cut where an item ends. Where that is, is guessed by how the first item begins, or found by
counting brackets; a wrong guess is no JSON, since what is cut within an item or a text is not closed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that are decoded at once, at least.
PIECE = 262_144
#: Bytes that one item may have; without a bound, an item that never ends would be held in memory whole.
LARGEST_ITEM = 64_000_000
#: So many guesses are made for a piece.
GUESSES = 3
_DECODER = msgspec.json.Decoder(list, float_hook=Decimal)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError)
_SPACE = b" \t\r\n"
_BEGIN = re.compile(rb'\s*(\{\s*"(?:[^"\\]|\\.)*")')
_ITEM = re.compile(rb"\s*\{")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{},]', re.DOTALL)


def items_of(file: IO[bytes], size: int = PIECE) -> Iterator[Any]:
    """Yield the items, read to the very end of the file. Numbers with fractions are Decimals.

    Raises:
        Doubtful: it is no array, or cut, broken, nested too deeply, or an item is too large; perhaps after items were
            yielded.
    """
    file.seek(0)
    text = file.read(size).lstrip(_SPACE)
    while not text and (piece := file.read(size)):
        text = piece.lstrip(_SPACE)
    if not text.startswith(b"["):
        raise Doubtful("the answer is not the documented list of rows")
    text = text[1:]
    pieces = _Pieces(text)
    while piece := file.read(max(size, len(text))):
        if len(text) > LARGEST_ITEM:
            raise Doubtful("an item of the answer is too large to be one")
        text += piece
        items, text = pieces.cut(text)
        yield from items
    yield from _decoded(b"[" + text)


class _Pieces:
    """Cuts what was read behind an item.

    Args:
        text: the beginning of the first item.
    """

    def __init__(self, text: bytes) -> None:
        found = _BEGIN.match(text)
        self._begin = found[1] if found else None

    def cut(self, text: bytes) -> tuple[list[Any], bytes]:
        """Return the items in a text that begins with one, and what is left, which begins with one, too."""
        if self._begin is not None:
            place = len(text)
            for _ in range(GUESSES):
                place = text.rfind(self._begin, 0, place)
                if place <= 0:
                    return [], text
                before = text[:place].rstrip(_SPACE)
                if not before.endswith(b","):
                    continue
                try:
                    return _DECODER.decode(b"[" + before[:-1] + b"]"), text[place:]
                except _BROKEN:
                    continue
            self._begin = None  # what is within the items begins so, too
        comma = _last_comma(text)
        return (_decoded(b"[" + text[:comma] + b"]"), text[comma + 1 :]) if comma else ([], text)


def _last_comma(text: bytes) -> int:
    """Return the place of the last comma between two items of which the second has begun; 0 if there is none."""
    depth = last = 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in {b"{", b"["}:
            depth += 1
        elif sign in {b"}", b"]"}:
            depth -= 1
        elif sign == b"," and not depth and _ITEM.match(text, token.end()):
            last = token.start()
    return last


def _decoded(text: bytes) -> list[Any]:
    try:
        return _DECODER.decode(text)
    except _BROKEN:
        raise Doubtful("the answer is broken or cut JSON") from None
