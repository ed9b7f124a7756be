"""One delivery: what it tells, when it is due, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from sandbox.exchange import Record

Outcome: TypeAlias = Literal["waiting", "delivered", "lost", "failed", "withdrawn"]
"""`lost`: no attempt was ever made. `failed`: attempts were, none was answered 2xx, and there will be no other.
`withdrawn`: the subscription is gone, or dead."""


@dataclass(slots=True)
class Attempt:
    """One request to an address."""

    at: float
    status: int
    """0: no answer."""
    error: str
    proof: Literal["right", "wrong"]


@dataclass(slots=True)
class Delivery:
    """What is delivered to one subscription."""

    number: int
    """Counts deliveries in the order in which they were made."""
    subscription: int | str
    tells: Record
    """What it is about, for tests."""
    content: bytes
    """The body without what a subscription adds."""
    made: float
    due: float
    outcome: Outcome = "waiting"
    reason: str = ""
    started: bool = False
    """Whether an attempt was begun."""
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    def draw(self, seed: int) -> Random:
        """Give the random numbers of this delivery; the next attempt has others."""
        return Random(f"{seed} {self.number} {len(self.attempts)}")

    def summary(self) -> Record:
        """What a test in another process sees of it."""
        return {
            "number": self.number,
            "subscription": self.subscription,
            "outcome": self.outcome,
            "reason": self.reason,
            "made": self.made,
            "due": self.due,
            "attempts": [
                {"at": one.at, "status": one.status, "error": one.error, "proof": one.proof} for one in self.attempts
            ],
            **self.tells,
        }


@dataclass(slots=True)
class Post:
    """A request that delivers something."""

    url: str
    body: bytes
    headers: dict[str, str]
    verify: bool = True
