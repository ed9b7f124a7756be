"""Copper's custom fields (developer.copper.com: custom-fields/general): definitions, and kinds of values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tap_crm.contract.stream import CustomFields
from tap_crm.providers.common.whole_list import ask_twice_if_empty, emit_all
from tap_crm.providers.copper.entries import Entries
from tap_crm.providers.copper.lists import in_list
from tap_crm.shaping.custom.fields import ANY, BOOLEAN, DATE, LIST, NUMBER, TEXT, CustomField, list_of
from tap_crm.transport.question import Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record
    from tap_crm.shaping.custom.fields import Id, Schema

PATH = "/custom_field_definitions"
_KINDS: Mapping[str, Schema] = {
    **dict.fromkeys(("string", "text", "url", "dropdown"), TEXT),
    **dict.fromkeys(("float", "currency", "percentage"), NUMBER),
    "multiselect": list_of(TEXT),
    "date": DATE,
    "checkbox": BOOLEAN,
    "connect": LIST,  # the form of its values is not documented
}
_WITH_OPTIONS = ("dropdown", "multiselect")


def definitions(reading: Reading) -> list[Record]:
    """Return the definitions of all objects; asked once per run, an empty list twice."""

    def ask() -> list[Record]:
        question = Question("GET", PATH, "definitions of custom fields")
        return ask_twice_if_empty(reading, question, lambda reply: in_list("id", reply=reply))

    return reading.once_per_run.get_once(PATH, ask)


def fields_of(kind: str, reading: Reading) -> tuple[list[CustomField], None]:
    """Return the custom fields of one kind of record, such as ``person``; they are refused together or not at all."""
    return [_field(record) for record in definitions(reading) if _is_available_on(kind, record)], None


def _is_available_on(kind: str, record: Record) -> bool:
    """Tell whether a kind of record has the field; one that does not say so may be on any."""
    kinds = record.get("available_on")
    return kind in kinds if isinstance(kinds, list) else True


def custom(kind: str) -> CustomFields:
    """Return the declaration for the streams of one kind of record."""
    return CustomFields(Entries(), partial(fields_of, kind))


def _field(record: Record) -> CustomField:
    kind = str(record.get("data_type") or "")
    schema = _KINDS.get(kind.lower(), ANY)
    listed = record.get("options")
    options = [option for option in listed if isinstance(option, dict)] if isinstance(listed, list) else []
    labels: dict[Id, str] = {
        option["id"]: str(option["id"] if option.get("name") is None else option["name"])
        for option in options
        if isinstance(option.get("id"), (int, str))
    }
    return CustomField(
        key=record["id"],
        label=str(record.get("name") or ""),
        kind=kind or "unknown",
        schema=schema,
        options=labels if kind.lower() in _WITH_OPTIONS else None,
        choices=[f"{key} {label}" for key, label in labels.items()],
    )


@dataclass(frozen=True, slots=True)
class Definitions:
    """The stream of the definitions themselves."""

    def read(self, reading: Reading) -> None:
        """Emit the definitions."""
        emit_all(reading, definitions(reading))

    def probe(self, reading: Reading) -> None:
        """Ask for the definitions, if that was not done yet."""
        definitions(reading)
