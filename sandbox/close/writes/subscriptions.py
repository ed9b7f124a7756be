"""Subscribes contacts to sequences, which starts sending mail (writing.md 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import bare
from sandbox.close.writes.fields import USER, filled, listed, mail_address, one_of, or_null, reference
from sandbox.close.writes.write import Body, Write

if TYPE_CHECKING:
    from sandbox.exchange import Answer

_NAME = "sequence_subscriptions"
_NEW = Body(
    {
        "sequence_id": reference("sequences"),
        "contact_id": reference("contacts"),
        "contact_email": or_null(mail_address),
        "sender_account_id": or_null(reference("connected_accounts")),
        "sender_name": or_null(filled),
        "sender_email": or_null(mail_address),
        "calls_assigned_to": or_null(listed(USER)),
    },
    frozenset({"sequence_id", "contact_id"}),
)
_UPDATE = Body({"status": one_of("active", "paused")})


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Subscribe a contact."""
    given = write.given(_NEW)
    number, stamp = write.account.source.short("sub"), bare(write.now)
    record = dict.fromkeys(_NEW.fields) | given
    record |= {
        "id": number,
        "lead_id": write.editor.current("contacts", given["contact_id"])["lead_id"],
        "status": "active",
        "status_reason": None,
        "start_date": stamp,
        "organization_id": write.account.source.organization_id,
        "created_by_id": write.user_id,
        "updated_by_id": write.user_id,
        "date_created": stamp,
        "date_updated": stamp,
    }
    write.add(_NAME, record)
    write.account.sent.append({"object": _NAME, "id": number, "status": "active"})
    return write.answer(_NAME, number)


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Pause or resume a subscription."""
    old = write.old(_NAME, parts[0])
    changes = write.given(_UPDATE, old)
    if write.change(_NAME, old, changes) and changes["status"] == "active":
        write.account.sent.append({"object": _NAME, "id": parts[0], "status": "active"})
    return write.answer(_NAME, parts[0])
