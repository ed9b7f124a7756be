"""The symptoms of docs/operations.md as data, for the page of `tap-crm-report`."""

from __future__ import annotations

import json
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
#: A phrase with fewer letters would be found where something else is meant.
SHORTEST = 12
_ROW = re.compile(r"^\| (?P<seen>.+) \| (?P<why>.+) \| (?P<act>.+) \|$", re.MULTILINE)
_CODE = re.compile(r"(`+) ?(.+?) ?\1(?!`)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_NUMBER = re.compile(r"\d[\d,]*")


def advice() -> str:
    """Return the symptoms as JSON: each phrase that may be seen as a pattern, why it is seen, and what to do."""
    _, _, symptoms = PAGE.read_text("utf-8").partition("\n## Symptoms\n")
    entries = [
        {"seen": pattern(phrase), "why": _text(row["why"]), "do": _text(row["act"])}
        for row in _ROW.finditer(symptoms)
        for _, phrase in _CODE.findall(row["seen"])
        if sum(map(str.isalpha, phrase)) >= SHORTEST
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def pattern(phrase: str) -> str:
    """Return a phrase as a pattern: `…` stands for anything, and a number for any other."""
    parts = phrase.strip().strip("…").strip().split("…")
    return ".*".join(r"[\d,]+".join(re.escape(text) for text in _NUMBER.split(part)) for part in parts)


def _text(cell: str) -> str:
    """Return a cell without its links; what is code stays marked as such."""
    return _LINK.sub(r"\1", cell).replace(r"\|", "|")
