"""How big and how awkward a Copera workspace is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.copera.moments import DAY, MINUTE, SECOND
from sandbox.shape import CommonShape

if TYPE_CHECKING:
    from random import Random

YEARS_3 = 3 * 365 * DAY
CRM_TABLES = 4


@dataclass(slots=True, kw_only=True)
class Shape(CommonShape):
    """What the workspace has, and how much of it."""

    boards: int = 6
    """Boards in all; the first is the CRM."""
    tables: int = 12
    """Tables in all, at least the CRM's four, without the wide ones and the big one."""
    rows: int | dict[str, int] = 2_000
    """A total that is shared out over the tables, or how many of each, by table name; those not named are empty."""
    wide_tables: int = 0
    """Further tables with very many columns."""
    wide_columns: int = 150
    big_table: int = 0
    """If set, there is one more table, `Big`, whose rows make an answer of about so many bytes."""
    members: int = 14
    teams: int = 4
    channels: int = 30
    documents: int = 60
    document_roots: int = 0
    """Documents without a parent, at least."""
    drive_files: int = 80
    """Files and folders."""
    bookings: int = 60
    booking_types: int = 4
    comments: int = 80
    """Comments on rows; a few rows have most of them."""
    notifications: int = 70
    tie_block: int = 0
    """So many rows of Leads share exactly one `updatedAt`."""
    tie_fraction: float = 0.05
    """Part of a table's rows that lies in imports of 20 to 150 sharing one moment."""
    stray_cells: float = 0.01
    """Part of the rows that have a cell of a column which the table does not have."""


SMALL = Shape(seed=7, now=1_790_000_000, rows=420, wide_tables=1, wide_columns=60)
"""A workspace with a little of everything, for tests."""


def stamps(count: int, shape: Shape, rng: Random, tied: int = 0) -> list[tuple[int, int]]:
    """Draw (created, updated) in milliseconds, first created first; part of them share one moment."""
    latest = (shape.now - 600) * SECOND
    moment = latest - int(rng.random() * YEARS_3)
    made = [(moment - n * 7 * MINUTE, moment) for n in range(min(tied, count))]
    batches = min(len(made) + int(count * shape.tie_fraction), count)
    random = rng.random
    while len(made) < batches:
        moment = latest - int(random() * YEARS_3)
        made.extend([(moment, moment)] * min(rng.randint(20, 150), batches - len(made)))
    while len(made) < count:
        created = latest - int(random() * YEARS_3)
        never = random() < 0.2  # noqa: PLR2004
        made.append((created, created if never else created + int((latest - created) * random())))
    made.sort()
    return made
