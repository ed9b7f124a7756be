"""What each CRM decides about its deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sandbox.deliveries.delivery import Delivery, Post


class Sender(Protocol):
    """A CRM's own rules; every method is called with the records locked."""

    def state(self, delivery: Delivery) -> str:
        """Say whether a delivery may be attempted: `ready`, `paused`, or `gone` for good."""
        ...

    def post(self, delivery: Delivery, *, right: bool) -> Post:
        """Make the request of an attempt, with a right or a wrong proof of who sends it."""
        ...

    def again(self, delivery: Delivery, now: float) -> float | None:
        """Note what came of the last attempt; give the moment of the next one, None if it was the last."""
        ...


def succeeded(status: int) -> bool:
    """Whether an address took what it was given."""
    return 200 <= status < 300  # noqa: PLR2004
