"""Makes exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def exports(source: RandomValues) -> list[Record]:
    """Make exports, finished and failed ones."""
    return [
        {
            "id": source.long("expo"),
            "type": ("leads", "contacts", "lead_opps")[n % 3],
            "format": "json",
            "status": ("done", "error")[n % 2],
            "fields": ["id"],
            "s_query": None,
            "sort": [],
            "results_limit": None,
            "n_docs": source.maybe(0.8, [7]),
            "n_docs_processed": 7,
            "download_url": None,
            "send_done_email": False,
        }
        | dated(source, n)
        for n in range(source.shape.small_lists)
    ]
