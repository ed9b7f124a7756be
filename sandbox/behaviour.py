"""The knobs that every sandbox has."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

import msgspec

from sandbox.deliveries.knobs import Events
from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from sandbox.exchange import Record


@dataclass(slots=True)
class Churn:
    """Changes made to the searched object right before each search answer."""

    edit: int = 0
    delete: int = 0
    create: int = 0
    convert: int = 0
    merge: int = 0
    objects: list[str] = field(default_factory=list)
    """Objects that change; empty means all."""


@dataclass(slots=True)
class Meanwhile:
    """What somebody else does to the record that a write is about, right before or right after it is carried out.

    Counted among the writes of `objects` (empty means all): each `every`-th, `times` of them at most (0: no end).
    A record that a write makes exists only `after` it. Rows of Copera's tables are named `rows:` and the table's id.
    """

    every: int = 0
    when: Literal["before", "after"] = "before"
    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    """Values of fields, as the verb `edit` takes them; none means that it chooses."""
    delete: bool = False
    """Delete the record instead."""
    objects: list[str] = field(default_factory=list)
    times: int = 0
    seen: int = 0
    served: int = 0

    def due(self, name: str) -> bool:
        """Count a write of an object; say whether somebody else is at work, too."""
        if self.every <= 0 or (self.objects and name not in self.objects):
            return False
        self.seen += 1
        if self.seen % self.every or (self.times and self.served >= self.times):
            return False
        self.served += 1
        return True


@dataclass(slots=True, kw_only=True)
class CommonBehaviour:
    """How a server answers; may be changed while it runs."""

    rate_limit: int = 180
    """Requests admitted per window; 0 means no limit."""
    rate_window: float = 60.0
    retry_after: Literal["none", "seconds", "date"] = "none"
    latency_ms: float = 0.0
    clock_skew: float = 0.0
    """Seconds that the server's clock is ahead of this machine's."""
    dates: bool = True
    """Whether answers have a `Date`."""
    index_lag: float = 0.0
    """Seconds until a change shows in searches (records by id are always current)."""
    faults: list[FaultRule] = field(default_factory=list[FaultRule])
    churn: Churn = field(default_factory=Churn)
    meanwhile: Meanwhile = field(default_factory=Meanwhile)
    events: Events = field(default_factory=Events)
    forbidden_writes: list[str] = field(default_factory=list)
    """Beginnings of paths whose writes are answered 403, as they are to a key whose user may only read them."""


#: The kinds of the knobs of each behaviour: finding them out takes as long as serving many requests.
_KINDS: dict[type, dict[str, Any]] = {}


def configure(behaviour: CommonBehaviour, knobs: Record) -> None:
    """Set knobs by name; ValueError for an unknown name or a value of the wrong kind, then nothing is set."""
    kind = type(behaviour)
    if kind not in _KINDS:
        _KINDS[kind] = get_type_hints(kind)
    hints = _KINDS[kind]
    known = {one.name for one in fields(behaviour)}
    unknown = sorted(set(knobs) - known)
    if unknown:
        raise ValueError(f"no such knob: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    values = {}
    for name, value in knobs.items():
        try:
            values[name] = msgspec.convert(value, hints[name])
        except msgspec.ValidationError as error:
            raise ValueError(f"{name}: {error}") from error
    for name, value in values.items():
        setattr(behaviour, name, value)
