"""What to do about what went wrong: the symptoms of docs/operations.md, found by the words of an error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec


@dataclass(frozen=True, slots=True)
class Advice:
    """Why something is seen, and what to do about it."""

    seen: str
    why: str
    do: str


#: Where no symptom fits.
UNKNOWN = Advice("", "", "run again: the state is safe. If it fails again, look into the log of the run")


def advice_on(error: str) -> Advice:
    """Return what is known of an error: of the symptoms that fit, the one with the longest words."""
    fitting = [(match.end() - match.start(), one) for one, pattern in _known() if (match := pattern.search(error))]
    return max(fitting, key=lambda found: (len(found[1].seen), found[0]))[1] if fitting else UNKNOWN


@cache
def _known() -> tuple[tuple[Advice, re.Pattern[str]], ...]:
    text = files("tap_crm.report").joinpath("advice.json").read_text("utf-8")
    known = msgspec.json.decode(text, type=tuple[Advice, ...])
    return tuple((one, re.compile(one.seen, re.IGNORECASE | re.DOTALL)) for one in known)
