"""Makes people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox import sample_texts

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record

FIRST = list(sample_texts.FIRST_NAMES)
LAST = list(sample_texts.LAST_NAMES)
_CATEGORIES = ["work", "personal", "other", None]


def person(source: RandomValues, number: int, created: int, modified: int) -> Record:
    """Make a person (people overview)."""
    one, maybe, chance, random = source.one, source.maybe, source.chance, source.random
    first, last = maybe(0.97, FIRST), one(LAST)
    place = int(random() * source.shape.companies) if source.shape.companies and chance(0.7) else None
    return {
        "id": number,
        "name": f"{first} {last}" if first else last,
        "prefix": maybe(0.1, list(sample_texts.PREFIXES)),
        "first_name": first,
        "middle_name": maybe(0.1, FIRST),
        "last_name": last,
        "suffix": maybe(0.05, list(sample_texts.SUFFIXES)),
        "address": one(source.addresses),
        "assignee_id": maybe(0.8, source.user_ids),
        "company_id": None if place is None else source.ids["companies"].at(place),
        "company_name": None if place is None else source.company_name(place),
        "contact_type_id": 451_490 + int(random() * 4),
        "details": one(source.details),
        "emails": _emails(source, number),
        "phone_numbers": one(source.phones),
        "socials": one(source.socials),
        "tags": one(source.tags),
        "title": maybe(0.7, list(sample_texts.TITLES)),
        "websites": one(source.websites),
        "custom_fields": source.custom["people"].draw(),
        "date_created": created,
        "date_modified": modified,
        "date_last_contacted": modified - 276 if chance(0.4) else None,
        "interaction_count": int(random() * 40) if chance(0.6) else 0,
        "leads_converted_from": [],
        "date_lead_created": None,
    }


def _emails(source: RandomValues, number: int) -> Any:  # noqa: ANN401
    """Up to three addresses; an address is unique over people."""
    chance = source.chance
    if chance(0.1):
        return []
    category = "work" if chance(0.9) else source.one(_CATEGORIES)
    found = [{"email": f"p{number}@example.com", "category": category}]
    if chance(0.15):
        found.append({"email": f"p{number}+home@bücher.example", "category": None})
    if chance(0.05):
        found.append({"email": f"P{number}.OLD@example.org", "category": "other"})
    return msgspec.Raw(msgspec.json.encode(found))
