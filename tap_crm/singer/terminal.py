"""Whether a live display, and a coloured table, can be shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

#: Terminals that cannot move their cursor.
_SIMPLE = ("dumb", "unknown")


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal."""
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def is_capable(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that can draw over what it has shown, and knows more letters than ASCII."""
    encoding = (getattr(stream, "encoding", None) or "").lower()
    return is_terminal(stream) and encoding.startswith("utf") and os.environ.get("TERM", "").lower() not in _SIMPLE
