"""Makes opportunities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import DAY, day_of, text_of
from sandbox.close.samples.statuses import pipeline_name

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record

_PERIODS = {"one_time": 1, "monthly": 12, "annual": 1}
_SUGGESTION = {
    "action": "close_date",
    "details": {"close_date": "2026-12-31"},
    "justification": "Die Ausschreibung endet dann.",
}
_STALLED = {
    "communication_issue": "no_issue",
    "next_action": {"action": "follow_up", "justification": "Still 🤫 for weeks"},
}


def opportunity(source: RecordValues, number: str, created: int, updated: int) -> Record:
    """Make an opportunity (close.md 10.4)."""
    one, maybe, chance = source.one, source.maybe, source.chance
    status = one(source.statuses["opportunity_statuses"])
    lead_id, contact_id = source.lead_and_contact()
    period = one(list(_PERIODS))
    value = source.below(9_000_000) if chance(0.9) else None
    yearly = None if value is None else value * _PERIODS[period]
    confidence = source.below(101)
    closed = min(updated, created + source.below(200) * DAY)
    record = {
        "id": number,
        "lead_id": lead_id,
        "contact_id": contact_id,
        "user_id": source.user(),
        "organization_id": source.organization_id,
        "status_id": status["id"],
        "note": maybe(0.6, source.deals),
        "note_html": maybe(0.5, source.html),
        "confidence": confidence,
        "value": value,
        "value_period": period,
        "annualized_value": yearly,
        "expected_value": None if value is None else value * confidence // 100,
        "annualized_expected_value": None if yearly is None else yearly * confidence // 100,
        "date_won": day_of(closed) if status["type"] == "won" else None,
        "date_lost": text_of(closed) if status["type"] == "lost" else None,
        "created_by": maybe(0.9, source.user_ids),
        "updated_by": maybe(0.9, source.user_ids),
        "date_created": text_of(created),
        "date_updated": text_of(updated),
    }
    if chance(0.9):
        record |= {
            "status_label": status["label"],
            "status_type": status["type"],
            "status_display_name": status["label"],
            "pipeline_id": status["pipeline_id"],
            "pipeline_name": pipeline_name(source.statuses, status["pipeline_id"]),
            "value_currency": "USD",
            "value_formatted": None if value is None else f"${value / 100:,.2f}",
            "is_stalled": chance(0.2),
        }
    if chance(0.2):
        record |= {"stall_status": maybe(0.5, [_STALLED]), "suggested_action": maybe(0.5, [_SUGGESTION])}
    if chance(0.3):
        record |= {"integration_links": one(source.links), "attachments": []}
    return source.named(record, "created_by", "updated_by", "user_id")
