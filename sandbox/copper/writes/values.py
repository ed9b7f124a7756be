"""Checks of written values, each for one kind of attribute; what a check gives is what the record then holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.copper.filters import invalid
from sandbox.copper.related import PLURAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.copper.records import AccountRecords
    from sandbox.exchange import Record, Refusal

Check: TypeAlias = Callable[["AccountRecords", str, Any], Any]
"""Gives the value of a named attribute as it is kept; FieldError if the API does not take it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESS = ("street", "city", "state", "postal_code", "country")


class FieldError(Exception):
    """An attribute that is not taken: 422 for a record alone, an entry of its own in the answer of a bulk request."""

    def __init__(self, name: str, why: str, code: str = "invalid", status: int = 422) -> None:
        super().__init__(why)
        self.name = name
        self.why = why
        self.code = code
        self.status = status

    def refusal(self) -> Refusal:
        """Give the refusal of a request for one record."""
        made = invalid(self.name, self.why)
        made.status = self.status
        return made

    def item(self) -> Record:
        """Give the entry in the answer of a bulk request (bulk-create-people)."""
        return {"success": False, "message": {self.name: [{"error": self.code}]}}


def text(records: AccountRecords, name: str, value: Any) -> str | None:  # noqa: ANN401
    """Check a text; null clears it."""
    if value is not None and not isinstance(value, str):
        raise FieldError(name, f"must be a string: {value!r}")
    return None if value == "" and records.behaviour.empty_texts == "null" else value


def filled(records: AccountRecords, name: str, value: Any) -> str:  # noqa: ANN401
    """Check a text that may not be empty."""
    given = text(records, name, value)
    if not (given or "").strip():
        raise FieldError(name, "can't be blank", "blank")
    return given or ""


def amount(_: AccountRecords, name: str, value: Any) -> float | None:  # noqa: ANN401
    """Check a number."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise FieldError(name, f"must be a number: {value!r}")
    return value


def percentage(_: AccountRecords, name: str, value: Any) -> int | None:  # noqa: ANN401
    """Check a whole number from 0 to 100."""
    if value is not None and (type(value) is not int or not 0 <= value <= 100):  # noqa: PLR2004
        raise FieldError(name, f"must be an integer from 0 to 100: {value!r}")
    return value


def moment(records: AccountRecords, name: str, value: Any) -> int | None:  # noqa: ANN401
    """Check a time: epoch seconds, or a day as text where the knob `written_dates` takes it."""
    taken = records.behaviour.written_dates
    if isinstance(value, str) and taken != "epoch":
        day = _day(value, dmy=records.shape.dmy)
        if day is None:
            raise FieldError(name, f"is not a date: {value!r}")
        return (day - _EPOCH) // timedelta(seconds=1)
    if value is not None and (type(value) is not int or taken == "text"):
        raise FieldError(name, f"is not a date: {value!r}")
    return value


def close_date(records: AccountRecords, name: str, value: Any) -> str | None:  # noqa: ANN401
    """Check the one date that is a text, `MM/DD/YYYY` or `DD/MM/YYYY`; it is kept without padding."""
    if value is None:
        return None
    day = _day(value, dmy=records.shape.dmy) if isinstance(value, str) else None
    if day is None:
        raise FieldError(name, f"is not a date: {value!r}")
    return f"{day.day}/{day.month}/{day.year}" if records.shape.dmy else f"{day.month}/{day.day}/{day.year}"


def one_of(*allowed: str, nullable: bool = False) -> Check:
    """Make the check of a fixed set of texts."""

    def check(_: AccountRecords, name: str, value: Any) -> str | None:  # noqa: ANN401
        if (value is None and nullable) or (isinstance(value, str) and value in allowed):
            return value
        raise FieldError(name, f"must be one of {', '.join(allowed)}: {value!r}")

    return check


def listed(which: str) -> Check:
    """Make the check of an id of a small list."""

    def check(records: AccountRecords, name: str, value: Any) -> int | None:  # noqa: ANN401
        return _identifier(name, value, {one["id"] for one in records.lists[which]} if value is not None else ())

    return check


def record_of(table: str) -> Check:
    """Make the check of an id of a record that the key may see."""

    def check(records: AccountRecords, name: str, value: Any) -> int | None:  # noqa: ANN401
        seen = type(value) is int and records.sees(table, value)
        return _identifier(name, value, (value,) if seen else ())

    return check


def _identifier(name: str, value: Any, known: Iterable[int]) -> int | None:  # noqa: ANN401
    if value is None:
        return None
    if type(value) is not int or value <= 0:
        raise FieldError(name, f"IDs must be positive integers: {value}")
    if value not in known:
        raise FieldError(name, f"there is no such record: {value}", "not_found")
    return value


def entries(key: str, *categories: str) -> Check:
    """Make the check of an array of objects with a value and a category; it replaces the old one."""
    one = entry(key, *categories)

    def check(records: AccountRecords, name: str, value: Any) -> list[Any]:  # noqa: ANN401
        if value is not None and not isinstance(value, list):
            raise FieldError(name, f"must be an array: {value!r}")
        return [one(records, name, each) for each in value or ()]

    return check


def entry(key: str, *categories: str) -> Check:
    """Make the check of an object with a value and a category."""

    def check(_: AccountRecords, name: str, value: Any) -> Record:  # noqa: ANN401
        if not isinstance(value, dict) or not {key} <= set(value) <= {key, "category"}:
            raise FieldError(name, f"must have {key} and category: {value!r}")
        held, category = value[key], value.get("category")
        if not isinstance(held, str) or not held or (key == "email" and "@" not in held):
            raise FieldError(name, f"is no {key}: {held!r}")
        if category is not None and category not in categories:
            raise FieldError(name, f"category must be one of {', '.join(categories)}: {category!r}")
        return {key: held, "category": category}

    return check


def nullable(check: Check) -> Check:
    """Let null through, too."""
    return lambda records, name, value: None if value is None else check(records, name, value)


def address(records: AccountRecords, name: str, value: Any) -> Record | None:  # noqa: ANN401
    """Check an address; a part that is left out is null (but see the knob `partial_address`)."""
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) - set(_ADDRESS):
        raise FieldError(name, f"must have {', '.join(_ADDRESS)}: {value!r}")
    return {part: text(records, name, value.get(part)) for part in _ADDRESS}


def tags(_: AccountRecords, name: str, value: Any) -> list[str]:  # noqa: ANN401
    """Check the tags; each counts once."""
    if value is not None and (not isinstance(value, list) or any(not isinstance(one, str) or not one for one in value)):
        raise FieldError(name, f"must be an array of strings: {value!r}")
    return list(dict.fromkeys(value or ()))


def pointer(*kinds: str, empty: bool) -> Check:
    """Make the check of an id with a type; with `empty` null, or null in both, points at nothing."""

    def check(records: AccountRecords, name: str, value: Any) -> Record:  # noqa: ANN401
        if empty and value in (None, {"id": None, "type": None}):
            return {"id": None, "type": None}
        if not isinstance(value, dict) or set(value) != {"id", "type"} or value["type"] not in kinds:
            raise FieldError(name, f"must have an id and a type among {', '.join(kinds)}: {value!r}")
        record_of(PLURAL[value["type"]])(records, name, value["id"])
        if value["id"] is None:
            raise FieldError(name, "IDs must be positive integers: null")
        return {"id": value["id"], "type": value["type"]}

    return check


def activity_type(records: AccountRecords, name: str, value: Any) -> Record:  # noqa: ANN401
    """Check the type of an activity: one of those that users may write."""
    if not isinstance(value, dict) or set(value) != {"id", "category"} or value["category"] != "user":
        raise FieldError(name, f'must have an id and the category "user": {value!r}')
    for one in records.lists["activity_types"]:
        if one["category"] == "user" and one["id"] == value["id"] and type(value["id"]) is int:
            if one["is_disabled"]:
                raise FieldError(name, f"is disabled: {value['id']}")
            return {"id": one["id"], "category": "user"}
    raise FieldError(name, f"there is no such activity type: {value['id']}", "not_found")


def _day(written: str, *, dmy: bool) -> datetime | None:
    try:
        return datetime.strptime(written, "%d/%m/%Y" if dmy else "%m/%d/%Y").replace(tzinfo=UTC)
    except ValueError:
        return None
