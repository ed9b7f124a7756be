"""Finds the name that somebody who mistyped it may have meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEAR = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question for the known name that is nearest, to end a message with; "" if none is near."""
    found = difflib.get_close_matches(name, list(known), 1, _NEAR)
    return f"; did you mean `{found[0]}`?" if found else ""
