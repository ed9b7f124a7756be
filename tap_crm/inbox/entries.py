"""What an inbox holds: what CRMs sent, as it arrives and as it waits, and what was subscribed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that a CRM sent and that proved to be its own.

    Attributes:
        body: the raw body.
        received_at: in UTC.
        stale: proven, but the time that was signed is old.
    """

    provider: str
    body: bytes
    received_at: datetime
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """What waits in the inbox.

    Attributes:
        place: rises strictly; the order of arrival.
        kind: ``delivery``: something that the CRM sent; ``gap``: deliveries may be missing since the ISO time in
            ``body``.
        received_at: in UTC.
        body: the raw body.
        stale: proven, but the time that was signed is old.
    """

    place: int
    provider: str
    kind: str
    received_at: datetime
    body: bytes
    stale: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that was made by us.

    Attributes:
        id: the CRM's.
        what: what it tells of.
        signature_key: Close's, which only the answer to its creation shows; None elsewhere.
        made_at: in UTC.
        target: where it sends, without the token.
    """

    provider: str
    id: str
    what: str
    made_at: datetime
    target: str
    signature_key: str | None = None
