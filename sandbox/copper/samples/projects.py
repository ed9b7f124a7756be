"""Makes projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copper.samples.related_resources import related_resource

if TYPE_CHECKING:
    from sandbox.copper.samples.random_values import RandomValues
    from sandbox.exchange import Record


def project(source: RandomValues, number: int, created: int, modified: int) -> Record:
    """Make a project (projects overview)."""
    return {
        "id": number,
        "name": f"{source.one(list(sample_texts.PROJECTS))} {number}",
        "related_resource": related_resource(source),
        "assignee_id": source.maybe(0.8, source.user_ids),
        "status": "Open" if source.chance(0.6) else "Completed",
        "details": source.one(source.details),
        "tags": source.one(source.tags),
        "custom_fields": source.custom["projects"].draw(),
        "date_created": created,
        "date_modified": modified,
    }
