"""Custom field definitions of every kind, and the values that records have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.close.kinds import CUSTOM_FIELD_KINDS
from sandbox.close.moments import DAY, SECOND, bare, day_of, text_of

if TYPE_CHECKING:
    from sandbox.close.source import Source
    from sandbox.exchange import Record

_TYPES = (
    ("Region", "choices"),
    ("Größe (m²)", "number"),
    ("Birthday 🎂", "date"),
    ("Notes", "textarea"),
    ("Owner", "user"),
    ("顧客ランク", "choices"),
    ("Next call", "datetime"),
    ("Region", "text"),
    ("Reports to", "contact"),
    ("Secret", "hidden"),
    ("Machine", "custom_object"),
    ("date_updated", "text"),
)
_MANY = ("choices", "user", "contact")
_CHOICES = ["Nord", "Süd", "a,b", "", "東京"]
_VARIANTS = 60


class CustomFields:
    """The definitions of an organization, and pools of the values that its records have."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.activity_type_ids = [source.short("actitype") for _ in range(3)]
        self.object_type_ids = [source.short("cotype") for _ in range(2)]
        self.definitions = [
            self._definition(kind, place) for kind in CUSTOM_FIELD_KINDS for place in range(source.shape.custom_fields)
        ]
        self.pools = {owner: self._variants(self.of(*owner)) for owner in self._owners()}

    def draw(self, kind: str, parent: str | None = None) -> Record:
        """Give the values that a new record has, each under `custom.cf_…`."""
        values: Record = self.source.one(self.pools[kind, parent])
        return values

    def of(self, kind: str, parent: str | None = None) -> list[Record]:
        """Definitions that apply to an object, shared ones last."""
        own = [one for one in self.definitions if one["object_type"] == kind and parent_of(one) == parent]
        return own + [one for one in self.definitions if one["object_type"] == "shared" and _shared(one, kind, parent)]

    def _owners(self) -> list[tuple[str, str | None]]:
        plain: list[tuple[str, str | None]] = [(kind, None) for kind in ("lead", "contact", "opportunity")]
        activities = [("activity", parent) for parent in self.activity_type_ids]
        return plain + activities + [("custom_object_type", parent) for parent in self.object_type_ids]

    def _definition(self, kind: str, place: int) -> Record:
        source = self.source
        name, sort = _TYPES[place % len(_TYPES)]
        created = (source.shape.now - 86_400 * (900 - place)) * SECOND
        record: Record = {
            "id": source.long("cf"),
            "object_type": kind,
            "name": name if place < len(_TYPES) else f"{name} {place}",
            "description": source.maybe(0.5, ["Où habite-t-il ?"]),
            "type": sort,
            "choices": _CHOICES if sort == "choices" else None,
            "accepts_multiple_values": sort in _MANY and place % 2 == 0,
            "editable_with_roles": [],
            "required": False,
            "organization_id": source.organization_id,
            "created_by": source.user(),
            "updated_by": source.maybe(0.9, source.user_ids),
            "date_created": text_of(created),
            "date_updated": text_of(created + place * DAY),
        }
        if sort == "custom_object":
            record |= {"referenced_custom_type_id": self.object_type_ids[0], "back_reference_is_visible": True}
        if kind == "activity":
            record["custom_activity_type_id"] = self.activity_type_ids[place % len(self.activity_type_ids)]
        if kind == "custom_object_type":
            record["custom_object_type_id"] = self.object_type_ids[place % len(self.object_type_ids)]
        if kind == "shared":
            targets = [{"object_type": "lead"}, {"object_type": "contact"}, {"object_type": "opportunity"}]
            targets.append(
                {"object_type": "custom_activity_type", "custom_activity_type_id": self.activity_type_ids[0]}
            )
            wide = {"editable_with_roles": [], "required": False}
            record |= {"is_shared": True, "associations": [one | wide for one in targets[: 1 + place % 4]]}
        return record

    def _variants(self, definitions: list[Record]) -> list[Record]:
        return [self._values(definitions) for _ in range(_VARIANTS)]

    def _values(self, definitions: list[Record]) -> Record:
        values: Record = {}
        for one in definitions:
            if self.source.chance(0.4):
                many = one["accepts_multiple_values"]
                made = [self._value(one["type"]) for _ in range(1 + self.source.below(3))] if many else None
                values[f"custom.{one['id']}"] = made if many else self._value(one["type"])
        return values

    def _value(self, sort: str) -> Any:  # noqa: ANN401
        source = self.source
        if sort == "number":
            return source.below(500) if source.chance(0.5) else source.below(5_000) / 8
        if sort == "custom_object":
            return source.long("custobj")
        if sort in ("date", "datetime"):
            moment = (source.shape.now - source.below(900) * 86_400) * SECOND
            forms = (day_of,) if sort == "date" else (text_of, bare)
            return source.one(list(forms))(moment)
        pools: dict[str, list[Any]] = {
            "choices": _CHOICES,
            "user": source.user_ids,
            "contact": source.ids["contacts"] or ["cont_" + "0" * 43],
            "hidden": ["s3cret"],
        }
        return source.one(pools.get(sort, source.texts))


def parent_of(definition: Record) -> str | None:
    """Give the type of activity or custom object that a definition belongs to."""
    found: str | None = definition.get("custom_activity_type_id") or definition.get("custom_object_type_id")
    return found


def _shared(definition: Record, kind: str, parent: str | None) -> bool:
    return any(parent_of(one) == parent if parent else one["object_type"] == kind for one in definition["associations"])
