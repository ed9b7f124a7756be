"""Makes leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.close.moments import text_of

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record

_TYPES = ["office", "home", "other"]


def lead(source: RecordValues, number: str, created: int, updated: int) -> Record:
    """Make a lead without what is nested in it (close.md 10.2)."""
    one, maybe, chance = source.one, source.maybe, source.chance
    status = one(source.statuses["lead_statuses"])
    place = source.below(10_000)
    name = (
        f"{one(list(sample_texts.COMPANY_WORDS))} {place} {one(list(sample_texts.COMPANY_ENDINGS))}"
        if chance(0.95)
        else None
    )
    record = {
        "id": number,
        "display_name": name or "Untitled",
        "name": name,
        "description": maybe(0.5, source.texts),
        "url": maybe(0.4, source.urls),
        "status_id": status["id"],
        "status_label": status["label"],
        "html_url": f"https://app.close.com/lead/{number}/",
        "organization_id": source.organization_id,
        "created_by": maybe(0.9, source.user_ids),
        "updated_by": maybe(0.9, source.user_ids),
        "date_created": text_of(created),
        "date_updated": text_of(updated),
        "addresses": one(source.addresses),
        "integration_links": one(source.links),
    }
    if chance(0.5):
        email = {"email": one(source.mails), "type": one(_TYPES), "is_unsubscribed": chance(0.1)}
        record["primary_email"] = email if chance(0.8) else None
    if chance(0.3):
        record["source"] = maybe(0.7, ["Web", "Messe", "API"])
    return source.named(record, "created_by", "updated_by")
