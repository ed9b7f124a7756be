"""The filters of the searches, as data: which ones each object takes, and the test of records that each makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from sandbox.copper.custom_fields import TEXT_KINDS
from sandbox.exchange import Record, Refusal

T = TypeVar("T")
Test: TypeAlias = Callable[[Record], bool]

EMPTY = -2
"""In an id filter: the attribute is empty (section "search" of each object)."""


@dataclass(slots=True, frozen=True)
class FilterContext:
    """What a filter may need to know besides its value."""

    now: int
    definitions: dict[int, Record]
    contacts_of: Callable[[list[int]], set[int]]
    """The people that given opportunities have as primary contact."""
    dmy: bool


Maker: TypeAlias = Callable[[str, Any, FilterContext], Test]


def invalid(name: str, why: str) -> Refusal:
    """Make the refusal of an attribute's value, worded as the service words it."""
    title = name.replace("_", " ").title()
    return Refusal(422, f"Invalid input: Validation errors: {title}: Invalid value for {title}: {why}")


def integers(name: str, value: object) -> list[int]:
    """Check a list of integers."""
    return _array_of(int, "integers", name, value)


def texts(name: str, value: object) -> list[str]:
    """Check a list of strings."""
    return _array_of(str, "strings", name, value)


def _array_of(kind: type[T], named: str, name: str, value: object) -> list[T]:
    if not isinstance(value, list) or any(type(one) is not kind for one in value):
        raise invalid(name, f"must be an array of {named}: {value!r}")
    return value


def text(name: str, value: object) -> str:
    """Check a string."""
    if not isinstance(value, str):
        raise invalid(name, f"must be a string: {value!r}")
    return value


def number(name: str, value: object, *, whole: bool = True) -> float:
    """Check a number."""
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise invalid(name, f"must be a number: {value!r}")
    return value


def boolean(name: str, value: object) -> bool:
    """Check a boolean."""
    if not isinstance(value, bool):
        raise invalid(name, f"must be true or false: {value!r}")
    return value


def _ids(attribute: str) -> Maker:
    def make(name: str, value: object, _: FilterContext) -> Test:
        wanted: set[int | None] = {None if one == EMPTY else one for one in integers(name, value)}
        return lambda record: record.get(attribute) in wanted

    return make


def _coded(attribute: str, codes: tuple[str, ...]) -> Maker:
    def make(name: str, value: object, _: FilterContext) -> Test:
        chosen = integers(name, value)
        if any(not 0 <= one < len(codes) and one != EMPTY for one in chosen):
            raise invalid(name, f"there is no such id: {value!r}")
        wanted = {None if one == EMPTY else codes[one] for one in chosen}
        return lambda record: record.get(attribute) in wanted

    return make


def _one_of(attribute: str, allowed: tuple[str, ...]) -> Maker:
    def make(name: str, value: object, _: FilterContext) -> Test:
        wanted = set(texts(name, value))
        if not wanted <= set(allowed):
            raise invalid(name, f"must be among {', '.join(allowed)}: {value!r}")
        return lambda record: record.get(attribute) in wanted

    return make


def _related(kind: str) -> Maker:
    def make(name: str, value: object, _: FilterContext) -> Test:
        wanted = set(integers(name, value))
        return lambda record: record["related_resource"]["type"] == kind and record["related_resource"]["id"] in wanted

    return make


def _place(attribute: str) -> Maker:
    def make(name: str, value: object, _: FilterContext) -> Test:
        given = value if isinstance(value, list) else [value]
        wanted = {one.casefold() for one in texts(name, given)}
        return lambda record: str((record.get("address") or {}).get(attribute) or "").casefold() in wanted

    return make


def _name(name: str, value: object, _: FilterContext) -> Test:
    wanted = text(name, value).casefold()
    return lambda record: wanted in (record.get("name") or "").casefold()


def _phone(name: str, value: object, _: FilterContext) -> Test:
    wanted = "".join(filter(str.isdigit, text(name, value)))
    return lambda record: any(
        wanted == "".join(filter(str.isdigit, phone["number"])) for phone in record["phone_numbers"]
    )


def _emails(name: str, value: object, _: FilterContext) -> Test:
    wanted = {one.casefold() for one in texts(name, value)}
    return lambda record: any(email["email"].casefold() in wanted for email in record["emails"])


def _lead_email(name: str, value: object, _: FilterContext) -> Test:
    wanted = text(name, value).casefold()
    return lambda record: str((record["email"] or {}).get("email")).casefold() == wanted


def _domains(name: str, value: object, _: FilterContext) -> Test:
    wanted = set(texts(name, value))
    return lambda record: record["email_domain"] in wanted


def _tags(name: str, value: object, _: FilterContext) -> Test:
    wanted = set(texts(name, value))
    return lambda record: not wanted.isdisjoint(record["tags"])


def _socials(name: str, value: object, _: FilterContext) -> Test:
    wanted = set(texts(name, value))
    return lambda record: any(one["url"] in wanted for one in record["socials"])


def followed(record: Record) -> bool:
    """Whether the key's user follows a record; the records themselves do not say."""
    return bool(record["id"] % 7 == 0)


def _followed(name: str, value: object, _: FilterContext) -> Test:
    if value not in (1, 2) or isinstance(value, bool):
        raise invalid(name, f"must be 1 (yes) or 2 (no): {value!r}")
    return lambda record: followed(record) is (value == 1)


def _age(name: str, value: object, context: FilterContext) -> Test:
    oldest = context.now - number(name, value)
    return lambda record: bool(record["date_created"] >= oldest)


def _opportunities(name: str, value: object, context: FilterContext) -> Test:
    people = context.contacts_of(integers(name, value))
    return lambda record: record["id"] in people


def _custom_fields(name: str, value: object, context: FilterContext) -> Test:
    if not isinstance(value, list):
        raise invalid(name, "must be an array")
    tests = [_custom_field(name, one, context) for one in value]
    return lambda record: all(test(record) for test in tests)


def _custom_field(name: str, wanted: object, context: FilterContext) -> Test:
    keys = {"custom_field_definition_id", "value", "minimum_value", "maximum_value"}
    if not isinstance(wanted, dict) or set(wanted) - keys:
        raise invalid(name, f"must have {', '.join(sorted(keys))}: {wanted!r}")
    key = wanted.get("custom_field_definition_id")
    definition = context.definitions.get(key) if isinstance(key, int) else None
    if definition is None or definition["data_type"] in TEXT_KINDS:
        raise invalid(name, f"custom field definition {key} cannot be filtered by")
    low, high = wanted.get("minimum_value"), wanted.get("maximum_value")

    def test(record: Record) -> bool:
        for entry in record["custom_fields"]:
            if entry["custom_field_definition_id"] == key:
                held = entry["value"]
                if "value" in wanted:
                    given = wanted["value"] if isinstance(wanted["value"], list) else [wanted["value"]]
                    kept = held if isinstance(held, list) else [held]
                    return any(one in kept for one in given)
                return held is not None and (low is None or held >= low) and (high is None or held <= high)
        return False

    return test


def in_range(name: str, attribute: str, value: object, context: FilterContext) -> Test:
    """Test one bound, which is inclusive; records without the attribute fail."""
    at_least = name.startswith("minimum_")
    if attribute == "close_date":
        bound = _as_day(name, value, context)
        return lambda record: _within(_day(record["close_date"], dmy=context.dmy), bound, at_least=at_least)
    limit = number(name, value, whole=attribute != "monetary_value")
    return lambda record: _within(record.get(attribute), limit, at_least=at_least)


def _within(held: float | None, bound: float, *, at_least: bool) -> bool:
    return held is not None and (held >= bound if at_least else held <= bound)


def _as_day(name: str, value: object, context: FilterContext) -> float:
    day = _day(value, dmy=context.dmy) if isinstance(value, str) else number(name, value)
    if day is None:
        raise invalid(name, f"is not a date: {value!r}")
    return day


def _day(written: str | None, *, dmy: bool) -> float | None:
    try:
        form = "%d/%m/%Y" if dmy else "%m/%d/%Y"
        return datetime.strptime(written or "", form).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


_PRIORITIES = ("None", "Low", "Medium", "High")
_PLACES: dict[str, Maker] = {name: _place(name) for name in ("city", "state", "postal_code", "country")}
_COMMON: dict[str, Maker] = {
    "assignee_ids": _ids("assignee_id"),
    "tags": _tags,
    "followed": _followed,
    "custom_fields": _custom_fields,
}
_CONTACT: dict[str, Maker] = _COMMON | _PLACES | {"name": _name, "phone_number": _phone, "age": _age}

FILTERS: dict[str, dict[str, Maker]] = {
    "people": _CONTACT
    | {
        "emails": _emails,
        "contact_type_ids": _ids("contact_type_id"),
        "company_ids": _ids("company_id"),
        "opportunity_ids": _opportunities,
        "ids": _ids("id"),
    },
    "companies": _CONTACT
    | {
        "email_domains": _domains,
        "contact_type_ids": _ids("contact_type_id"),
        "primary_contact_ids": _ids("primary_contact_id"),
        "socials": _socials,
    },
    "leads": _CONTACT
    | {
        "emails": _lead_email,
        "status_ids": _ids("status_id"),
        "customer_source_ids": _ids("customer_source_id"),
        "ids": _ids("id"),
    },
    "opportunities": _COMMON
    | {
        "name": _name,
        "status_ids": _coded("status", ("Open", "Won", "Lost", "Abandoned")),
        "pipeline_ids": _ids("pipeline_id"),
        "pipeline_stage_ids": _ids("pipeline_stage_id"),
        "priority_ids": _coded("priority", _PRIORITIES),
        "customer_source_ids": _ids("customer_source_id"),
        "loss_reason_ids": _ids("loss_reason_id"),
        "company_ids": _ids("company_id"),
        "primary_contact_ids": _ids("primary_contact_id"),
        "ids": _ids("id"),
    },
    "projects": _COMMON | {"status_ids": _coded("status", ("Open", "Completed")), "ids": _ids("id")},
    "tasks": _COMMON
    | {
        "opportunity_ids": _related("opportunity"),
        "project_ids": _related("project"),
        "statuses": _one_of("status", ("Open", "Completed")),
        "ids": _ids("id"),
    },
}

_DATES = {"created_date": "date_created", "modified_date": "date_modified"}
_CONTACTS = {"interaction_count": "interaction_count", "interaction_date": "date_last_contacted"}
_MONEY = {"monetary_value": "monetary_value"}

RANGES: dict[str, dict[str, str]] = {
    "people": _DATES | _CONTACTS,
    "companies": _DATES | _CONTACTS,
    "leads": _DATES | _CONTACTS | _MONEY,
    "opportunities": _DATES
    | _CONTACTS
    | _MONEY
    | {"close_date": "close_date", "stage_change_date": "date_stage_changed"},
    "projects": _DATES,
    "tasks": _DATES | {"due_date": "due_date"},
    "activities": {"activity_date": "activity_date"},
}
