"""Makes webhook subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from sandbox.copper.shape import Shape
    from sandbox.exchange import Record


def webhooks(shape: Shape, rng: Random) -> list[Record]:
    """Make webhook subscriptions."""
    return [
        {
            "id": 2_040 + n,
            "target": f"https://example.com/hook/{n}",
            "type": kind,
            "event": event,
            "secret": {"key": f"s3cret-{rng.randint(1, 99)}"} if n else None,
            "created_at": shape.now - 86_400 * (n + 1),
            **({"headers": {"X-Token": "t"}, "custom_field_computed_values": False} if n == 2 else {}),  # noqa: PLR2004
        }
        for n, (kind, event) in enumerate((("lead", "update"), ("person", "new"), ("activity_log", "delete")))
    ]
