"""Makes smart views, which the API calls saved searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record

_VIEWS = ("lead", "contact", "lead", "opportunity", "email", "note", "call")


def smart_views(source: RandomValues) -> list[Record]:
    """Make smart views of several types."""
    views = []
    for n in range(source.shape.small_lists + len(_VIEWS)):
        kind = _VIEWS[n % len(_VIEWS)]
        record = {
            "id": source.long("save"),
            "name": f"View {n}",
            "description": source.maybe(0.3, ["Nur warme"]),
            "type": kind,
            "query": None,
            "s_query": {"query": {"type": "match_all"}} if n % 2 else None,
            "is_shared": n % 2 == 0,
            "is_user_dependent": source.maybe(0.7, [True, False]),
            "user_id": source.maybe(0.8, source.user_ids),
        } | dated(source, n, people=False)
        views.append(record | ({"selected_fields": [{"field": "name"}], "shared_with": []} if n % 3 else {}))
    return views
