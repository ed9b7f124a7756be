"""Makes leads, and the amounts that leads and opportunities have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copper.samples.people import FIRST, LAST

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record

AMOUNTS = [0, 1_000, 2_500.5, 99_999.99, 250_000, 1e9, 0.1]


def lead(source: RandomValues, number: int, created: int, modified: int) -> Record:
    """Make a lead that is not converted (leads overview)."""
    one, maybe, chance, random = source.one, source.maybe, source.chance, source.random
    first, last = maybe(0.95, FIRST), one(LAST)
    status = one(source.lists["lead_statuses"])
    amount = maybe(0.5, AMOUNTS)
    return {
        "id": number,
        "name": f"{first} {last}" if first else last,
        "prefix": maybe(0.1, list(sample_texts.PREFIXES)),
        "first_name": first,
        "last_name": last,
        "middle_name": None,
        "suffix": maybe(0.05, list(sample_texts.SUFFIXES)),
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
        "converted_value": amount_in_some_form(amount, number),
        "socials": one(source.socials),
        "status": status["name"],
        "status_id": status["id"],
        "tags": one(source.tags),
        "title": maybe(0.7, list(sample_texts.TITLES)),
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


def amount_in_some_form(amount: float | None, number: int) -> float | str | None:
    """Give a number on some records and a string on others, as real accounts do."""
    return str(float(amount)) if amount is not None and number % 2 else amount
