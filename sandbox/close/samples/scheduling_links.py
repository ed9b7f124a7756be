"""Makes scheduling links."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def scheduling_links(source: RandomValues) -> dict[str, list[Record]]:
    """Make scheduling links of users, and shared ones."""

    def made(kind: str) -> list[Record]:
        return [
            {
                "id": source.short("schlnk"),
                "name": f"Termin {n}",
                "description": None,
                "url": source.maybe(0.8, source.urls),
                "duration_in_minutes": source.maybe(0.8, [15, 30]),
                "source": "close",
                "source_id": None,
                "source_type": None,
                "template_tag": None,
                "type": kind,
                "user_id": source.user() if kind == "USER" else None,
                "organization_id": source.organization_id,
            }
            for n in range(source.shape.small_lists)
        ]

    return {"scheduling_links": made("USER"), "shared_scheduling_links": made("SHARED")}
