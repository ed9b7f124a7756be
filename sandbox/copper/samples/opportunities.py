"""Makes opportunities."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copper.samples.leads import AMOUNTS, amount_in_some_form

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record

_STATUSES = ["Open", "Open", "Won", "Lost", "Abandoned"]
_PRIORITIES = ["None", "Low", "Medium", "High"]
_ODD_DATES = ("soon", "Q4 2025", "", "31/31/2025", "2025-01-14")


def opportunity(source: RandomValues, number: int, created: int, modified: int) -> Record:
    """Make an opportunity (opportunities overview)."""
    one, maybe, chance, random = source.one, source.maybe, source.chance, source.random
    place = int(random() * source.shape.companies) if source.shape.companies and chance(0.8) else None
    pipeline = source.pipelines[int(random() * 2)]
    stage = one(pipeline["stages"])
    status = one(_STATUSES)
    amount = maybe(0.8, AMOUNTS)
    return {
        "id": number,
        "name": f"{one(list(sample_texts.DEALS))} #{number}",
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
        "converted_value": amount_in_some_form(amount, number),
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
