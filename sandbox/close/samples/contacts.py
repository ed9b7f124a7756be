"""Makes contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import text_of

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record

_TYPES = ["office", "home", "other"]


def contact(source: RecordValues, number: str, created: int, updated: int) -> Record:
    """Make a contact (close.md 10.3)."""
    one, maybe, chance = source.one, source.maybe, source.chance
    first, last = maybe(0.95, source.first_names), one(source.last_names)
    name = f"{first} {last}" if first else maybe(0.7, [last])
    place = source.places["contacts"].get(number)
    lead_id = source.contact_leads[place] if place is not None else None
    record = {
        "id": number,
        "name": name,
        "display_name": name or "Unnamed",
        "title": maybe(0.6, source.titles),
        "lead_id": lead_id,
        "organization_id": source.organization_id,
        "created_by": maybe(0.9, source.user_ids),
        "updated_by": maybe(0.9, source.user_ids),
        "date_created": text_of(created),
        "date_updated": text_of(updated),
    }
    if chance(0.9):
        record["emails"] = [
            {"email": f"{number[5:15].lower()}{n}@example.com", "is_unsubscribed": chance(0.1), "type": one(_TYPES)}
            for n in range(one([0, 1, 1, 1, 2]))
        ]
        record["phones"] = one(source.phones)
    if chance(0.6):
        record["urls"] = [{"type": "url", "url": url} for url in [maybe(0.6, source.urls)] if url]
        record["integration_links"] = one(source.links)
    if chance(0.2):
        record |= {"timezone": maybe(0.8, ["Europe/Vienna", "America/New_York"]), "timezone_source": "phone"}
    return record
