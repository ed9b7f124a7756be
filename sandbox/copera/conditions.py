"""What each operator of a filter means (copera.md, section 6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.copera.moments import DAY, SECOND, moment_of

_ALWAYS = ("is_empty", "is_not_empty")
_RELATIVE = (
    *("today", "yesterday", "tomorrow", "next_7_days", "last_7_days", "current_week", "last_week", "next_week"),
    *("current_month", "last_month", "next_month"),
)
OPERATORS: dict[str, tuple[str, ...]] = {
    "string": ("equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with", *_ALWAYS),
    "number": ("equals", "not_equals", "gt", "gte", "lt", "lte", "includes", "not_includes", *_ALWAYS),
    "select": ("equals", "not_equals", "includes", "not_includes", *_ALWAYS),
    "bool": ("equals", "not_equals", *_ALWAYS),
    "date": ("equals", "before", "after", "between", *_RELATIVE, *_ALWAYS),
}
FAMILIES = (
    dict.fromkeys(("NUMBER", "MONEY", "DURATION", "AUTONUMBER", "ROLLUP", "TRACKER"), "number")
    | dict.fromkeys(("STATUS", "DROPDOWN", "LABELS", "USERS", "LINK"), "select")
    | dict.fromkeys(("DATE", "CREATED_AT", "UPDATED_AT"), "date")
    | {"CHECKBOX": "bool"}
)
"""Families of column types; all others are strings."""


def holds(family: str, operator: str, cell: Any, value: Any, now: float) -> bool:  # noqa: ANN401
    """Whether a cell meets a condition; ValueError or TypeError if the value does not fit the operator."""
    empty = cell in (None, "", [])
    if operator in _ALWAYS:
        return empty is (operator == "is_empty")
    if family == "select":
        wanted = set(value if isinstance(value, list) else [_text(value)])
        has = set() if empty else set(cell if isinstance(cell, list) else [cell])
        met = has == wanted if operator.endswith("equals") else bool(has & wanted)
        return met is not operator.startswith("not_")
    if family == "date":
        start, end = _span(operator, value, now)
        return not empty and start <= moment_of(cell) < end
    if family == "string":
        return _text_holds(operator, str(cell or "").lower(), _text(value).lower())
    if operator in ("equals", "not_equals"):
        return (cell == value) is (operator == "equals")
    return _number_holds(operator, cell, value)


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004
    return value


def _text_holds(operator: str, cell: str, value: str) -> bool:
    tests = {
        "equals": cell == value,
        "contains": value in cell,
        "starts_with": cell.startswith(value),
        "ends_with": cell.endswith(value),
    }
    return tests[operator.removeprefix("not_")] is not operator.startswith("not_")


def _number_holds(operator: str, cell: Any, value: Any) -> bool:  # noqa: ANN401
    if operator in ("includes", "not_includes"):
        if not isinstance(value, list):
            raise ValueError("not a list")
        return (cell in value) is (operator == "includes")
    if not isinstance(value, (int, float)):
        raise ValueError("not a number")  # noqa: TRY004
    if not isinstance(cell, (int, float)):
        return False
    tests = {"gt": cell > value, "gte": cell >= value, "lt": cell < value, "lte": cell <= value}
    return tests[operator]


def _span(operator: str, value: Any, now: float) -> tuple[float, float]:  # noqa: ANN401
    """Give the first moment that meets a date's condition, and the first after them."""
    if operator == "between":
        start, end = value
        return moment_of(start), moment_of(end) + 1
    if operator in ("equals", "before", "after"):
        moment = moment_of(value)
        day = moment - moment % DAY
        return {"equals": (day, day + DAY), "before": (-1e18, moment), "after": (moment + 1, 1e18)}[operator]
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = _days(operator, today)
    return first.timestamp() * SECOND, last.timestamp() * SECOND


def _days(operator: str, today: datetime) -> tuple[datetime, datetime]:
    day, week = timedelta(days=1), timedelta(days=7)
    monday = today - day * today.weekday()
    month = today.replace(day=1)
    following = (month + 32 * day).replace(day=1)
    spans = {
        "today": (today, today + day),
        "yesterday": (today - day, today),
        "tomorrow": (today + day, today + 2 * day),
        "next_7_days": (today + day, today + 8 * day),
        "last_7_days": (today - week, today),
        "current_week": (monday, monday + week),
        "last_week": (monday - week, monday),
        "next_week": (monday + week, monday + 2 * week),
        "current_month": (month, following),
        "last_month": ((month - day).replace(day=1), month),
        "next_month": (following, (following + 32 * day).replace(day=1)),
    }
    return spans[operator]
