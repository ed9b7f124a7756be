"""What each CRM does differently: what there is to subscribe to, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tap_crm.inbox.subscribing.line import Line


class Subscriber(Protocol):
    """Manages the subscriptions of one account; touches only those that were made by us."""

    def place(self) -> str | None:
        """Return the receiver's address without the token, as our subscriptions have it; None if there are none."""
        ...

    def status(self) -> list[Line]:
        """Say what is subscribed, and what is not; changes nothing."""
        ...

    def mend(self) -> list[Line]:
        """Make what is missing and mend what is wrong; say what was done, and what is right already.

        Whoever dies in between leaves nothing that counts as right and is not.
        """
        ...

    def remove(self) -> list[Line]:
        """Take away what was made by us, and say what."""
        ...
