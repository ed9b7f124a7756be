"""What a Meltano project deselects: a stream that discovery leaves out is in no catalog that could say so."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where Meltano tells an extractor its lists ``select`` and ``select_filter`` (docs.meltano.com: plugin extras).
SELECT, FILTER = "MELTANO_EXTRACT__SELECT", "MELTANO_EXTRACT__SELECT_FILTER"
_NOT = "!"
_WHOLE = ("", "*")


def is_deselected(stream: str, environment: Mapping[str, str]) -> bool:
    """Tell whether the Meltano project that runs the tap leaves a stream out; False where none does, or says nothing.

    Args:
        stream: its name.
        environment: the process's variables.
    """
    return not all(_takes_in(_patterns(environment.get(name)), stream) for name in (SELECT, FILTER))


def _patterns(text: str | None) -> list[str]:
    try:
        found = msgspec.json.decode(text or "[]")
    except (msgspec.DecodeError, UnicodeError):
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _takes_in(patterns: list[str], stream: str) -> bool:
    """Tell whether a list has the stream: it is in one of its rules, if there are any, and no rule leaves it out."""
    taken = [one.partition(".")[0] for one in patterns if not one.startswith(_NOT)]
    left = [one.removeprefix(_NOT).partition(".") for one in patterns if one.startswith(_NOT)]
    if any(fnmatchcase(stream, name) and field in _WHOLE for name, _, field in left):
        return False
    return not taken or any(fnmatchcase(stream, name) for name in taken)
