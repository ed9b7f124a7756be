"""Makes sequences and their subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated_with_user_ids
from sandbox.close.samples.users import ADMIN_EMAIL

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def sequences(source: RandomValues) -> dict[str, list[Record]]:
    """Make sequences and their subscriptions."""
    made = [_sequence(source, n) for n in range(source.shape.sequences)]
    subscriptions = []
    for n in range(source.shape.sequence_subscriptions if made and source.ids["contacts"] else 0):
        contact_id = source.one(source.ids["contacts"])
        subscriptions.append(
            {
                "id": source.short("sub"),
                "sequence_id": source.one(made)["id"],
                "contact_id": contact_id,
                "lead_id": source.contact_leads[source.places["contacts"][contact_id]],
                "contact_email": source.maybe(0.9, source.mails),
                "status": source.one(["active", "paused", "finished", "goal", "error"]),
                "status_reason": source.maybe(0.2, ["manual"]),
                "start_date": None,
                "sender_account_id": None,
                "sender_name": "Zoë",
                "sender_email": ADMIN_EMAIL,
                "calls_assigned_to": [source.user()] if n % 2 else None,
            }
            | dated_with_user_ids(source, n)
        )
    return {"sequences": made, "sequence_subscriptions": subscriptions}


def _sequence(source: RandomValues, place: int) -> Record:
    steps = [
        {"id": source.short("seqstep"), "step_type": sort, "delay": 86_400 * n, "required": True}
        | {"email_template_id": None, "sms_template_id": None, "step_allowed_delay": None, "threading": None}
        | {key: value for key, value in dated_with_user_ids(source, n).items() if key != "organization_id"}
        for n, sort in enumerate(("email", "call", "sms")[: place % 4])
    ]
    return {
        "id": source.short("seq"),
        "name": f"Séquence {place}",
        "status": ("active", "paused", "draft")[place % 3],
        "timezone": source.maybe(0.5, ["Europe/Paris"]),
        "schedule": {"ranges": [{"weekday": 1, "start": "09:00", "end": "17:00"}]} if place % 2 else None,
        "steps": steps,
    } | dated_with_user_ids(source, place)
