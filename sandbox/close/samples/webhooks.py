"""Makes webhook subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def webhooks(source: RandomValues) -> list[Record]:
    """Make webhook subscriptions, active and paused ones."""
    return [
        {
            "id": source.short("whsub"),
            "url": f"https://example.com/hook/{n}",
            "status": ("active", "paused")[n % 2],
            "events": [{"object_type": "lead", "action": "updated"}],
            "verify_ssl": True,
            "pause_reason": source.maybe(0.3, ["failing"]),
            "signature_key": f"{n:064x}",
        }
        | dated(source, n, zone=False)
        for n in range(source.shape.small_lists)
    ]
