"""Makes activity types and custom activity types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.exchange import Record


def activity_types() -> list[Record]:
    """Make activity types; ids 1 and 3 exist in both categories."""
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


def custom_activity_types() -> list[Record]:
    """Make custom activity types; one is disabled."""
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
