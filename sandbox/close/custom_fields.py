"""Custom field definitions of every kind, and the values that records have."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from sandbox.close.field_names import FIELDS, name_of
from sandbox.close.moments import DAY, SECOND, bare, day_of, text_of
from sandbox.close.object_types import CUSTOM_FIELD_KINDS
from sandbox.close.samples.random_ids import RandomIds

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record

Owner: TypeAlias = tuple[str, str | None]
"""A kind of object, and the type of activity or custom object."""

_CHOICES = ("Nord", "Süd", "a,b", "", "東京")
_VARIANTS = 60
_FILLED = 0.4
_MOST_FILLED = 60
"""Values that a record has about, at most: who defines hundreds of fields fills in a few of them."""
_EMPTY = 0.05
_ASSOCIATED = ("lead", "lead contact opportunity activity object", "contact", "opportunity", "lead activity", "object")
_SHORT = ("id", "name", "type", "description", "required", "is_shared", "accepts_multiple_values")
_KINDS = {"leads": "lead", "contacts": "contact", "opportunities": "opportunity", "custom_activities": "activity"}

_encode = msgspec.json.Encoder().encode


class Variant(NamedTuple):
    """Values of custom fields that many records share, and the end of a JSON object that has them."""

    values: Record
    tail: bytes


NO_VALUES = Variant({}, b"")


class CustomFields:
    """The definitions of an organization, and pools of the values that its records have.

    They have random numbers of their own: however many there are, all other records are the same.
    """

    def __init__(self, source: RandomValues) -> None:
        self.source = source
        self.ids = RandomIds(Random(source.shape.seed + 4))
        self.activity_type_ids = [self.ids.short("actitype") for _ in range(3)]
        self.object_type_ids = [self.ids.short("cotype") for _ in range(2)]
        self.object_ids = [self.ids.long("custobj") for _ in range(source.shape.custom_objects)]
        self.definitions = [
            self._generated(kind, place) for kind in CUSTOM_FIELD_KINDS for place in range(source.shape.custom_fields)
        ]
        self._pools: dict[Owner, list[Variant]] = {}

    def variant(self, name: str, record: Record) -> Variant:
        """Draw the values of a new record of a table."""
        kind = _KINDS.get(name)
        return self._one(kind, record.get("custom_activity_type_id")) if kind else NO_VALUES

    def draw(self, kind: str, parent: str | None = None) -> Record:
        """Give the values that a new record has, each under `custom.cf_…`."""
        return self._one(kind, parent).values

    def changed(self) -> None:
        """Let new records have values of the definitions as they are now."""
        self._pools.clear()

    def of(self, kind: str, parent: str | None = None) -> list[Record]:
        """Definitions that apply to an object, shared ones last."""
        found = [one for one in self.definitions if applies(one, kind, parent)]
        return sorted(found, key=lambda one: bool(one["object_type"] == "shared"))

    def short(self, kind: str, parent: str) -> list[Record]:
        """Give the definitions of a type of activity or custom object as the type itself has them."""
        found = []
        for one in self.of(kind, parent):
            plain = {key: one[key] for key in (*_SHORT, "editable_with_roles") if key in one}
            found.append(plain | ({"choices": one["choices"]} if one["choices"] else {}))
        return found

    def definition(self, kind: str, name: str, sort: str, *, many: bool, created: int) -> Record:
        """Make a definition that belongs to no type of activity or custom object yet."""
        ids, users = self.ids, self.source.user_ids
        return {
            "id": ids.long("cf"),
            "object_type": kind,
            "name": name,
            "description": ids.maybe(0.5, ["Où habite-t-il ?"]),
            "accepts_multiple_values": many,
            "editable_with_roles": [],
            "required": False,
            "organization_id": self.source.organization_id,
            "created_by": ids.one(users),
            "updated_by": ids.maybe(0.9, users),
            "date_created": text_of(created),
            "date_updated": text_of(created),
        } | self.of_type(sort)

    def of_type(self, sort: str, choices: list[str] | None = None) -> Record:
        """Give what a definition has because of its type."""
        found: Record = {"type": sort, "choices": None}
        if sort == "choices":
            found["choices"] = list(_CHOICES if choices is None else choices)
        if sort == "custom_object":
            found |= {"referenced_custom_type_id": self.object_type_ids[0], "back_reference_is_visible": True}
        return found

    def value(self, definition: Record) -> Any:  # noqa: ANN401
        """Draw a value of a definition's type; null if nothing can be chosen."""
        if not definition["accepts_multiple_values"]:
            return self.single(definition)
        if self.ids.chance(_EMPTY):
            return []
        made = [self.single(definition) for _ in range(1 + self.ids.below(3))]
        return [one for one in made if one is not None]

    def single(self, definition: Record) -> Any:  # noqa: ANN401
        """Draw one value, whether the definition takes several or not."""
        source, ids, sort = self.source, self.ids, definition["type"]
        if sort == "number":
            return ids.below(500) if ids.chance(0.5) else ids.below(5_000) / 8
        if sort in ("date", "datetime"):
            moment = (source.shape.now - ids.below(900) * 86_400) * SECOND
            forms = (day_of,) if sort == "date" else (text_of, bare)
            return ids.one(list(forms))(moment)
        pools: dict[str, list[Any]] = {
            "choices": definition["choices"] or [],
            "user": source.user_ids,
            "contact": source.ids["contacts"] or ["cont_" + "0" * 43],
            "custom_object": self.object_ids or ["custobj_" + "0" * 43],
            "hidden": ["s3cret"],
            "url": source.urls,
            "email": source.mails,
        }
        return ids.maybe(1, pools.get(sort, source.texts))

    def _generated(self, kind: str, place: int) -> Record:
        _, sort, many = FIELDS[place % len(FIELDS)]
        created = (self.source.shape.now - 86_400 * (900 - place)) * SECOND
        record = self.definition(kind, name_of(place, shared=kind == "shared"), sort, many=many, created=created)
        record["date_updated"] = text_of(created + place * DAY)
        if kind == "activity":
            record["custom_activity_type_id"] = self.activity_type_ids[place % len(self.activity_type_ids)]
        if kind == "custom_object_type":
            record["custom_object_type_id"] = self.object_type_ids[place % len(self.object_type_ids)]
        if kind == "shared":
            targets: dict[str, Record] = {one: {"object_type": one} for one in ("lead", "contact", "opportunity")}
            targets["activity"] = {
                "object_type": "custom_activity_type",
                "custom_activity_type_id": self.activity_type_ids[0],
            }
            targets["object"] = {"object_type": "custom_object_type", "custom_object_type_id": self.object_type_ids[0]}
            record |= shared_with([targets[one] for one in _ASSOCIATED[place % len(_ASSOCIATED)].split()])
        return record

    def _one(self, kind: str, parent: str | None) -> Variant:
        if (kind, parent) not in self._pools:
            self._pools[kind, parent] = self._variants(self.of(kind, parent))
        found: Variant = self.ids.one(self._pools[kind, parent])
        return found

    def _variants(self, definitions: list[Record]) -> list[Variant]:
        """Make sets of values; each definition has one in some of them."""
        part = min(_FILLED, _MOST_FILLED / max(1, len(definitions)))
        made = []
        for number in range(_VARIANTS if definitions else 1):
            values: Record = {}
            for place, one in enumerate(definitions):
                if self.ids.chance(part) or place % _VARIANTS == number:
                    values[f"custom.{one['id']}"] = self.value(one)
            made.append(variant_of({key: value for key, value in values.items() if value is not None}))
        return made


def variant_of(values: Record) -> Variant:
    """Encode values of custom fields as the end of a JSON object."""
    return Variant(values, b"," + _encode(values)[1:]) if values else NO_VALUES


def shared_with(targets: list[Record]) -> Record:
    """Give the field that only shared definitions have: the objects they apply to."""
    wide = {"editable_with_roles": [], "required": False}
    return {"is_shared": True, "associations": [one | wide for one in targets]}


def parent_of(definition: Record) -> str | None:
    """Give the type of activity or custom object that a definition belongs to."""
    found: str | None = definition.get("custom_activity_type_id") or definition.get("custom_object_type_id")
    return found


def applies(definition: Record, kind: str, parent: str | None) -> bool:
    """Whether an object of a kind (and type) may have values of a definition."""
    if definition["object_type"] == "shared":
        targets = definition["associations"]
        return any(parent_of(one) == parent if parent else one["object_type"] == kind for one in targets)
    return bool(definition["object_type"] == kind and parent_of(definition) == parent)
