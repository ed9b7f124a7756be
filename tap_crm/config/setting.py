"""A setting as a row of a table: name, type, default, check, text; a dataclass of such rows is a part of the table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, Unpack, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
_ROW = "setting"


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What the values of a setting are.

    Attributes:
        parse: takes a value as it was given, never an empty one, and the setting's name; returns the value as the
            program has it, None for none, or raises a ``ConfigError`` that does not repeat it.
        types: the value's types in JSON.
        form: what else a JSON schema says of it.
        meltano: what Meltano calls the kind. `string` goes for numbers, choices and lists, too: Meltano cannot write a
            `decimal` down, and stops at an empty variable for most other kinds.
        hidden: what no log line may show of a secret value.
        shown: of a secret value that is an object, the parts that are no secret where they are text, such as a path.
    """

    parse: Callable[[Any, str], T | None]
    types: tuple[str, ...] = ("string",)
    form: Mapping[str, Any] = field(default_factory=dict)
    meltano: str = "string"
    hidden: Callable[[str], tuple[str, ...]] = lambda value: (value,)
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: in configs; in variables, in capitals.
        kind: its type and its check.
        label: a few words, for Meltano.
        text: what it does, for the README, `--about` and Meltano.
        default: None if there is none.
        secret: no log line may show it.
        required: nothing works without it.
        placeholder: an example, for Meltano.
        options: what can be chosen, each with its name for people, where only the CRMs tell.
    """

    name: str
    kind: Kind[Any]
    label: str
    text: str
    default: Any = None
    secret: bool = False
    required: bool = False
    placeholder: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


class _More(TypedDict, total=False):
    secret: bool
    placeholder: str


@overload
def setting(kind: Kind[T], label: str = "", text: str = "", *, default: T, **more: Unpack[_More]) -> T: ...
@overload
def setting(kind: Kind[T], label: str = "", text: str = "", *, required: Literal[True], **more: Unpack[_More]) -> T: ...
@overload
def setting(kind: Kind[T], label: str = "", text: str = "", **more: Unpack[_More]) -> T | None: ...
def setting(
    kind: Kind[Any],
    label: str = "",
    text: str = "",
    *,
    required: bool = False,
    default: Any = None,
    **more: Unpack[_More],
) -> Any:
    """Declare a setting as a field of a dataclass; schema, README, Meltano's definition and redaction follow from it.

    Args:
        kind: its type and its check.
        label: a few words; empty within a setting that is an object.
        text: what it does.
        required: nothing works without it.
        default: what it is where nothing is given.
        more: whether it is ``secret``, and a ``placeholder``.
    """
    row = Setting("", kind, label, text, default, required=required, **more)
    shown = not row.secret
    if required:
        return field(repr=shown, metadata={_ROW: row})
    return field(default=default, repr=shown, metadata={_ROW: row})


def rows_of(group: type) -> tuple[Setting, ...]:
    """Return the settings that a dataclass declares, in their order."""
    fields = [one for one in dataclasses.fields(group) if _ROW in one.metadata]
    return tuple(replace(one.metadata[_ROW], name=one.name) for one in fields)


def is_empty(value: object) -> bool:
    """Tell whether a value is as if it were not there: a variable that is set to nothing sets nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def parsed(group: type, config: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return the settings of a group that are given, checked; those that are not are left out.

    Args:
        group: the dataclass that declares them.
        config: as it was given.
        within: what their names begin with in messages.

    Raises:
        ConfigError: one cannot be used.
    """
    found = {}
    for row in rows_of(group):
        given = config.get(row.name)
        value = None if is_empty(given) else row.kind.parse(given, within + row.name)
        if value is not None:
            found[row.name] = value
    return found


def secrets_in(settings: object) -> Iterator[str]:
    """Yield the secrets among the values of a group of settings."""
    for row in rows_of(type(settings)):
        value = getattr(settings, row.name)
        if isinstance(value, str) and row.secret:
            yield from row.kind.hidden(value)
        elif dataclasses.is_dataclass(value) and row.secret:
            yield from secrets_in(value)
