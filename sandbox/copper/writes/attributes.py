"""The attributes of each object: which ones may be written, and what a record has that was given none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper.related import PLURAL
from sandbox.copper.writes.values import (
    Check,
    activity_type,
    address,
    amount,
    close_date,
    entries,
    entry,
    filled,
    listed,
    moment,
    nullable,
    one_of,
    percentage,
    pointer,
    record_of,
    tags,
    text,
)

if TYPE_CHECKING:
    from sandbox.exchange import Record

_PLACES = ("work", "personal", "other")
_SOCIALS = (
    *("linkedin", "twitter", "googleplus", "facebook", "youtube"),
    *("quora", "foursquare", "klout", "gravatar", "other"),
)
_COMMON: dict[str, Check] = {
    "name": filled,
    "assignee_id": listed("users"),
    "details": text,
    "tags": tags,
}
_CONTACT: dict[str, Check] = _COMMON | {
    "address": address,
    "phone_numbers": entries("number", "mobile", "work", "home", "other"),
    "socials": entries("url", *_SOCIALS),
    "websites": entries("url", *_PLACES),
}
_NAMED: dict[str, Check] = _CONTACT | {
    "name": text,
    "prefix": text,
    "first_name": text,
    "middle_name": text,
    "last_name": text,
    "suffix": text,
    "title": text,
}
_PRIORITIES = ("None", "Low", "Medium", "High")
_PARENTS = tuple(PLURAL)

WRITABLE: dict[str, dict[str, Check]] = {
    "people": _NAMED
    | {
        "contact_type_id": listed("contact_types"),
        "emails": entries("email", *_PLACES),
        "company_id": record_of("companies"),
        "company_name": text,
    },
    "companies": _CONTACT
    | {
        "contact_type_id": listed("contact_types"),
        "email_domain": text,
        "primary_contact_id": record_of("people"),
    },
    "leads": _NAMED
    | {
        "company_name": text,
        "customer_source_id": listed("customer_sources"),
        "email": nullable(entry("email", *_PLACES)),
        "monetary_unit": text,
        "monetary_value": amount,
        "status_id": listed("lead_statuses"),
    },
    "opportunities": _COMMON
    | {
        "close_date": close_date,
        "company_id": record_of("companies"),
        "customer_source_id": listed("customer_sources"),
        "loss_reason_id": listed("loss_reasons"),
        "monetary_unit": text,
        "monetary_value": amount,
        "pipeline_id": listed("pipelines"),
        "pipeline_stage_id": listed("pipeline_stages"),
        "primary_contact_id": record_of("people"),
        "priority": one_of(*_PRIORITIES, nullable=True),
        "status": one_of("Open", "Won", "Lost", "Abandoned"),
        "win_probability": percentage,
    },
    "projects": _COMMON
    | {
        "related_resource": pointer("person", "company", "opportunity", empty=True),
        "status": one_of("Open", "Completed"),
    },
    "tasks": _COMMON
    | {
        "related_resource": pointer("person", "company", "opportunity", "lead", "project", empty=True),
        "due_date": moment,
        "reminder_date": moment,
        "priority": one_of("None", "High", nullable=True),
        "status": one_of("Open", "Completed"),
        "custom_activity_type_id": listed("custom_activity_types"),
    },
    "activities": {
        "parent": pointer(*_PARENTS, empty=False),
        "type": activity_type,
        "details": text,
        "activity_date": moment,
    },
}
"""What a body may name besides `custom_fields`, and the check of its value."""

_NAMES = ("name", "prefix", "first_name", "middle_name", "last_name", "suffix")
_MONEY = ("monetary_unit", "monetary_value", "converted_unit", "converted_value")
_ORDER: dict[str, tuple[str, ...]] = {
    "people": (
        *(*_NAMES, "address", "assignee_id", "company_id", "company_name", "contact_type_id", "details", "emails"),
        *("phone_numbers", "socials", "tags", "title", "websites", "custom_fields", "date_created", "date_modified"),
        *("date_last_contacted", "interaction_count", "leads_converted_from", "date_lead_created"),
    ),
    "companies": (
        *("name", "address", "assignee_id", "contact_type_id", "details", "email_domain", "phone_numbers"),
        *("primary_contact_id", "socials", "tags", "websites", "custom_fields", "interaction_count"),
        *("date_last_contacted", "date_created", "date_modified"),
    ),
    "leads": (
        *(*_NAMES, "address", "assignee_id", "company_name", "customer_source_id", "details", "email"),
        *("interaction_count", *_MONEY, "socials", "status", "status_id", "tags", "title", "websites"),
        *("phone_numbers", "custom_fields", "date_created", "date_modified", "date_last_contacted"),
        *("converted_opportunity_id", "converted_contact_id", "converted_at"),
    ),
    "opportunities": (
        *("name", "assignee_id", "close_date", "company_id", "company_name", "customer_source_id", "details"),
        *("loss_reason_id", "pipeline_id", "pipeline_stage_id", "primary_contact_id", "priority", "status", "tags"),
        *("interaction_count", *_MONEY, "win_probability", "date_stage_changed", "date_last_contacted"),
        *("leads_converted_from", "date_lead_created", "date_created", "date_modified", "custom_fields"),
    ),
    "projects": (
        *("name", "related_resource", "assignee_id", "status", "details", "tags", "custom_fields"),
        *("date_created", "date_modified"),
    ),
    "tasks": (
        *("name", "related_resource", "assignee_id", "due_date", "reminder_date", "completed_date", "priority"),
        *("status", "details", "tags", "custom_fields", "date_created", "date_modified", "custom_activity_type_id"),
    ),
    "activities": (
        *("parent", "type", "user_id", "details", "activity_date", "old_value", "new_value", "date_created"),
        "date_modified",
    ),
}
_ARRAYS = ("emails", "phone_numbers", "socials", "tags", "websites", "leads_converted_from")


def blank(name: str) -> Record:
    """Give a record without any value, with every attribute of its object."""
    made: Record = {attribute: [] if attribute in _ARRAYS else None for attribute in _ORDER[name]}
    if "interaction_count" in made:
        made["interaction_count"] = 0
    if "related_resource" in made:
        made["related_resource"] = {"id": None, "type": None}
    if "status" in made and name != "leads":
        made["status"] = "Open"
    return made
