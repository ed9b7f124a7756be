"""Makes companies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record


def company(source: RandomValues, number: int, created: int, modified: int) -> Record:
    """Make a company (companies overview)."""
    one, maybe, chance, random = source.one, source.maybe, source.chance, source.random
    ids = source.ids["companies"]
    place = (number - ids.first) // ids.step
    return {
        "id": number,
        "name": source.company_name(place),
        "address": one(source.addresses),
        "assignee_id": maybe(0.8, source.user_ids),
        "contact_type_id": 451_490 + int(random() * 4),
        "details": one(source.details),
        "email_domain": f"c{place}.example.com" if chance(0.8) else None,
        "phone_numbers": one(source.phones),
        "primary_contact_id": source.any_id("people") if chance(0.5) else None,
        "socials": one(source.socials),
        "tags": one(source.tags),
        "websites": one(source.websites),
        "custom_fields": source.custom["companies"].draw(),
        "interaction_count": int(random() * 90),
        "date_last_contacted": modified - 60 if chance(0.3) else None,
        "date_created": created,
        "date_modified": modified,
    }
