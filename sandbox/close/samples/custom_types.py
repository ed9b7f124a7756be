"""Makes custom activity types, custom object types and custom objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record


def custom_types(source: RecordValues) -> dict[str, list[Record]]:
    """Make types of activities, types of custom objects, and custom objects."""

    def made(numbers: list[str], kind: str, name: str) -> list[Record]:
        return [
            {
                "id": number,
                "name": f"{name} {n}",
                "description": source.maybe(0.5, ["Für Ämter"]),
                "api_create_only": False,
                "editable_with_roles": [],
                "fields": source.custom.short(kind, number),
            }
            | dated(source, n, zone=False)
            for n, number in enumerate(numbers)
        ]

    custom = source.custom
    activity_types = made(custom.activity_type_ids, "activity", "Begehung")
    activity_types[-1]["is_archived"] = True
    object_types = made(custom.object_type_ids, "custom_object_type", "Maschine")
    for one in object_types:
        one |= {"name_plural": "Maschinen", "back_reference_fields": []}
    objects = []
    for n, number in enumerate(custom.object_ids if source.ids["leads"] else []):
        type_id = source.one(custom.object_type_ids)
        record = {
            "id": number,
            "custom_object_type_id": type_id,
            "lead_id": source.one(source.ids["leads"]),
            "name": f"Press №{n}",
        }
        objects.append(record | dated(source, n) | custom.draw("custom_object_type", type_id))
    return {"custom_activity_types": activity_types, "custom_object_types": object_types, "custom_objects": objects}
