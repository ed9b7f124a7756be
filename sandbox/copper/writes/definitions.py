"""Creates, changes and deletes definitions of custom fields (custom-fields/general)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copper.custom_fields import KINDS, OPTION_KINDS, SINGULAR
from sandbox.copper.writes.values import FieldError, filled

if TYPE_CHECKING:
    from sandbox.copper.account import CopperAccount
    from sandbox.exchange import Record

_CREATED = {"name", "data_type", "available_on", "is_filterable", "options", "currency"}
_UPDATED = _CREATED - {"data_type"}


def create(account: CopperAccount, body: Record, *, carried: bool) -> Record:
    """Define a custom field."""
    _known(body, _CREATED)
    name = filled(account, "name", body.get("name"))
    kind = body.get("data_type")
    if kind not in KINDS:
        raise FieldError("data_type", f"must be one of {', '.join(KINDS)}: {kind!r}")
    available = _available(body.get("available_on"))
    options = _options(body, kind, {})
    if not carried:
        return {"id": 0, "name": name, "data_type": kind, "available_on": available}
    number = account.add_field(
        name,
        str(kind),
        available_on=available,
        options=[one["name"] for one in options],
        currency=body.get("currency", "USD"),
        is_filterable=_flag(body),
        sampled=False,
    )
    return definition(account, number)


def update(account: CopperAccount, number: int, body: Record, *, carried: bool) -> Record:
    """Change a definition; options that are not listed stay or go (knob `unlisted_options`)."""
    held = definition(account, number)
    _known(body, _UPDATED)
    changes: Record = {}
    if "name" in body:
        changes["name"] = filled(account, "name", body["name"])
    if "available_on" in body:
        changes["available_on"] = _available(body["available_on"])
    if (flag := _flag(body)) is not None:
        changes["is_filterable"] = flag
    if "currency" in body:
        if held["data_type"] != "Currency":
            raise FieldError("currency", "only fields of kind Currency have one")
        changes["currency"] = filled(account, "currency", body["currency"])
    known = {one["id"]: one for one in held.get("options", ())}
    options = _options(body, held["data_type"], known)
    if carried:
        account.edit("custom_field_definitions", ids=[number], changes=changes)
        if "options" in body:
            _keep_options(account, number, options, known)
    return definition(account, number) if carried else held | changes


def delete(account: CopperAccount, number: int, *, carried: bool) -> Record:
    """Remove a definition with its values."""
    definition(account, number)
    if carried:
        account.remove_field(number)
    return {"id": number, "is_deleted": True}


def definition(account: CopperAccount, number: int) -> Record:
    """Give a definition; FieldError with 404 if there is none."""
    for one in account.lists["custom_field_definitions"]:
        if one["id"] == number:
            return dict(one)
    raise FieldError("id", f"there is no such definition: {number}", "not_found", 404)


def _known(body: Record, names: set[str]) -> None:
    for name in body:
        if name not in names:
            raise FieldError(name, "Unknown attribute", "unknown")


def _available(value: Any) -> list[str]:  # noqa: ANN401
    kinds = (*SINGULAR.values(), "user")
    if not isinstance(value, list) or not value or any(one not in kinds for one in value):
        raise FieldError("available_on", f"must be an array of {', '.join(kinds)}: {value!r}")
    return value


def _flag(body: Record) -> bool | None:
    value = body.get("is_filterable")
    if value is not None and not isinstance(value, bool):
        raise FieldError("is_filterable", f"must be true or false: {value!r}")
    return value


def _options(body: Record, kind: object, known: dict[int, Record]) -> list[Record]:
    options = body.get("options", [])
    if not isinstance(options, list) or (options and kind not in OPTION_KINDS):
        raise FieldError("options", "only fields of kind Dropdown and MultiSelect have an array of them")
    for one in options:
        if not isinstance(one, dict) or set(one) - {"id", "name", "rank"} or not isinstance(one.get("name"), str):
            raise FieldError("options", f"must have a name, and may have an id and a rank: {one!r}")
        if "id" in one and one["id"] not in known:
            raise FieldError("options", f"there is no such option: {one['id']!r}", "not_found")
    return options


def _keep_options(account: CopperAccount, number: int, options: list[Record], known: dict[int, Record]) -> None:
    for one in options:
        if "id" not in one:
            account.add_option(number, one["name"])
        elif one["name"] != known[one["id"]]["name"]:
            account.rename_option(number, one["id"], one["name"])
    if account.behaviour.unlisted_options == "removed":
        for option in known.keys() - {one.get("id") for one in options}:
            account.remove_option(number, option)
