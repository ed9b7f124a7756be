"""Close's custom fields as fields that can be written (developer.close.com: custom fields)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.shaping.custom.fields import columns_of
from tap_crm.shaping.schema import load_schema
from target_crm.contract import Columns, Field, Unwritable
from target_crm.kinds.options import Choice, Option
from target_crm.kinds.plain import Number, Text
from target_crm.kinds.times import Day, Moment
from target_crm.writers.close.kinds import Link, Many
from target_crm.writers.close.objects import PREFIXES

if TYPE_CHECKING:
    from tap_crm.shaping.custom.fields import CustomField
    from target_crm.contract import Id, ObjectSpec
    from target_crm.kinds.base import Kind
    from target_crm.writers.close.objects import Objects
    from target_crm.writers.definitions import Definitions

CUSTOM = "custom_fields"
#: How a record of Close names the value of a custom field: ``custom.cf_…``.
PREFIX = "custom."


def columns(spec: ObjectSpec, definitions: Definitions, objects: Objects) -> Columns:
    """Return the fields of an object in this account: those of the documentation, and its custom fields."""
    if definitions.spec(spec.name).custom is None:
        return Columns(spec.fields)
    custom = list(definitions.custom_fields(spec.name, as_far_as_readable=True))
    taken = set(load_schema("close", spec.name)["properties"])
    fields = {
        name: Field(name, _kind(one, objects), custom=one.key, wire=f"{PREFIX}{one.key}")
        for name, one in columns_of(custom, taken, by="name").items()
    }
    by_id = {str(field.custom): field for field in fields.values()}
    aliases = {name: by_id[str(one.key)] for name, one in columns_of(custom, taken, by="id").items()}
    aliases |= {field.api_name: field for field in fields.values()}
    return Columns({**spec.fields, **fields}, by_id, aliases, (CUSTOM, _split))


def _kind(one: CustomField, objects: Objects) -> Kind:
    """Return what the values of a custom field are; those of unknown types are texts."""
    word, _, several = one.kind.partition(", ")
    kind = _single(word, one, objects)
    return Many(kind) if several else kind


def _single(word: str, one: CustomField, objects: Objects) -> Kind:
    if word == "choices":
        choices = [Choice(label, (label,)) for label in one.choices]
        return Option(f"option of `{one.label}`", lambda: choices, whole_ids=False)
    if word == "user":
        return objects.user()
    kinds: dict[str, Kind] = {
        "number": Number(),
        "date": Day(),
        "datetime": Moment(),
        "contact": Link("contacts", whole_ids=False, prefix=PREFIXES["contacts"]),
        "custom_object": Link("custom_objects", whole_ids=False, prefix=PREFIXES["custom_objects"]),
    }
    return kinds.get(word, Text())


def _split(value: Any) -> list[tuple[Id, Any]]:  # noqa: ANN401
    if not isinstance(value, dict):
        raise Unwritable(f"`{CUSTOM}` must be an object: the ids of custom fields, and their values")
    return [(str(key).removeprefix(PREFIX), held) for key, held in value.items()]
