"""What the events of a CRM say: which records are worth another look. Never what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

#: The primary key of a record, as the CRM types it.
Key: TypeAlias = "int | str"

#: The kind of an event that says: deliveries may be missing since the ISO time in its body.
GAP = "gap"


class Arrived(Protocol):
    """An event that waits in an inbox.

    Attributes:
        place: rises strictly, in the order of arrival.
        kind: ``delivery`` for something that the CRM sent, or ``gap``.
        body: as it was received.
    """

    @property
    def place(self) -> int:
        """Its place."""

    @property
    def kind(self) -> str:
        """Its kind."""

    @property
    def body(self) -> bytes:
        """Its body."""


class Inbox(Protocol):
    """Where events wait until a target has confirmed a state that lies behind them."""

    def read(self, provider: str, after: int, limit: int) -> Sequence[Arrived]:
        """Return the next events behind a place; none if there are no more."""

    def identity(self) -> str:
        """Return what tells it from one that is made anew in its place: the places of that one are others."""

    def newest(self, provider: str) -> int:
        """Return the place of a CRM's last event; 0 if none ever came."""

    def removed(self, provider: str) -> int:
        """Return the place of the last event that was removed: who stood before it missed some."""

    def confirm(self, provider: str, place: int) -> None:
        """Note that a target has confirmed a state with this place: what lies before may be removed."""

    def note_gap(self, provider: str, since: datetime, reason: str) -> int:
        """Note that deliveries may be missing since a time."""

    def close(self) -> None:
        """Close it."""


@dataclass(frozen=True, slots=True)
class Hint:
    """An event says that something happened to a record.

    Attributes:
        stream: the record's.
        key: the record's.
        deleted: whether it says that the record is gone.
    """

    stream: str
    key: Key
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class HintRules:
    """How the events of a CRM are understood.

    Attributes:
        parse: returns what a delivery's body hints at, nothing if that is no stream of ours; None if it is not of the
            documented form.
        streams: the streams that it may name.
        delay: seconds after a change within which its event should have come.
    """

    parse: Callable[[bytes], Sequence[Hint] | None]
    streams: frozenset[str]
    delay: int = 0
