"""The conditions of a search on one field's value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.close.moments import DAY, SECOND, micros_of, micros_of_filter
from sandbox.close.parameters import invalid
from sandbox.close.table import FOREVER

if TYPE_CHECKING:
    from sandbox.exchange import Record

Holds: TypeAlias = Callable[[Any], bool]


def check_keys(query: Record, sort: str, *needed: str, optional: tuple[str, ...] = ()) -> None:
    """Check the keys of a part of a query."""
    if query["type"] != sort:
        raise invalid("query", f"Expected {sort}, got {query['type']}.")
    given = set(query) - {"type", "negate"}
    if wrong := (given - set(needed) - set(optional)) | (set(needed) - given):
        raise invalid("query", f"{sort}: missing or unknown: {min(wrong)}.")


def moments(given: Record, hours: float, now: int, *, cut: bool) -> tuple[int, int]:
    """Read a moment_range: the first moment that fits and the first after it that does not."""
    check_keys(given, "moment_range", optional=("on_or_after", "before"))
    low = _moment(given.get("on_or_after"), -FOREVER, hours, now)
    high = _moment(given.get("before"), FOREVER, hours, now)
    if cut:
        low, high = (one - one % SECOND if abs(one) != FOREVER else one for one in (low, high))
    return low, high


def condition(given: Any, hours: float, now: int, user_id: str, *, cut: bool) -> Holds:  # noqa: ANN401
    """Read a condition; gives its test of a value."""
    if not isinstance(given, dict) or "type" not in given:
        raise invalid("query", "A condition must be an object with a type.")
    if given["type"] == "moment_range":
        low, high = moments(given, hours, now, cut=cut)
        return lambda value: value is not None and low <= micros_of(value) < high
    if given["type"] == "exists":
        check_keys(given, "exists")
        return lambda value: value is not None and value != []
    if given["type"] == "current_user":
        check_keys(given, "current_user")
        return lambda value: value == user_id
    if given["type"] == "text":
        return _text(given)
    if given["type"] == "number_range":
        return _number(given)
    if given["type"] in _LISTED:
        key = _LISTED[given["type"]]
        check_keys(given, given["type"], key, optional=("reference_type",))
        if not isinstance(given[key], list):
            raise invalid("query", f"{key} must be a list.")
        wanted = given[key]
        return lambda value: any(_plain(one) in wanted for one in value) if isinstance(value, list) else value in wanted
    raise invalid("query", f"Unknown condition: {given['type']}.")


_LISTED = {"term": "values", "reference": "object_ids"}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Give what is searched of an email, phone or URL of a record: the address itself."""
    if not isinstance(value, dict):
        return value
    return next((value[key] for key in ("email", "phone", "url") if key in value), None)


def _text(given: Record) -> Holds:
    check_keys(given, "text", "value", optional=("mode",))
    wanted = str(given["value"]).casefold()
    whole = given.get("mode") == "exact_value"

    def fits(value: Any) -> bool:  # noqa: ANN401
        texts = [str(_plain(one)).casefold() for one in (value if isinstance(value, list) else [value])]
        return value is not None and any(one == wanted if whole else wanted in one for one in texts)

    return fits


def _number(given: Record) -> Holds:
    check_keys(given, "number_range", optional=("gt", "gte", "lt", "lte"))
    low = max(given.get("gte", -FOREVER), given.get("gt", -FOREVER))
    high = min(given.get("lte", FOREVER), given.get("lt", FOREVER))

    def fits(value: Any) -> bool:  # noqa: ANN401
        if value is None or value in (given.get("gt"), given.get("lt")):
            return False
        return bool(low <= value <= high)

    return fits


def _moment(given: Any, otherwise: int, hours: float, now: int) -> int:  # noqa: ANN401
    if given is None:
        return otherwise
    if not isinstance(given, dict) or "type" not in given:
        raise invalid("query", "A moment must be an object with a type.")
    try:
        if given["type"] == "fixed_utc":
            check_keys(given, "fixed_utc", "value")
            return micros_of_filter(given["value"])
        if given["type"] == "fixed_local_date":
            check_keys(given, "fixed_local_date", "value", optional=("which",))
            return micros_of_filter(given["value"], hours) + (DAY if given.get("which") == "end" else 0)
    except (ValueError, TypeError) as error:
        raise invalid("query", f"Invalid moment: {error}.") from None
    if given["type"] == "now":
        check_keys(given, "now")
        return now
    raise invalid("query", f"Moment that the sandbox does not know: {given['type']}.")
