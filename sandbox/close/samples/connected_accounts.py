"""Makes connected accounts, and who may send as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import SECOND, text_of
from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def accounts(source: RandomValues) -> dict[str, list[Record]]:
    """Make connected accounts and who may send as whom."""
    empty: Record = dict.fromkeys(
        (
            *("default_identity", "imap", "smtp", "send_status", "receive_status", "email_receive_status"),
            *("calendar_receive_status", "latest_send_error", "latest_receive_error", "lead_suggestions_updated_at"),
        )
    )
    host = {"host": "mail.example.com", "port": 993, "use_ssl": True, "username": "x", "date_updated": None}
    connected = []
    for n in range(source.shape.small_lists):
        kind = ("google", "custom_email", "zoom")[n % 3]
        record: Record = empty | {
            "id": source.long("emailacct"),
            "_type": kind,
            "email": source.one(source.mails),
            "user_id": source.user(),
            "organization_id": source.organization_id,
            "identities": [{"name": "Björk", "email": "b@example.com"}],
            "enabled_features": ["email_sending"],
            "available_features": ["email_sending", "calendar_syncing"],
            "receive_attempts_count": n,
            "is_imap_archive_sync_enabled": False,
            "date_created": text_of((source.shape.now - n * 86_400) * SECOND),
        }
        if kind == "custom_email":
            record |= {"imap": host, "smtp": {**host, "port": 465}}
        extra: Record = {"zoom_account_plan": None} if kind == "zoom" else {"synced_calendars": []}
        connected.append(record | extra)
    pairs = list(zip(source.user_ids, source.user_ids[1:], strict=False))[: source.shape.small_lists]
    send_as = [
        {"id": source.long("sendas"), "allowing_user_id": one, "allowed_user_id": other} | _maybe_dated(source, n)
        for n, (one, other) in enumerate(pairs)
    ]
    return {"connected_accounts": connected, "send_as": send_as}


def _maybe_dated(source: RandomValues, place: int) -> Record:
    found = dated(source, place, people=False)
    return found if place % 2 else {"organization_id": source.organization_id}
