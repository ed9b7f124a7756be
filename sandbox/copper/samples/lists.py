"""The small lists of an account, each answered whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from sandbox.copper.shape import Shape
    from sandbox.exchange import Record

_STAGES = (("Qualified", 5), ("Follow-up", 20), ("Présentation", 40), ("Vertrag 📝", 75), ("Closing", None))
_USER_NAMES = ("Admin", "Jonathan Lee", "Agnès Varda", "Ödön", "吉田", "Taylor Lowe")


def small_lists(shape: Shape, rng: Random) -> dict[str, list[Record]]:
    """Make every list that has no search."""
    pipelines = _pipelines()
    return {
        "users": _users(shape.users),
        "pipelines": pipelines,
        "pipeline_stages": [
            {
                "id": stage["id"],
                "name": stage["name"],
                "pipeline_id": pipeline["id"],
                "win_probability": stage["win_probability"],
            }
            for pipeline in pipelines
            for stage in pipeline["stages"]
        ],
        "customer_sources": _named(331_240, ("Email", "Kaltakquise", "Advertising", "口コミ", "Other")),
        "loss_reasons": _named(300_987, ("Price", "Timing", "Mitbewerber", "No budget")),
        "contact_types": _named(451_490, ("Potential Customer", "Current Customer", "Uncategorized", "Other")),
        "lead_statuses": [
            {"id": 208_231 + n, "name": name, "order": n + 1, "is_default": n == 0}
            for n, name in enumerate(("New", "Unqualified", "Contacted", "Qualifié", "Junk"))
        ],
        "activity_types": _activity_types(),
        "custom_activity_types": _custom_activity_types(),
        "webhooks": _webhooks(shape, rng),
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


def _named(first: int, names: tuple[str, ...]) -> list[Record]:
    return [{"id": first + n, "name": name} for n, name in enumerate(names)]


def _users(count: int) -> list[Record]:
    teams = _named(9_001, ("Sales", "Vertrieb Süd", "Support"))
    return [
        {
            "id": 137_650 + 2 * n,
            "name": _USER_NAMES[n] if n < len(_USER_NAMES) else f"User {n}",
            "email": "admin@example.com" if n == 0 else f"user{n}@example.com",
            "groups": teams[: n % 4],
        }
        for n in range(count)
    ]


def _pipelines() -> list[Record]:
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


def _activity_types() -> list[Record]:
    """Ids 1 and 3 exist in both categories."""
    user = (
        (0, "Note"),
        (1, "To Do"),
        (3, "Site visit"),
        (190_711, "Phone Call"),
        (191_400, "Vor-Ort-Termin 🚗"),
    )
    system = ((1, "Property Changed"), (3, "Pipeline Stage Changed"), (5, "Attachment Added"), (6, "Email"))
    return [
        {
            "id": number,
            "category": category,
            "name": name,
            "is_disabled": name == "Site visit",
            "count_as_interaction": category == "user" and number > 0,
        }
        for category, types in (("user", user), ("system", system))
        for number, name in types
    ]


def _custom_activity_types() -> list[Record]:
    return [
        {
            "id": 190_711 + n,
            "company_id": 1,
            "icon_type": icon,
            "is_disabled": n == 2,  # noqa: PLR2004
            "is_interaction": n > 0,
            "name": name,
            "is_default_task_type": [True, None, False][n],
        }
        for n, (name, icon) in enumerate((("To Do", "check"), ("Phone Call", "phone"), ("Fax 📠", "fax")))
    ]


def _webhooks(shape: Shape, rng: Random) -> list[Record]:
    return [
        {
            "id": 2_040 + n,
            "target": f"https://example.com/hook/{n}",
            "type": kind,
            "event": event,
            "secret": {"key": f"s3cret-{rng.randint(1, 99)}"} if n else None,
            "created_at": shape.now - 86_400 * (n + 1),
            **({"headers": {"X-Token": "t"}, "custom_field_computed_values": False} if n == 2 else {}),  # noqa: PLR2004
        }
        for n, (kind, event) in enumerate((("lead", "update"), ("person", "new"), ("activity_log", "delete")))
    ]
