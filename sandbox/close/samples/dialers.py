"""Makes dialers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def dialers(source: RandomValues) -> list[Record]:
    """Make dialers, active and ended ones."""
    return [
        {
            "id": source.short("dial"),
            "type": ("power", "predictive")[n % 2],
            "status": ("active", "ended")[n % 2],
            "source_type": "saved-search",
            "source_value": source.long("save"),
            "user_id": source.user(),
            "users": [{"user_id": source.user(), "state": "idle", "is_active": False}],
            "caller_id": "+16505550100",
            "ring_mode": "ring_all",
            "music_preference": "default",
            "is_user_dependent": False,
        }
        | dated(source, n, zone=False, people=False)
        | ({"target_type": "contact"} if n % 2 else {})
        for n in range(source.shape.small_lists)
    ]
