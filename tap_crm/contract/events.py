"""How a CRM sends events, and how it is proven that one is its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived at the receiver's address, whose path held the token.

    Attributes:
        headers: by their names in small letters.
        body: the raw body; empty while it is only asked whether the headers may prove anything.
        token: the secret part of the address.
        keys: with which events may be signed.
        now: epoch seconds.
    """

    headers: Mapping[str, str]
    body: bytes
    token: str
    keys: tuple[str, ...]
    now: float


@dataclass(frozen=True, slots=True)
class Proven:
    """An event that is the CRM's own.

    Attributes:
        stale: the time that was signed is old: it is late, or somebody sent it once more.
    """

    stale: bool = False


@dataclass(frozen=True, slots=True)
class EventRules:
    """How a CRM sends events.

    Attributes:
        prove: returns None if a request is not proven to be the CRM's; compares in constant time.
        may_prove: tells from the headers alone whether the body is worth reading.
        retried_for: seconds for which the CRM sends again what was not answered by 2xx.
    """

    prove: Callable[[Request], Proven | None]
    may_prove: Callable[[Request], bool]
    retried_for: int = 0
