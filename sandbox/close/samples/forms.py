"""Makes forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def forms(source: RandomValues) -> list[Record]:
    """Make forms, archived ones among them."""
    fields = [{"id": "field_1", "name": "Größe", "type": "choices", "choices": [{"label": "S", "value": "s"}]}]
    return [
        {"id": number, "name": f"Form {n}", "is_archived": n % 3 == 2, "field_definitions": fields}  # noqa: PLR2004
        | dated(source, n, people=False)
        for n, number in enumerate(source.form_ids)
    ]
