"""How big and how awkward a Copper account is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.shape import CommonShape

if TYPE_CHECKING:
    from random import Random

YEARS_3 = 3 * 365 * 86_400


@dataclass(slots=True, kw_only=True)
class Shape(CommonShape):
    """What the account has, and how much of it."""

    account: int = 1
    """The account's id."""
    people: int = 1_000
    companies: int = 200
    opportunities: int = 200
    leads: int = 200
    projects: int = 50
    tasks: int = 100
    activities: int = 1_000
    users: int = 12
    tags: int = 150
    custom_fields: int = 28
    tie_fraction: float = 0.05
    """Part of the records that lies in import batches of 20 to 150 sharing a second."""
    tie_block: int = 0
    """So many of the people share exactly one second."""
    converted_leads: float = 0.08
    future_activities: int = 5
    odd_close_dates: int = 5
    dmy: bool = False
    """Close dates are written day first."""


SMALL = Shape(
    seed=7,
    now=1_790_000_000,
    people=300,
    companies=40,
    opportunities=60,
    leads=80,
    projects=15,
    tasks=200,
    activities=400,
    tags=130,
)
"""An account with a little of everything, for tests."""


def timestamps(count: int, tied: int, shape: Shape, rng: Random) -> list[tuple[int, int]]:
    """Draw (created, modified) for that many records; the first `tied` lie in batches of one second."""
    latest = shape.now - 600
    made: list[tuple[int, int]] = []
    while len(made) < tied:
        second = latest - rng.randrange(YEARS_3)
        made.extend([(second, second)] * min(rng.randint(20, 150), tied - len(made)))
    random = rng.random
    while len(made) < count:
        created = latest - int(random() * YEARS_3)
        draw = random()
        modified = created if draw < 0.2 else created + int((latest - created) * random())  # noqa: PLR2004
        made.append((created, modified))
    rng.shuffle(made)
    return made
