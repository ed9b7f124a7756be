"""Makes lead statuses, opportunity statuses and pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import DAY, SECOND, bare

if TYPE_CHECKING:
    from sandbox.close.samples.random_ids import OrganizationIds
    from sandbox.exchange import Record

_LABELS = ("Potential", "Bad Fit", "Qualifiziert", "Client 🤝", "見込み")
_STAGES = (("Demo", "active"), ("Vertrag", "active"), ("Won 🎉", "won"), ("Lost", "lost"))


def statuses(source: OrganizationIds) -> dict[str, list[Record]]:
    """Make lead statuses, opportunity statuses and pipelines."""
    organization_id = source.organization_id
    lead_statuses: list[Record] = [
        {"id": source.long("stat"), "label": label, "organization_id": organization_id}
        | ({"type": "active"} if place else {})
        for place, label in enumerate(_LABELS)
    ]
    start = (source.shape.now - 86_400 * 1_200) * SECOND
    pipelines: list[Record] = []
    opportunity_statuses: list[Record] = []
    for place, name in enumerate(("Sales", "Partner «Süd»")):
        number = source.short("pipe")
        stages = [{"id": source.long("stat"), "label": label, "type": sort} for label, sort in _STAGES]
        pipelines.append(
            {
                "id": number,
                "name": name,
                "organization_id": organization_id,
                "statuses": stages,
                "created_by": None,
                "updated_by": None,
                "date_created": bare(start + 184_401),
                "date_updated": bare(start + place * DAY),
            }
        )
        extra = {"pipeline_id": number, "organization_id": organization_id}
        opportunity_statuses += [stage | extra for stage in stages]
    return {"lead_statuses": lead_statuses, "opportunity_statuses": opportunity_statuses, "pipelines": pipelines}


def pipeline_name(made: dict[str, list[Record]], number: str) -> str:
    """Give the name of a pipeline."""
    return next(str(one["name"]) for one in made["pipelines"] if one["id"] == number)
