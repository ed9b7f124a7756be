"""The small lists of an account, each answered whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper.samples.activity_types import activity_types, custom_activity_types
from sandbox.copper.samples.named import named
from sandbox.copper.samples.pipelines import pipelines
from sandbox.copper.samples.users import users
from sandbox.copper.samples.webhooks import webhooks

if TYPE_CHECKING:
    from random import Random

    from sandbox.copper.shape import Shape
    from sandbox.exchange import Record


def small_lists(shape: Shape, rng: Random) -> dict[str, list[Record]]:
    """Make every list that has no search."""
    made = pipelines()
    return {
        "users": users(shape.users),
        "pipelines": made,
        "pipeline_stages": [
            {
                "id": stage["id"],
                "name": stage["name"],
                "pipeline_id": pipeline["id"],
                "win_probability": stage["win_probability"],
            }
            for pipeline in made
            for stage in pipeline["stages"]
        ],
        "customer_sources": named(331_240, ("Email", "Kaltakquise", "Advertising", "口コミ", "Other")),
        "loss_reasons": named(300_987, ("Price", "Timing", "Mitbewerber", "No budget")),
        "contact_types": named(451_490, ("Potential Customer", "Current Customer", "Uncategorized", "Other")),
        "lead_statuses": [
            {"id": 208_231 + n, "name": name, "order": n + 1, "is_default": n == 0}
            for n, name in enumerate(("New", "Unqualified", "Contacted", "Qualifié", "Junk"))
        ],
        "activity_types": activity_types(),
        "custom_activity_types": custom_activity_types(),
        "webhooks": webhooks(shape, rng),
    }


def account(number: int, *, leads_enabled: bool, team_permissions: bool) -> Record:
    """Give the account (account/fetch-account-details)."""
    return {
        "id": number,
        "name": "Sandbox & Söhne",
        "primary_timezone": "America/Los_Angeles",
        "settings": {
            "setting_team_permissions_enabled": team_permissions,
            "setting_enable_leads": leads_enabled,
        },
    }
