"""How big and how awkward a Close organization is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.close.moments import DAY, MINUTE, SECOND
from sandbox.close.object_types import ACTIVITIES
from sandbox.shape import CommonShape

if TYPE_CHECKING:
    from random import Random

YEARS_3 = 3 * 365 * DAY


@dataclass(slots=True, kw_only=True)
class Shape(CommonShape):
    """What the organization has, and how much of it."""

    leads: int = 1_000
    contacts: int = 1_500
    opportunities: int = 500
    tasks: int = 500
    activities: int | dict[str, int] = 3_000
    """A total that is shared out over the types, or how many of each, by name (`emails`, `calls`, ...)."""
    events: int = 1_000
    """The history's length; it has the newest changes of at most 30 days."""
    users: int = 8
    inactive_users: int = 3
    sequences: int = 4
    sequence_subscriptions: int = 60
    custom_objects: int = 40
    custom_fields: int = 24
    """Definitions of each kind of object."""
    comments: int = 30
    small_lists: int = 6
    """Records in every other list."""
    tie_block: int = 0
    """So many leads share exactly one `date_updated`."""
    tie_block_created: bool = False
    """They share one `date_created`, too."""
    tie_fraction: float = 0.05
    """Part of the records that lies in import batches of 20 to 150 sharing one moment."""
    future_meetings: int = 4
    """Meetings scheduled 3, 30, 300 and 3000 days ahead, in turn."""
    leadless_contacts: float = 0.01
    """Part of the contacts without a lead."""

    def counts(self) -> dict[str, int]:
        """How many activities of each type there are."""
        wanted = self.activities
        if isinstance(wanted, dict):
            unknown = set(wanted) - {one.name for one in ACTIVITIES}
            if unknown:
                raise ValueError(f"no such activities: {', '.join(sorted(unknown))}")
            return {one.name: wanted.get(one.name, 0) for one in ACTIVITIES}
        shared = {one.name: int(wanted * one.share) for one in ACTIVITIES}
        shared["emails"] += wanted - sum(shared.values())
        return shared


SMALL = Shape(
    seed=7,
    now=1_790_000_000,
    leads=120,
    contacts=180,
    opportunities=70,
    tasks=150,
    activities=450,
    events=260,
    sequence_subscriptions=25,
    custom_objects=15,
    comments=12,
)
"""An organization with a little of everything, for tests."""


def stamps(count: int, shape: Shape, rng: Random) -> list[tuple[int, int]]:
    """Draw (created, updated) in microseconds; part of them lies in batches that share one moment."""
    latest = (shape.now - 600) * SECOND
    made: list[tuple[int, int]] = []
    tied = int(count * shape.tie_fraction)
    random = rng.random
    while len(made) < tied:
        moment = _grain(latest - int(random() * YEARS_3), random())
        made.extend([(moment, moment)] * min(rng.randint(20, 150), tied - len(made)))
    while len(made) < count:
        created = _grain(latest - int(random() * YEARS_3), random())
        draw = random()
        late = created + int((latest - created) * random())
        made.append((created, created if draw < 0.2 else max(created, _grain(late, draw))))  # noqa: PLR2004
    rng.shuffle(made)
    return made


def tied_stamps(count: int, shape: Shape, rng: Random) -> list[tuple[int, int]]:
    """Draw (created, updated) of the leads that share one moment."""
    moment = (shape.now - 600 - rng.randrange(YEARS_3 // SECOND)) * SECOND + 123_000
    if shape.tie_block_created:
        return [(moment, moment)] * count
    return [(moment - (n + 1) * 7 * MINUTE - n % 1000 * 1000, moment) for n in range(count)]


def _grain(micros: int, draw: float) -> int:
    """Cut to the milliseconds, now and then to the second."""
    return micros - micros % (SECOND if draw < 0.05 else 1_000)  # noqa: PLR2004
