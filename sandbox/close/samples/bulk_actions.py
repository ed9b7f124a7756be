"""Makes bulk actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated
from sandbox.close.samples.users import ADMIN_EMAIL

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record

BULK_KINDS = ("email", "edit", "delete", "sequence_subscription")
_SENDER = {"sender_account_id": None, "sender_name": None, "sender_email": ADMIN_EMAIL}
_OF_KIND: dict[str, Record] = {
    "email": {"contact_preference": "lead", "email_account_id": None, "sender": ADMIN_EMAIL, "template_id": None},
    "edit": {"type": "set_lead_status", "custom_field_name": None, "custom_field_value": None, "lead_status_id": None},
    "delete": {"bulk_object_type": "lead"},
    "sequence_subscription": _SENDER
    | {"action_type": "subscribe", "sequence_id": None, "calls_assigned_to": None, "from_phone_number_id": None},
}


def bulk_actions(source: RandomValues) -> list[Record]:
    """Make bulk actions of every kind."""
    made = []
    for kind in BULK_KINDS:
        for n in range(source.shape.small_lists):
            record: Record = {
                "id": source.long("bulkemail" if kind == "email" else f"bulk{kind.partition('_')[0]}"),
                "kind": kind,
                "n_leads": n,
                "n_leads_processed": n,
                "n_objects": source.maybe(0.8, [5]),
                "n_objects_processed": 5,
                "query": None,
                "results_limit": None,
                "s_query": {"type": "match_all"},
                "send_done_email": False,
                "sort": [],
                "status": source.one(["created", "processing", "done", "paused", "error"]),
            } | dated(source, n)
            made.append(record | _OF_KIND[kind])
    return made
