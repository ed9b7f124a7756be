"""Makes pipelines with their stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.exchange import Record

_STAGES = (("Qualified", 5), ("Follow-up", 20), ("Présentation", 40), ("Vertrag 📝", 75), ("Closing", None))


def pipelines() -> list[Record]:
    """Make pipelines of opportunities, and one of projects."""
    kinds = (
        ("Sales", "opportunity", True),
        ("Partner «Süd»", "opportunity", False),
        ("Delivery", "project", False),
    )
    return [
        {
            "id": 213_210 + n,
            "name": name,
            "type": kind,
            "is_revenue": revenue,
            "stages": [
                {"id": 987_790 + 10 * n + rank, "name": stage, "win_probability": chance}
                for rank, (stage, chance) in enumerate(_STAGES)
            ],
        }
        for n, (name, kind, revenue) in enumerate(kinds)
    ]
