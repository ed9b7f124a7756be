"""Copper's custom fields as fields that can be written (developer.copper.com: custom-fields/general)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.providers.copper.entries import Entries
from tap_crm.shaping.custom.fields import columns_of
from target_crm.contract import Columns, Field, Unwritable
from target_crm.kinds.options import LabelledOption, OptionSet
from target_crm.kinds.plain import Boolean, Number, Text
from target_crm.kinds.times import EPOCH, Day
from target_crm.writers.definitions import labels_of

if TYPE_CHECKING:
    from tap_crm.shaping.custom.fields import CustomField
    from target_crm.contract import Id, ObjectSpec
    from target_crm.kinds.base import Kind
    from target_crm.writers.definitions import Definitions

CUSTOM = "custom_fields"
_ENTRIES = Entries()


def columns(spec: ObjectSpec, definitions: Definitions) -> Columns:
    """Return the fields of an object in this account: those of the documentation, and its custom fields."""
    declared = definitions.spec(spec.name)
    if declared.custom is None:
        return Columns(spec.fields)
    custom = list(definitions.custom_fields(spec.name))
    by_name = columns_of(custom, set(spec.fields) | {CUSTOM}, by="name")
    fields = {name: Field(name, _kind(one), custom=one.key) for name, one in by_name.items()}
    by_id = {str(field.custom): field for field in fields.values()}
    aliases = {name: by_id[str(one.key)] for name, one in columns_of(custom, set(spec.fields), by="id").items()}
    return Columns({**spec.fields, **fields}, by_id, aliases, (CUSTOM, _split))


def _kind(one: CustomField) -> Kind | None:
    """Return what the values of a custom field are; None for links of Connect fields, which no field writes."""
    kind = one.kind.lower()
    if kind in ("dropdown", "multiselect"):
        choices = labels_of((one.options or {}).items())
        make = LabelledOption if kind == "dropdown" else OptionSet
        return make(f"option of `{one.label}`", lambda: choices)
    kinds: dict[str, Kind] = {
        **dict.fromkeys(("string", "text", "url"), Text()),
        **dict.fromkeys(("float", "currency"), Number()),
        "percentage": Number(whole=True, of="percent"),
        "date": Day(EPOCH),
        "checkbox": Boolean(unset_is_false=True),
    }
    return kinds.get(kind)


def _split(value: Any) -> list[tuple[Id, Any]]:  # noqa: ANN401
    rest, pairs = _ENTRIES.split({CUSTOM: value})
    if rest:
        raise Unwritable(f"`{CUSTOM}` must be a list of objects with `custom_field_definition_id` and `value`")
    return pairs


def custom_values(record: dict[str, Any], columns: Columns) -> dict[str, Any]:
    """Return the values of a record's custom fields, by the names of their columns."""
    _, pairs = _ENTRIES.split(record)
    return {columns.by_id[str(key)].name: value for key, value in pairs if str(key) in columns.by_id}
