"""What all readings by a time of change have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_crm.messages import Checkpoint

if TYPE_CHECKING:
    from tap_crm.messages import Emit, Item

#: Seconds by which a bookmark stays behind the server's clock: the current second is not over, and clocks of a
#: search and of its web server need not agree to the second.
BEHIND_THE_CLOCK = 5
UNBOUNDED = "the CRM heeds no filter by time: what moved while it was read may be there all the same"
RESTLESS = "records change faster than they can be read: what was not found may be there all the same"


def capped(emit: Emit, most: int) -> Emit:
    """Return an emit whose checkpoints never pass the second ``most``."""

    def emit_capped(item: Item) -> None:
        emit(replace(item, at=min(item.at, most)) if isinstance(item, Checkpoint) else item)

    return emit_capped
