"""Makes unsubscribed email addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def unsubscribed_emails(source: RandomValues) -> list[Record]:
    """Make email addresses that no longer want mail."""
    return [
        {"email": f"gone{n}@bücher.example", "organization_id": source.organization_id}
        | {"date_created": dated(source, n)["date_created"], "reason": None}
        for n in range(source.shape.small_lists)
    ]
