"""The sort keys of the searches (table "sort_by" of each object's search page)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sandbox.exchange import Record

SortKey: TypeAlias = Callable[[Record], Any]

DEFAULT_SORT = {
    "people": "first_name",
    "companies": "date_modified",
    "leads": "name",
    "opportunities": "name",
    "projects": "name",
    "tasks": "due_date",
    "activities": "activity_date",
}

_PLACES = ("city", "state", "country", "zip")
_DATES = ("date_modified", "date_created")

SORTS: dict[str, tuple[str, ...]] = {
    "people": ("name", "first_name", "last_name", "title", "email", "phone", *_DATES, *_PLACES),
    "companies": (
        *("name", "phone", "contact", "contact_first_name", "contact_last_name", *_DATES, "email_domain"),
        *(*_PLACES, "assignee", "contact_group", "last_interaction", "interaction_count", "primary_website"),
    ),
    "leads": (
        *("name", "first_name", "last_name", "company_name", "title", "value", "email", "phone", *_DATES),
        *(*_PLACES, "inactive_days", "socials"),
    ),
    "opportunities": (
        *("name", "account", "company_name", "value", "assignee", "customer_source_id", *_DATES, "contact"),
        *("stage", "status", "close_date", "source", "priority", "last_interaction", "interaction_count"),
        *("deal_last_stage", "win_probability", "inactive_days", "monetary_unit", "monetary_value"),
        "primary_contact",
    ),
    "projects": ("name", "assigned_to", "related_to", "status", *_DATES),
    "tasks": (
        *("name", "assigned_to", "related_to", "status", "priority", "due_date", "reminder_date"),
        *("completed_date", *_DATES),
    ),
}

_ATTRIBUTE = {
    "contact": "primary_contact_id",
    "contact_first_name": "primary_contact_id",
    "contact_last_name": "primary_contact_id",
    "primary_contact": "primary_contact_id",
    "assignee": "assignee_id",
    "assigned_to": "assignee_id",
    "contact_group": "contact_type_id",
    "last_interaction": "date_last_contacted",
    "value": "monetary_value",
    "account": "company_name",
    "stage": "pipeline_stage_id",
    "deal_last_stage": "date_stage_changed",
    "source": "customer_source_id",
}


def sort_key(name: str) -> SortKey:
    """Give the function that orders records by a sort_by value; nulls come first."""
    read = _reader(name)

    def key(record: Record) -> tuple[bool, Any]:
        value = read(record)
        if value is None:
            return (False, 0)
        return (True, value.casefold() if isinstance(value, str) else value)

    return key


def _reader(name: str) -> Callable[[Record], Any]:
    if name in _PLACES:
        attribute = "postal_code" if name == "zip" else name
        return lambda record: (record["address"] or {}).get(attribute)
    if name == "email":
        return _email
    if name == "inactive_days":
        return lambda record: -(record["date_last_contacted"] or record["date_modified"])
    if name == "related_to":
        return lambda record: (record["related_resource"] or {}).get("id")
    if name in ("phone", "socials", "primary_website"):
        attribute, inner = {
            "phone": ("phone_numbers", "number"),
            "socials": ("socials", "url"),
            "primary_website": ("websites", "url"),
        }[name]
        return lambda record: record[attribute][0][inner] if record[attribute] else None
    attribute = _ATTRIBUTE.get(name, name)
    return lambda record: record.get(attribute)


def _email(record: Record) -> str | None:
    if "email" in record:
        return (record["email"] or {}).get("email")
    return record["emails"][0]["email"] if record["emails"] else None
