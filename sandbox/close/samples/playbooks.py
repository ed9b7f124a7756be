"""Makes outcomes and playbooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def outcomes_and_playbooks(source: RandomValues) -> dict[str, list[Record]]:
    """Make outcomes of calls and meetings, and playbooks with them."""
    count = source.shape.small_lists
    outcomes = [
        {"id": source.short("outcome"), "name": f"Résultat {n}", "description": None, "type": "custom"}
        | {"applies_to": ["calls", "meetings"][: 1 + n % 2]}
        | dated(source, n)
        for n in range(count)
    ]
    playbooks = []
    for n in range(count):
        dates = dated(source, n, people=False)
        playbooks.append(
            {
                "id": source.short("playbook"),
                "name": f"Leitfaden {n}",
                "description": source.maybe(0.5, ["…"]),
                "archived_at": dates["date_updated"] if n % 3 == 1 else None,
                "archived_by_id": source.user() if n % 3 == 1 else None,
                "created_at": dates["date_created"],
                "created_by_id": source.user(),
                "updated_at": dates["date_updated"],
                "updated_by_id": source.user(),
                "custom_field_ids": [],
                "outcome_ids": [outcomes[0]["id"]],
                "position": n if n % 2 else None,
                "summary_guidance": None,
                "organization_id": source.organization_id,
            }
        )
    return {"outcomes": outcomes, "playbooks": playbooks}
