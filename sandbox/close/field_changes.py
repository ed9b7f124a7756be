"""Custom field definitions that come, change and go while an organization is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.close.changes import Editor
from sandbox.close.custom_fields import shared_with
from sandbox.close.field_names import MULTIPLE, TYPES
from sandbox.close.object_types import CUSTOM_FIELD_KINDS
from sandbox.close.records import OrganizationRecords

if TYPE_CHECKING:
    from sandbox.close.behaviour import Behaviour
    from sandbox.close.shape import Shape
    from sandbox.exchange import Record

FIELD_VERBS = frozenset(
    (
        *("add_field", "rename_field", "retype_field", "remove_field"),
        *("add_choice", "rename_choice", "remove_choice"),
    )
)
_PARENTS = {
    "activity": ("custom_activity_type_id", "custom_activity_types"),
    "custom_object_type": ("custom_object_type_id", "custom_object_types"),
}
_TARGETS = {
    **dict.fromkeys(("lead", "contact", "opportunity")),
    "custom_activity_type": "activity",
    "custom_object_type": "custom_object_type",
}
_OF_OBJECTS = ("referenced_custom_type_id", "back_reference_is_visible")
_AS_TEXT = ("text", "textarea", "hidden")
_TEXTS = (*_AS_TEXT, "url", "email", "number", "date", "datetime", "choices")


class FieldChanges(OrganizationRecords):
    """An organization whose custom fields change on order. Each order gives an id; dates of records never move.

    The definition's own `date_updated` moves, and the change is logged.
    """

    def __init__(self, shape: Shape | None = None, behaviour: Behaviour | None = None) -> None:
        super().__init__(shape, behaviour)
        self.editor = Editor(self)

    def add_field(  # noqa: PLR0913 - each is a field of a definition
        self,
        *,
        object_type: str,
        name: str,
        type: str,  # noqa: A002 - the API's own word
        accepts_multiple_values: bool = False,
        choices: list[str] | None = None,
        custom_activity_type_id: str | None = None,
        custom_object_type_id: str | None = None,
        associations: list[Record] | None = None,
        fill: bool = False,
    ) -> str:
        """Define a field; no record has a value of it yet, unless all are to be filled."""
        with self.lock:
            _check_type(type, accepts_multiple_values, choices)
            if object_type not in CUSTOM_FIELD_KINDS:
                raise ValueError(f"no such object_type: {object_type}; there are {', '.join(CUSTOM_FIELD_KINDS)}")
            parents = {
                "custom_activity_type_id": custom_activity_type_id,
                "custom_object_type_id": custom_object_type_id,
            }
            extra = self._place(object_type, parents, associations)
            custom = self.source.custom
            record = custom.definition(object_type, name, type, many=accepts_multiple_values, created=self.now())
            record |= custom.of_type(type, choices) | extra
            self.editor.put("custom_fields", record)
            self.editor.log("custom_fields", "created", record, None)
            self.editor.values.definitions_changed()
            if fill:
                self.editor.values.fill(record)
            return str(record["id"])

    def rename_field(self, *, id: str, name: str) -> str:  # noqa: A002
        """Give a field another name; its id and its values stay."""
        with self.lock:
            self._definition(id)
            return self.editor.edit("custom_fields", id, {"name": name})

    def retype_field(
        self,
        *,
        id: str,  # noqa: A002
        type: str,  # noqa: A002
        accepts_multiple_values: bool = False,
        choices: list[str] | None = None,
    ) -> str:
        """Give a field another type. Values become texts, lists or the first of a list; else they are drawn again."""
        with self.lock:
            _check_type(type, accepts_multiple_values, choices)
            old = dict(self._definition(id))
            kept = choices if choices is not None else old["choices"]
            changes = dict.fromkeys(key for key in _OF_OBJECTS if key in old)
            changes |= self.source.custom.of_type(type, kept) | {"accepts_multiple_values": accepts_multiple_values}
            self.editor.edit("custom_fields", id, changes)
            new = self._definition(id)
            self.editor.values.change(new, lambda value: self._converted(value, old, new))
            return id

    def remove_field(self, *, id: str) -> str:  # noqa: A002
        """Delete a field with all its values."""
        with self.lock:
            self._definition(id)
            self.editor.delete("custom_fields", id)
            return id

    def add_choice(self, *, id: str, choice: str) -> str:  # noqa: A002
        """Add a choice to a field."""
        with self.lock:
            choices = self._choices(id, without=choice)
            return self.editor.edit("custom_fields", id, {"choices": [*choices, choice]})

    def rename_choice(self, *, id: str, choice: str, new: str) -> str:  # noqa: A002
        """Rename a choice, in the definition and in all values.

        Inferred: values are the labels themselves, so they can not stay. The documentation says nothing.
        """
        with self.lock:
            choices = self._choices(id, choice, without=new)
            self.editor.edit("custom_fields", id, {"choices": [new if one == choice else one for one in choices]})
            self.editor.values.change(self._definition(id), lambda value: _replaced(value, choice, new))
            return id

    def remove_choice(self, *, id: str, choice: str, clear: bool = False) -> str:  # noqa: A002
        """Remove a choice from the definition; records keep it as their value, unless `clear` is set.

        Inferred, both ways: the documentation says nothing.
        """
        with self.lock:
            choices = self._choices(id, choice)
            self.editor.edit("custom_fields", id, {"choices": [one for one in choices if one != choice]})
            if clear:
                self.editor.values.change(self._definition(id), lambda value: _cleared(value, choice))
            return id

    def _definition(self, number: str) -> Record:
        for one in self.lists["custom_fields"]:
            if one["id"] == number:
                return one
        raise KeyError(f"custom_fields {number}")

    def _choices(self, number: str, choice: str | None = None, without: str | None = None) -> list[str]:
        """Give the choices of a field; ValueError unless it has `choice` and lacks `without`."""
        choices: list[str] | None = self._definition(number)["choices"]
        if choices is None:
            raise ValueError(f"{number} is of a type that has no choices")
        if choice is not None and choice not in choices:
            raise ValueError(f"{number} has no choice {choice!r}")
        if without in choices:
            raise ValueError(f"{number} has the choice {without!r} already")
        return choices

    def _place(self, kind: str, parents: dict[str, str | None], associations: list[Record] | None) -> Record:
        """Check and give the keys that name the types or objects of a definition."""
        if (kind == "shared") is (associations is None):
            raise ValueError("associations are for shared fields, and those need them")
        if associations is not None:
            for one in associations:
                if one["object_type"] not in _TARGETS:
                    raise ValueError(f"nothing can be associated with {one['object_type']}")
                own = _TARGETS[one["object_type"]]
                self._check_parent(own or "lead", {key: value for key, value in one.items() if key != "object_type"})
            return shared_with(associations)
        self._check_parent(kind, {key: value for key, value in parents.items() if value is not None})
        return {key: value for key, value in parents.items() if value is not None}

    def _check_parent(self, kind: str, given: Record) -> None:
        key, name = _PARENTS.get(kind, ("", ""))
        if set(given) != ({key} if key else set()):
            raise ValueError(f"{kind} needs {key or 'no type of activity or object'}, not {sorted(given)}")
        if key and all(one["id"] != given[key] for one in self.lists[name]):
            raise KeyError(f"{name} {given[key]}")

    def _converted(self, value: Any, old: Record, new: Record) -> Any:  # noqa: ANN401
        values = value if isinstance(value, list) else [value]
        if new["type"] in _AS_TEXT and old["type"] in _TEXTS:
            made = [str(one) for one in values]
        elif new["type"] == old["type"]:
            made = values
        else:
            made = [one for one in (self.source.custom.single(new) for _ in values) if one is not None]
        if new["accepts_multiple_values"]:
            return made
        return made[0] if made else None


def _check_type(sort: str, many: bool, choices: list[str] | None) -> None:  # noqa: FBT001
    if sort not in TYPES:
        raise ValueError(f"no such type: {sort}; there are {', '.join(TYPES)}")
    if many and sort not in MULTIPLE:
        raise ValueError(f"{sort} does not accept multiple values")
    if choices is not None and sort != "choices":
        raise ValueError(f"{sort} has no choices")


def _replaced(value: Any, old: str, new: str) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [new if one == old else one for one in value]
    return new if value == old else value


def _cleared(value: Any, choice: str) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [one for one in value if one != choice]
    return None if value == choice else value
