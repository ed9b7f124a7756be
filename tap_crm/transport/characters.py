r"""Characters that no text can hold, taken out of the JSON of an answer before anything reads it.

Real mail syncs leave half of a surrogate pair in a record (``\ud83d`` alone), and some clients a NUL. JSON parsers
refuse the first, and PostgreSQL the second: one character of one record would keep a whole stream from being loaded, at
each run. Half a pair becomes U+FFFD, the sign for a character that is not known; a NUL, which stands for nothing, is
left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: Finds what may have to be mended: a NUL, half a pair, or a backslash that is itself escaped, since what follows it
#: then is no escape. Few answers have one of these.
_SUSPECT = re.compile(
    rb"\\u0000|\\\\u|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]", re.DOTALL
)
#: Every escape in its whole length, surrogate pairs first.
_ESCAPE = re.compile(
    rb"\\(?:u0000|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL
)
#: The rest of a text, and what follows it: only then it is known whether the text is a name.
_REST_AND_NEXT = re.compile(rb'(?:[^"\\]|\\.)*"\s*[^\s]', re.DOTALL)
_REST_OF_A_NAME = re.compile(rb'(?:[^"\\]|\\.)*"\s*:', re.DOTALL)
#: Bytes that JSON has nowhere, not even between its values.
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")
_NUL, _LENGTH_OF_ONE = b"\\u0000", 6
_REPLACEMENT, _REPLACEMENT_ESCAPED = "\ufffd".encode(), b"\\ufffd"


@dataclass(slots=True)
class Mender:
    """Mends one answer, in pieces as they come.

    Attributes:
        replacing: whether bytes that are no UTF-8, and bytes that JSON does not allow, are replaced as well. They may
            come from a damaged transfer: the answer should be asked for again first.
        replaced: how many U+FFFD were put in.
        removed: how many NULs were left out.
    """

    replacing: bool = False
    replaced: int = 0
    removed: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def take(self, piece: bytes, *, last: bool = False) -> bytes:
        """Return what is mended by now; with ``last``, all the rest.

        Raises:
            UnicodeDecodeError: the bytes are no UTF-8, and are not to be replaced.
        """
        held = self._rest + piece if self._rest else piece
        end = len(held) if last else _decided(held)
        ready, self._rest = held[:end], held[end:]
        try:
            ready.decode()
        except UnicodeDecodeError:
            if not self.replacing:
                raise
            before = ready.count(_REPLACEMENT)
            ready = ready.decode(errors="replace").encode()
            self.replaced += ready.count(_REPLACEMENT) - before
        if self.replacing:
            self.removed += ready.count(b"\0")
            ready, count = _CONTROL.subn(_REPLACEMENT, ready.replace(b"\0", b""))
            self.replaced += count
        if b"\\" in ready and b"\\u" in ready and _SUSPECT.search(ready):  # one byte alone is found much sooner
            ready = _ESCAPE.sub(self._mend, ready)
        return ready

    def _mend(self, escape: re.Match[bytes]) -> bytes:
        found = escape[0]
        if len(found) != _LENGTH_OF_ONE:  # a whole pair, or an escape of another kind
            return found
        # Without the NUL, the name of a field might be that of another one.
        if found == _NUL and not _REST_OF_A_NAME.match(escape.string, escape.end()):
            self.removed += 1
            return b""
        self.replaced += 1
        return _REPLACEMENT_ESCAPED


def _decided(held: bytes) -> int:
    """Return up to where everything can be mended: no escape and no character goes on behind a comma.

    A NUL is kept back until its text is over, and shows whether it is the name of a field.
    """
    end = held.rfind(b",") + 1
    while (nul := held.rfind(_NUL, 0, end)) >= 0:
        if _REST_AND_NEXT.match(held, nul + _LENGTH_OF_ONE, end):
            break
        end = held.rfind(b",", 0, nul) + 1
    return end
