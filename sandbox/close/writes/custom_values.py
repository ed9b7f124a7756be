"""Reads `custom.cf_…`, `.add` and `.remove`: values by the definition's type, by the field's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.close.custom_fields import applies, parent_of
from sandbox.close.moments import SECOND, text_of
from sandbox.close.parameters import refused
from sandbox.close.writes.fields import Reader, Wrong, day, is_there, micros_of_time, reference, text
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from sandbox.close.organization import CloseAccount
    from sandbox.exchange import Record

PREFIX = "custom."
_CHANGES = ("add", "remove")


class CustomValues:
    """The custom fields of one object, which may be of a type that has fields of its own."""

    def __init__(self, account: CloseAccount, kind: str, parent: str | None = None) -> None:
        self.account = account
        self.kind = kind
        self.parent = parent
        self.definitions = {one["id"]: one for one in account.lists["custom_fields"] if applies(one, kind, parent)}

    def changed(self, given: Record, old: Record, wrong: Record) -> Record:
        """Give the new values of those fields that a body names, null for none; note what is wrong."""
        found: Record = {}
        for key, value in given.items():
            name, _, change = key.removeprefix(PREFIX).partition(".")
            whole = f"{PREFIX}{name}"
            definition = self.definitions.get(name)
            if definition is None or (change and change not in _CHANGES):
                wrong[key] = "Unknown custom field."
            elif whole in found or (change and whole in given):
                wrong[key] = "A custom field can be set or changed only once."
            else:
                self._may_edit(definition)
                try:
                    found[whole] = self._new(definition, change, value, old.get(whole))
                except Wrong as error:
                    wrong[key] = error.text
        return found

    def missing(self, record: Record) -> Record:
        """Say which fields a record lacks that must have a value."""
        lacking = [
            number
            for number, one in self.definitions.items()
            if self._required(one) and record.get(f"{PREFIX}{number}") in (None, "", [])
        ]
        return {f"{PREFIX}{number}": "This field is required." for number in lacking}

    def _required(self, definition: Record) -> bool:
        targets = [
            one
            for one in definition.get("associations", ())
            if (parent_of(one) == self.parent if self.parent else one["object_type"] == self.kind)
        ]
        return any(one["required"] for one in (definition, *targets))

    def _may_edit(self, definition: Record) -> None:
        roles = definition["editable_with_roles"]
        user = self.account.source.user_ids[0]
        own = [one["role_id"] for one in self.account.lists["memberships"] if one["user_id"] == user]
        if roles and not set(roles) & set(own):
            raise Refusal(403, "Your role may not edit this custom field.")

    def _new(self, definition: Record, change: str, value: Any, old: Any) -> Any:  # noqa: ANN401
        many = definition["accepts_multiple_values"]
        if change:
            if not many:
                raise Wrong("This field takes one value only.")
            return self._list_changed(change, self._single(definition, value), list(old or []))
        if value is None:
            return None
        if isinstance(value, list) is not many:
            raise Wrong("Not a valid list." if many else "This field takes one value only.")
        if value in ("", []):
            return None if self.account.behaviour.empty_values == "cleared" else value
        if not many:
            return self._single(definition, value)
        return list(dict.fromkeys(self._single(definition, one) for one in value))

    def _list_changed(self, change: str, value: Any, old: list[Any]) -> Any:  # noqa: ANN401
        if change == "remove":
            return [one for one in old if one != value] or None
        if value in old:
            if self.account.behaviour.add_twice == "refused":
                raise Wrong("The field has this value already.")
            if self.account.behaviour.add_twice == "ignored":
                return old
        return [*old, value]

    def _single(self, definition: Record, value: Any) -> Any:  # noqa: ANN401
        if definition["type"] == "choices":
            return self._choice(definition, value)
        if definition["type"] == "custom_object":
            return self._object(definition, value)
        reader: Reader = _READERS.get(definition["type"], text)
        return reader(self.account, value)

    def _choice(self, definition: Record, value: Any) -> str:  # noqa: ANN401
        if not isinstance(value, str) or value not in definition["choices"]:
            if self.account.behaviour.choice_refusal == "error":
                raise refused(f"Invalid value for the choices field {definition['name']}.")
            raise Wrong("Value is not one of the choices.")
        return value

    def _object(self, definition: Record, value: Any) -> str:  # noqa: ANN401
        wanted = definition["referenced_custom_type_id"]
        if not isinstance(value, str) or not is_there(self.account, "custom_objects", value):
            raise Wrong("There is no custom object with this id.")
        (found,) = [one for one in self.account.lists["custom_objects"] if one["id"] == value]
        if found["custom_object_type_id"] != wanted:
            raise Wrong("The custom object is of another type.")
        return value


def _number(_: CloseAccount, value: Any) -> float:  # noqa: ANN401
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Wrong("Not a valid number.")
    return value


def _time(_: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read a moment; it comes back in whole seconds."""
    return text_of(micros_of_time(value) // SECOND * SECOND)


_READERS: dict[str, Reader] = {
    "number": _number,
    "date": day,
    "datetime": _time,
    "user": reference("users"),
    "contact": reference("contacts"),
}
