"""Copera's bookings: subscribed to in its app, so all that can be done here is to say how, and to look.

Facts: the webhooks of bookings on Copera's developer site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.inbox.subscribing.line import BY_HAND, MISSING, Line

if TYPE_CHECKING:
    from tap_crm.inbox.subscribing.account import Account

WHAT = "bookings"
HOW = (
    "in Copera's app, add a webhook to the bookings' settings with all of their events: its address is the public URL, "
    "then /copera/ and `inbox_token`; its signing secret is the setting `inbox_signature_key`"
)


class CoperaSubscriber:
    """Looks whether events of bookings can come."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def place(self) -> str | None:
        """Return the receiver's address without the token; nobody but the app knows it."""
        return self._account.place

    def status(self) -> list[Line]:
        """Say whether events could be proven, and when the last one came."""
        if not self._account.has_key:
            return [Line(WHAT, MISSING, note=f"`inbox_signature_key` is not set; {HOW}")]
        last = self._account.last_event()
        if last is None:
            return [Line(WHAT, BY_HAND, note=f"nothing came yet; {HOW}")]
        return [Line(WHAT, BY_HAND, note=f"the last one came at {last.isoformat(timespec='seconds')}")]

    def mend(self) -> list[Line]:
        """Say how it is done."""
        return self.status()

    def remove(self) -> list[Line]:
        """Say how it is done."""
        return [Line(WHAT, BY_HAND, note="remove the webhook in Copera's app")]
