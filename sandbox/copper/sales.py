"""Makes leads and opportunities."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox import words
from sandbox.copper.people import FIRST, LAST

if TYPE_CHECKING:
    from sandbox.copper.source import Source
    from sandbox.exchange import Record

_STATUSES = ["Open", "Open", "Won", "Lost", "Abandoned"]
_PRIORITIES = ["None", "Low", "Medium", "High"]
_AMOUNTS = [0, 1_000, 2_500.5, 99_999.99, 250_000, 1e9, 0.1]
_ODD_DATES = ("soon", "Q4 2025", "", "31/31/2025", "2025-01-14")


def lead(source: Source, number: int, created: int, modified: int) -> Record:
    """Make a lead that is not converted (leads overview)."""
    one, maybe, chance, random = source.one, source.maybe, source.chance, source.random
    first, last = maybe(0.95, FIRST), one(LAST)
    status = one(source.lists["lead_statuses"])
    amount = maybe(0.5, _AMOUNTS)
    return {
        "id": number,
        "name": f"{first} {last}" if first else last,
        "prefix": maybe(0.1, list(words.PREFIXES)),
        "first_name": first,
        "last_name": last,
        "middle_name": None,
        "suffix": maybe(0.05, list(words.SUFFIXES)),
        "address": one(source.addresses),
        "assignee_id": maybe(0.8, source.user_ids),
        "company_name": source.company_name(int(random() * 999)) if chance(0.6) else None,
        "customer_source_id": 331_240 + int(random() * 5) if chance(0.7) else None,
        "details": one(source.details),
        "email": {"email": f"lead{number}@example.com", "category": "work"} if chance(0.9) else None,
        "interaction_count": int(random() * 20),
        "monetary_unit": None if amount is None else "USD",
        "monetary_value": amount,
        "converted_unit": None if amount is None else "USD",
        "converted_value": _in_some_form(amount, number),
        "socials": one(source.socials),
        "status": status["name"],
        "status_id": status["id"],
        "tags": one(source.tags),
        "title": maybe(0.7, list(words.TITLES)),
        "websites": one(source.websites),
        "phone_numbers": one(source.phones),
        "custom_fields": source.custom["leads"].draw(),
        "date_created": created,
        "date_modified": modified,
        "date_last_contacted": modified - 30 if chance(0.3) else None,
        "converted_opportunity_id": None,
        "converted_contact_id": None,
        "converted_at": None,
    }


def opportunity(source: Source, number: int, created: int, modified: int) -> Record:
    """Make an opportunity (opportunities overview)."""
    one, maybe, chance, random = source.one, source.maybe, source.chance, source.random
    place = int(random() * source.shape.companies) if source.shape.companies and chance(0.8) else None
    pipeline = source.pipelines[int(random() * 2)]
    stage = one(pipeline["stages"])
    status = one(_STATUSES)
    amount = maybe(0.8, _AMOUNTS)
    return {
        "id": number,
        "name": f"{one(list(words.DEALS))} #{number}",
        "assignee_id": maybe(0.9, source.user_ids),
        "close_date": close_date(created + int(random() * 90) * 86_400, dmy=source.shape.dmy) if chance(0.8) else None,
        "company_id": None if place is None else source.ids["companies"].at(place),
        "company_name": None if place is None else source.company_name(place),
        "customer_source_id": 331_240 + int(random() * 5) if chance(0.7) else None,
        "details": one(source.details),
        "loss_reason_id": 300_987 + int(random() * 4) if status == "Lost" else None,
        "pipeline_id": pipeline["id"],
        "pipeline_stage_id": stage["id"],
        "primary_contact_id": source.any_id("people") if chance(0.7) else None,
        "priority": maybe(0.9, _PRIORITIES),
        "status": status,
        "tags": one(source.tags),
        "interaction_count": int(random() * 30),
        "monetary_unit": None if amount is None else "USD",
        "monetary_value": amount,
        "converted_unit": None if amount is None else "USD",
        "converted_value": _in_some_form(amount, number),
        "win_probability": stage["win_probability"],
        "date_stage_changed": created + (modified - created) // 2,
        "date_last_contacted": modified - 276 if chance(0.3) else None,
        "leads_converted_from": [],
        "date_lead_created": None,
        "date_created": created,
        "date_modified": modified,
        "custom_fields": source.custom["opportunities"].draw(),
    }


def odd_close_date(place: int) -> str:
    """Give a close date that is none."""
    return _ODD_DATES[place % len(_ODD_DATES)]


def close_date(epoch: int, *, dmy: bool) -> str:
    """Write a date as the account's locale does, without padding."""
    day = datetime.fromtimestamp(epoch, UTC)
    return f"{day.day}/{day.month}/{day.year}" if dmy else f"{day.month}/{day.day}/{day.year}"


def _in_some_form(amount: float | None, number: int) -> float | str | None:
    """Give a number on some records and a string on others, as real accounts do."""
    return str(float(amount)) if amount is not None and number % 2 else amount
