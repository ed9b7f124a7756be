"""Close's custom fields (developer.close.com: custom-fields): definitions, shared ones merged in, kinds of values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.contract.stream import CustomFields
from tap_crm.providers.close.lists import ListListing
from tap_crm.providers.close.organization import all_records
from tap_crm.shaping.custom.fields import ANY, DATE, MOMENT, NUMBER, TEXT, CustomField, list_of
from tap_crm.shaping.custom.layouts import Prefixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record
    from tap_crm.shaping.custom.fields import Schema

SHARED = "shared"
#: The lists of definitions, by the kind of record that has the fields.
KINDS = ("lead", "contact", "opportunity", "activity", "custom_object_type", SHARED)
#: Those of which Close documents that they come in pages.
PAGED = ("lead", "contact", "opportunity", "activity")
#: Known to work; more is unproven.
PAGE_SIZE = 1000
_BY_TYPE: Mapping[str, Schema] = {
    **dict.fromkeys(("text", "textarea", "hidden", "url", "email", "choices"), TEXT),
    **dict.fromkeys(("user", "contact", "custom_object"), TEXT),
    "number": NUMBER,
    "date": DATE,
    "datetime": MOMENT,
}
#: How associations of shared fields may call the kinds; the pages that name them differ.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "activity": ("activity", "custom_activity", "custom_activity_type"),
    "custom_object_type": ("custom_object", "custom_object_type"),
}


def definitions(kind: str, reading: Reading) -> list[Record]:
    """Return the definitions of one list; asked once per run."""

    def ask() -> list[Record]:
        label = f"definitions of custom fields of {kind}"
        listing = ListListing(reading, f"/custom_field/{kind}/", size=PAGE_SIZE if kind in PAGED else None, label=label)
        found = all_records(reading, listing, doubtful=True)
        return list({record["id"]: record for record in found}.values())

    return reading.once_per_run.get_once(f"custom fields of {kind}", ask)


def fields_of(kind: str, reading: Reading) -> tuple[list[CustomField], errors.FinalWord | None]:
    """Return the custom fields of one kind of record, and those that it shares with others.

    A list that the CRM refuses costs its own fields only; with the others comes the refusal.
    """
    found: dict[str, Record] = {}
    refusal: errors.FinalWord | None = None
    for of in (kind, SHARED):
        try:
            records = definitions(of, reading)
        except (errors.Forbidden, errors.NotThere, errors.Refused) as error:  # the plan may have none
            refusal = refusal or error
            continue
        found.update({record["id"]: record for record in records if of == kind or _is_shared_with(kind, record)})
    return [_field(record) for record in found.values()], refusal


def _is_shared_with(kind: str, record: Record) -> bool:
    """Tell whether a shared field belongs to a kind of record; one that does not say so belongs to all."""
    associations = record.get("associations")
    if not isinstance(associations, list):
        return True
    names = _ALIASES.get(kind, (kind,))
    return any(isinstance(one, dict) and one.get("object_type") in names for one in associations)


def custom(kind: str) -> CustomFields:
    """Return the declaration for the stream of one kind of record: a field ``custom.cf_…`` for each that is set."""
    return CustomFields(Prefixed("custom."), partial(fields_of, kind))


def _field(record: Record) -> CustomField:
    kind = str(record.get("type") or "")
    many = record.get("accepts_multiple_values") is True
    schema = _BY_TYPE.get(kind, ANY)
    choices = record.get("choices")
    return CustomField(
        key=str(record["id"]),
        label=str(record.get("name") or ""),
        kind=f"{kind or 'unknown'}{', several values' if many else ''}",
        schema=list_of(schema) if many and schema is not ANY else schema,
        choices=[str(choice) for choice in choices] if isinstance(choices, list) else (),
    )
