"""The deprecated text search of leads, as far as it is about dates; it is precise to the minute."""

from __future__ import annotations

import re

from sandbox.close.moments import MINUTE, micros_of_filter
from sandbox.close.parameters import invalid
from sandbox.close.table import FOREVER

_WORD = re.compile(r'(date_created|date_updated)\s*(>=|<=|>|<)\s*"([^"]+)"|sort:(-?)(date_created|date_updated)|\s+')


def read_text_query(text: str) -> tuple[dict[str, tuple[int, int]], str, bool]:
    """Read a query; gives its bounds, the attribute to sort by, and whether downwards."""
    bounds: dict[str, tuple[int, int]] = {}
    order, descending, place = "created", True, 0
    while place < len(text):
        word = _WORD.match(text, place)
        if not word:
            raise invalid("query", f"The sandbox does not understand: {text[place:]}")
        place = word.end()
        field, operator, value, downwards, sort = word.groups()
        if sort:
            order, descending = sort.removeprefix("date_"), bool(downwards)
        elif field:
            name = field.removeprefix("date_")
            bounds[name] = _narrowed(bounds.get(name, (-FOREVER, FOREVER)), operator, _minute(value))
    return bounds, order, descending


def _minute(value: str) -> int:
    try:
        moment = micros_of_filter(value)
    except ValueError as error:
        raise invalid("query", f"Invalid date: {error}") from None
    return moment - moment % MINUTE


def _narrowed(bounds: tuple[int, int], operator: str, minute: int) -> tuple[int, int]:
    low, high = bounds
    if operator.startswith(">"):
        return max(low, minute + (MINUTE if operator == ">" else 0)), high
    return low, min(high, minute + (MINUTE if operator == "<=" else 0))
