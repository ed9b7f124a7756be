"""Deliveries of bookings' events to the addresses that were set in the app: signed, tried three times."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Protocol

import msgspec

from sandbox.deliveries.delivery import Post
from sandbox.deliveries.sender import succeeded

if TYPE_CHECKING:
    from sandbox.copera.behaviour import Behaviour, BookingWebhook
    from sandbox.deliveries.deliveries import Deliveries
    from sandbox.deliveries.delivery import Delivery
    from sandbox.exchange import Record

EVENTS = tuple(
    f"booking.{one}"
    for one in ("created", "confirmed", "cancelled", "rescheduled", "declined", "reassigned", "no_show")
)
_BY_STATUS = {"CONFIRMED": "confirmed", "CANCELLED": "cancelled", "DECLINED": "declined", "NO_SHOW": "no_show"}
_TRIES, _GAP = 3, 10.0
_SERVER_ERROR = 500


class Workspace(Protocol):
    """What deliveries need of a workspace."""

    behaviour: Behaviour


class BookingWebhooks:
    """Tells of bookings. Every method is called with the workspace locked."""

    def __init__(self, workspace: Workspace, deliveries: Deliveries) -> None:
        self.workspace = workspace
        self.deliveries = deliveries

    def changed(self, before: Record | None, after: Record) -> None:
        """Tell of a booking that was made or changed, if there is an event for that."""
        event = _event(before, after)
        for place, hook in enumerate(self.workspace.behaviour.booking_webhooks if event else ()):
            if hook.events and event not in hook.events:
                continue
            form = self.workspace.behaviour.booking_payload
            content = after if form == "booking" else {"event": event, form: after}
            tells = {"event": event, "id": after["uid"]}
            self.deliveries.make(place, tells, msgspec.json.encode(content))

    def state(self, delivery: Delivery) -> str:
        """Say whether a delivery may be attempted."""
        return "ready" if self._hook(delivery) else "subscription deleted"

    def post(self, delivery: Delivery, *, right: bool) -> Post:
        """Make a signed request of an event."""
        hook = self._hook(delivery)
        url, secret = (hook.target, hook.secret) if hook else ("", "")
        signature = hmac.new((secret if right else f"{secret}?").encode(), delivery.content, hashlib.sha256).hexdigest()
        headers = {
            "X-Copera-Signature": f"sha256={signature}",
            "X-Copera-Event": str(delivery.tells["event"]),
            "X-Copera-Webhook-Version": "1",
        }
        return Post(url, delivery.content, headers)

    def again(self, delivery: Delivery, now: float) -> float | None:
        """Try three times after an answer of 5xx, or none."""
        status = delivery.attempts[-1].status
        if succeeded(status) or 0 < status < _SERVER_ERROR or len(delivery.attempts) >= _TRIES:
            return None
        return now + _GAP

    def _hook(self, delivery: Delivery) -> BookingWebhook | None:
        hooks, place = self.workspace.behaviour.booking_webhooks, int(delivery.subscription)
        return hooks[place] if place < len(hooks) else None


def _event(before: Record | None, after: Record) -> str | None:
    if before is None:
        return "booking.created"
    if before["status"] != after["status"]:
        kind = _BY_STATUS.get(after["status"])
        return f"booking.{kind}" if kind else None
    if before["start"] != after["start"]:
        return "booking.rescheduled"
    return "booking.reassigned" if before["hosts"] != after["hosts"] else None
