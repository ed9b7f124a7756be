"""Written values of custom fields (custom-fields/general, update-a-lead)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copper.custom_fields import OPTION_KINDS, SINGULAR, TEXT_KINDS
from sandbox.copper.writes.values import Check, FieldError, amount, moment, percentage, record_of, text

if TYPE_CHECKING:
    from sandbox.copper.records import AccountRecords
    from sandbox.exchange import Record

KEY = "custom_field_definition_id"
_NAME = "custom_fields"
_DAY = 86_400


def blank(records: AccountRecords, name: str) -> list[Record]:
    """Give an empty value of each definition that an object has."""
    return [
        {KEY: one["id"], "value": _empty(one)}
        for one in records.lists["custom_field_definitions"]
        if SINGULAR[name] in one["available_on"]
    ]


def written(records: AccountRecords, name: str, held: list[Record], given: Any) -> list[Record]:  # noqa: ANN401
    """Give the entries after a write: those given changed; the knob `unlisted_custom_fields` rules the others."""
    if given is not None and not isinstance(given, list):
        raise FieldError(_NAME, f"must be an array: {given!r}")
    changed: dict[int, object] = {}
    for one in given or ():
        definition = _definition(records, name, one)
        if definition["id"] in changed:
            raise FieldError(_NAME, f"is there twice: {definition['id']}")
        value = _value(records, definition, one.get("value"))
        if definition["data_type"] != "Connect" or records.behaviour.connect_values == "written":
            changed[definition["id"]] = value
    if given is None or records.behaviour.unlisted_custom_fields == "cleared":
        definitions = {one["id"]: one for one in records.lists["custom_field_definitions"]}
        held = [one | {"value": _empty(definitions[one[KEY]])} if one[KEY] in definitions else one for one in held]
    entries = {one[KEY]: one for one in held} | {key: {KEY: key, "value": value} for key, value in changed.items()}
    return list(entries.values())


def checked(records: AccountRecords, name: str, definition_id: object, value: object) -> tuple[Record, object]:
    """Check one value; gives its definition and the value as it is kept."""
    definition = _definition(records, name, {KEY: definition_id, "value": value})
    return definition, _value(records, definition, value)


def _definition(records: AccountRecords, name: str, one: Any) -> Record:  # noqa: ANN401
    if not isinstance(one, dict) or KEY not in one or "value" not in one:
        raise FieldError(_NAME, f"must have {KEY} and value: {one!r}")
    if set(one) - {KEY, "value"} and records.behaviour.unwritable == "refused":
        raise FieldError(_NAME, f"must have only {KEY} and value: {one!r}")
    for definition in records.lists["custom_field_definitions"]:
        if definition["id"] == one[KEY] and SINGULAR[name] in definition["available_on"]:
            return definition
    raise FieldError(_NAME, f"{name} have no such custom field: {one[KEY]!r}", "not_found")


def _empty(definition: Record) -> object:
    return {"Checkbox": False, "MultiSelect": []}.get(definition["data_type"])


def _value(records: AccountRecords, definition: Record, value: Any) -> object:  # noqa: ANN401
    if value is None:
        return _empty(definition)
    kind = definition["data_type"]
    if kind in OPTION_KINDS:
        return _options(definition, value)
    if kind == "Connect":
        return _connected(records, definition, value)
    return _PLAIN[kind](records, _NAME, value)


def _midnight(records: AccountRecords, name: str, value: Any) -> int | None:  # noqa: ANN401
    given = moment(records, name, value)
    return None if given is None else given - given % _DAY


def _flag(_: AccountRecords, name: str, value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise FieldError(name, f"must be true or false: {value!r}")
    return value


def _float(records: AccountRecords, name: str, value: Any) -> float | None:  # noqa: ANN401
    given = amount(records, name, value)
    return None if given is None else float(given)


_PLAIN: dict[str, Check] = dict.fromkeys(TEXT_KINDS, text) | {
    "Date": _midnight,
    "Checkbox": _flag,
    "Percentage": percentage,
    "Float": _float,
    "Currency": _float,
}


def _options(definition: Record, value: Any) -> object:  # noqa: ANN401
    """Check ids of options; their names are not taken."""
    many = definition["data_type"] == "MultiSelect"
    if many is not isinstance(value, list):
        raise FieldError(_NAME, f"must be {'an array of ids' if many else 'an id'}: {value!r}")
    known = {one["id"] for one in definition["options"]}
    for one in value if many else [value]:
        if type(one) is not int or one not in known:
            raise FieldError(_NAME, f"{definition['id']} has no such option: {one!r}", "inclusion")
    return list(dict.fromkeys(value)) if many else value


def _connected(records: AccountRecords, definition: Record, value: Any) -> object:  # noqa: ANN401
    """Check a Connect value as the knob `connect_values` says: how it is written is not documented."""
    if records.behaviour.connect_values == "refused":
        raise FieldError(_NAME, f"{definition['id']} is a Connect field")
    if records.behaviour.connect_values == "ignored":
        return value
    if not isinstance(value, list):
        raise FieldError(_NAME, f"must be an array of ids: {value!r}")
    table = "companies" if definition["available_on"] == ["person"] else "people"
    for one in value:
        record_of(table)(records, _NAME, one)
    return list(dict.fromkeys(value)) or None
