"""Reads the body of a search strictly: every attribute is known, every value is of its kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copper.filters import (
    FILTERS,
    RANGES,
    FilterContext,
    Test,
    boolean,
    in_range,
    integers,
    invalid,
    number,
    texts,
)
from sandbox.copper.samples.tables import INDEXED
from sandbox.copper.sorting import DEFAULT_SORT, SORTS
from sandbox.exchange import Record, Refusal

if TYPE_CHECKING:
    from sandbox.copper.behaviour import Behaviour

PAGE_DEFAULT, PAGE_MOST = 20, 200

_WITH_FIELDS = ("people", "companies", "leads", "opportunities")
_PAGING = ("page_number", "page_size", "fields")
_PARENTS = ("lead", "person", "company", "opportunity", "project", "task")
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(slots=True)
class SearchRequest:
    """A search, read and checked."""

    name: str
    page_number: int = 1
    page_size: int = PAGE_DEFAULT
    sort_by: str = ""
    descending: bool = False
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Inclusive ranges of indexed attributes."""
    tests: list[Test] = field(default_factory=list)
    """What else a record must pass."""
    fields: list[str] | None = None
    with_converted: bool = False
    parent: tuple[str, int] | None = None
    full_result: bool = False
    signature: bytes = b""
    """Equal for searches with the same hits in the same order."""

    def bound(self, attribute: str, value: float, *, at_least: bool) -> None:
        """Narrow the range of an indexed attribute."""
        low, high = self.bounds.get(attribute, (float("-inf"), float("inf")))
        self.bounds[attribute] = (max(low, value), high) if at_least else (low, min(high, value))


def decoded(body: bytes) -> Record:
    """Read a body as a JSON object; an empty one asks for the defaults."""
    if not body:
        return {}
    try:
        return msgspec.json.decode(body, type=dict)
    except msgspec.DecodeError as error:
        raise Refusal(400, "Bad request: the body is not a JSON object") from error


def paged(search: SearchRequest, body: Record) -> None:
    """Take the paging (introduction/pagination)."""
    if "page_number" in body:
        search.page_number = int(number("page_number", body["page_number"]))
        if search.page_number < 1:
            raise invalid("page_number", "must be at least 1")
    if "page_size" in body:
        search.page_size = int(number("page_size", body["page_size"]))
        if not 1 <= search.page_size <= PAGE_MOST:
            raise invalid("page_size", f"must be between 1 and {PAGE_MOST}")


def read_search(
    name: str, body: Record, behaviour: Behaviour, context: FilterContext, known: set[str]
) -> SearchRequest:
    """Read a search of a searchable object; `known` are the names that `fields` may hold."""
    search = SearchRequest(name, sort_by=DEFAULT_SORT[name])
    paged(search, body)
    for attribute, value in body.items():
        if attribute in ("page_number", "page_size"):
            continue
        if attribute == "fields" and name in _WITH_FIELDS:
            search.fields = texts("fields", value)
            if not set(search.fields) <= known:
                raise invalid("fields", f"unknown: {sorted(set(search.fields) - known)}")
        elif not _range(search, attribute, value, behaviour, context):
            _narrow(search, attribute, value, context)
    same = {key: value for key, value in body.items() if key not in _PAGING}
    filtering = behaviour.modified_filter.get(name, "honoured")
    search.signature = f"{name} {filtering} {context.now if 'age' in body else 0} ".encode() + _encode(same)
    return search


def read_activities(
    body: Record, behaviour: Behaviour, context: FilterContext, parent: tuple[str, int] | None = None
) -> SearchRequest:
    """Read a search of activities (activities/list-activities-search)."""
    search = SearchRequest("activities", sort_by="activity_date", descending=True, parent=parent)
    paged(search, body)
    for attribute, value in body.items():
        if attribute in ("page_number", "page_size") or _range(search, attribute, value, behaviour, context):
            continue
        if attribute == "parent" and parent is None:
            search.parent = _parent(value)
        elif attribute == "activity_types":
            search.tests.append(_types(value))
        elif attribute == "user_ids":
            search.tests.append(_users(value))
        elif attribute == "full_result":
            search.full_result = boolean("full_result", value) and behaviour.admin_key
        else:
            raise _unknown(attribute)
    same = {key: value for key, value in body.items() if key not in _PAGING}
    search.signature = f"activities {search.parent} ".encode() + _encode(same)
    return search


def _range(search: SearchRequest, attribute: str, value: object, behaviour: Behaviour, context: FilterContext) -> bool:
    side, _, what = attribute.partition("_")
    column = RANGES[search.name].get(what) if side in ("minimum", "maximum") else None
    if column is None:
        return False
    filtering = behaviour.modified_filter.get(search.name, "honoured")
    if what == "modified_date" and filtering != "honoured":
        if filtering == "refused":
            raise _unknown(attribute)
        return True
    if column in INDEXED[search.name]:
        search.bound(column, number(attribute, value), at_least=side == "minimum")
    else:
        search.tests.append(in_range(attribute, column, value, context))
    return True


def _narrow(search: SearchRequest, attribute: str, value: Any, context: FilterContext) -> None:  # noqa: ANN401
    name = search.name
    if attribute == "sort_by":
        if value not in SORTS[name]:
            raise invalid("sort_by", f"must be one of {', '.join(SORTS[name])}: {value!r}")
        search.sort_by = value
    elif attribute == "sort_direction":
        if value not in ("asc", "desc"):
            raise invalid("sort_direction", f"must be asc or desc: {value!r}")
        search.descending = value == "desc"
    elif attribute == "include_converted_leads" and name == "leads":
        search.with_converted = boolean(attribute, value)
    elif attribute in FILTERS[name]:
        search.tests.append(FILTERS[name][attribute](attribute, value, context))
    else:
        raise _unknown(attribute)


def _unknown(attribute: str) -> Refusal:
    return Refusal(422, f"Invalid input: Validation errors: {attribute}: Unknown attribute")


def _parent(value: object) -> tuple[str, int]:
    match value:
        case {"id": int(number), "type": str(kind), **rest} if not rest and kind in _PARENTS:
            return kind, number
    raise invalid("parent", f"must be an id and a type among {', '.join(_PARENTS)}: {value!r}")


def _types(value: object) -> Test:
    wanted = set()
    for one in value if isinstance(value, list) else [value]:
        match one:
            case {"id": int(number), "category": "user" | "system" as category, **rest} if not rest:
                wanted.add((number, category))
            case _:
                raise invalid("activity_types", f"must be a list of id and category: {value!r}")
    return lambda record: (record["type"]["id"], record["type"]["category"]) in wanted


def _users(value: object) -> Test:
    wanted = set(integers("user_ids", value))
    return lambda record: record["user_id"] in wanted
