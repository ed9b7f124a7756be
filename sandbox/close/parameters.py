"""Reads the parameters of a GET strictly: every name known, every value of its kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from sandbox.close.behaviour import named
from sandbox.close.contract import parameters_of
from sandbox.close.moments import DAY, micros_of_filter
from sandbox.close.table import FOREVER
from sandbox.exchange import Record, Refusal

if TYPE_CHECKING:
    from sandbox.close.behaviour import Behaviour
    from sandbox.exchange import Request

PAGE_DEFAULT = 100
_COMMON = ("_limit", "_skip", "_fields", "_order_by")
OPERATORS = ("gt", "gte", "lt", "lte")
_OLD_SKIP = (
    "The skip you set is larger than the maximum skip for this resource (max_skip = {}). "
    "Please refine your search query."
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a list may be asked besides its page and fields."""

    names: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    """Names of times, each with `__gt` and so on, or plain."""
    ignored: frozenset[str] = frozenset()
    """Names that are accepted and do nothing."""
    order: tuple[str, ...] = ()
    """What `_order_by` may name."""
    page: frozenset[str] = frozenset({"_limit", "_skip"})
    """How a page may be chosen."""

    def known(self) -> set[str]:
        """Every name that may be given."""
        dates = {name + end for name in self.dates for end in ("", *(f"__{one}" for one in OPERATORS))}
        order = {"_order_by"} if self.order else set()
        return {"_fields", *self.page, *self.names, *self.ignored, *dates, *order}


SINGLE = Parameters(page=frozenset())
"""What a single record may be asked."""


@dataclass(slots=True)
class CheckedParameters:
    """The parameters of a list, read and checked."""

    resource: str
    limit: int = PAGE_DEFAULT
    skip: int = 0
    fields: list[str] | None = None
    order: str | None = None
    given: dict[str, str] = field(default_factory=dict)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each time, the first moment that fits and the first after it that does not."""
    cap: int = PAGE_DEFAULT

    def values(self, name: str) -> set[str] | None:
        """Give the values that a field may have, by `name` and `name__in`; None if it may have any."""
        found = None
        if name in self.given:
            found = {self.given[name]}
        if f"{name}__in" in self.given:
            many = set(self.given[f"{name}__in"].split(","))
            found = many if found is None else found & many
        return found


def invalid(name: str, text: str) -> Refusal:
    """Refuse a parameter in the form of a validation error."""
    body = msgspec.json.encode({"errors": [], "field-errors": {name: text}})
    return Refusal(400, f"{name}: {text}", body=body)


def refused(text: str) -> Refusal:
    """Refuse a request in the form of one sentence."""
    return Refusal(400, text)


def read(resource: str, request: Request, parameters: Parameters, behaviour: Behaviour) -> CheckedParameters:
    """Read the query string of a list."""
    found = CheckedParameters(resource, cap=behaviour.limit_cap(resource))
    known = parameters.known() & (parameters_of(request.path) or parameters.known())
    if behaviour.unlisted_paging == "honoured":
        known |= parameters.page
    hours = offset_of(request)
    for name, value in request.query.items():
        if name not in known:
            if behaviour.unknown_parameters == "refused":
                raise invalid(name, "Unknown parameter.")
        elif name in _COMMON:
            _take(found, name, value, parameters)
        elif name.partition("__")[0] in parameters.dates:
            _bound(found, name, value, hours)
        elif name not in parameters.ignored:
            found.given[name] = value
    _ids_in(found, behaviour)
    if named(behaviour.ignored_filters, resource):
        found.given = {name: value for name, value in found.given.items() if name.startswith("_")}
        found.bounds = {}
    return found


def _take(found: CheckedParameters, name: str, value: str, parameters: Parameters) -> None:
    if name == "_fields":
        found.fields = [one.strip() for one in value.split(",")]
    elif name == "_order_by":
        found.order = _order(value, parameters)
    elif not value.isascii() or not value.isdigit():
        raise invalid(name, "Not a valid integer.")
    else:
        setattr(found, name[1:], int(value))


def paged(found: CheckedParameters, behaviour: Behaviour) -> CheckedParameters:
    """Check the page that is asked."""
    least = 0 if found.resource == "lead" else 1
    if found.limit > found.cap:
        raise invalid("_limit", f"Value must be less than or equal to {found.cap}.")
    if found.limit < least:
        raise invalid("_limit", f"Value must be greater than or equal to {least}.")
    most = behaviour.skip_cap(found.resource)
    if found.skip > most:
        if behaviour.skip_error == "old":
            raise refused(_OLD_SKIP.format(most))
        raise invalid("_skip", f"Value must be less than or equal to {most}.")
    return found


def start_of(found: CheckedParameters, behaviour: Behaviour) -> int:
    """Give the place at which the page that is asked begins."""
    return 0 if named(behaviour.stuck, found.resource) else found.skip


def has_more(found: CheckedParameters, count: int, behaviour: Behaviour) -> bool:
    """Whether any of so many records come after the page that is asked for."""
    return named(behaviour.endless, found.resource) or found.skip + found.limit < count


def offset_of(request: Request) -> float:
    """Read the header x-tz-offset: hours from UTC."""
    text = request.headers.get("x-tz-offset", "0")
    try:
        return float(text)
    except ValueError:
        raise refused(f"Invalid X-TZ-Offset: {text}") from None


def boolean(name: str, value: str) -> bool:
    """Read a truth value."""
    if value.lower() not in ("true", "false"):
        raise invalid(name, "Not a valid boolean.")
    return value.lower() == "true"


def with_fields(record: Record, fields: list[str] | None) -> Record:
    """Keep the fields that are asked for: `custom` stands for all custom fields, `_all` for all."""
    if fields is None or "_all" in fields:
        return record
    wanted, custom = set(fields), "custom" in fields
    return {key: value for key, value in record.items() if key in wanted or (custom and key.startswith("custom."))}


def _order(value: str, parameters: Parameters) -> str:
    if value.removeprefix("-") not in parameters.order and value not in parameters.order:
        raise invalid("_order_by", f"Can not order by {value}.")
    return value


def _bound(found: CheckedParameters, name: str, value: str, hours: float) -> None:
    key, _, operator = name.partition("__")
    try:
        moment = micros_of_filter(value, hours)
    except ValueError as error:
        raise invalid(name, f"Invalid date: {error}.") from None
    low, high = found.bounds.get(key, (-FOREVER, FOREVER))
    if operator in ("gt", "gte", ""):
        low = max(low, moment + (operator == "gt"))
    if operator in ("lt", "lte"):
        high = min(high, moment + (operator == "lte"))
    elif operator == "":
        high = min(high, moment + (1 if "T" in value else DAY))
    found.bounds[key] = (low, high)


def _ids_in(found: CheckedParameters, behaviour: Behaviour) -> None:
    if "id__in" not in found.given or behaviour.id_in == "honoured":
        return
    if behaviour.id_in == "refused":
        raise invalid("id__in", "Unknown parameter.")
    del found.given["id__in"]
