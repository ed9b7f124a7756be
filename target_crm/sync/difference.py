"""What has to be sent for a record to be in the CRM as it came: the difference, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_crm.contract import Unwritable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_crm.config.settings import StreamSettings
    from target_crm.contract import Field, Snapshot, Write
    from target_crm.sync.items import Item


_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs.

    Attributes:
        values: what is to be sent, by field.
        changes: what of it the report shows: the old and the new value.
        depends: whether something of it would be another value if the record held something else.
    """

    values: dict[Field, Any]
    changes: dict[str, tuple[Any, Any]]
    depends: bool = False


def difference(present: Snapshot | None, wanted: Mapping[Field, Any], settings: StreamSettings) -> Difference:
    """Return what differs.

    Args:
        present: the CRM's record; None where one is to be made.
        wanted: what a record says, by field; a field that is missing is left alone.
        settings: what nulls, and fewer entries of a list, mean.

    Raises:
        Unwritable: a field differs that cannot be changed any more.
    """
    clear, union = settings.nulls == "clear", settings.arrays == "union"
    values: dict[Field, Any] = {}
    changes: dict[str, tuple[Any, Any]] = {}
    depends = False
    for field, said in wanted.items():
        kind = field.kind
        if kind is None or (field.only_new and present is not None):
            continue
        have = None if present is None else value_in(present, field)
        value, by_present = _meant(field, said, wanted, present)
        unread = present is not None and is_unread(present, field)
        if unread and union and kind.many:
            raise Unwritable(f"`{field.name}` holds something there that is not understood: nothing can be added to it")
        if value is None and ((have is None and not unread) or not clear):
            continue
        merged = kind.merge(have, value, union=union and kind.many, clear=clear)
        if present is not None and not unread and kind.holds(have, merged):
            continue
        if present is not None and field.once:
            raise Unwritable(f"`{field.name}` cannot be changed once the record is there")
        values[field] = merged
        changes[field.name] = (kind.show(have), kind.show(merged))
        alone = kind.merge(None, value, union=union and kind.many, clear=clear)
        depends = depends or field.by_relation or by_present or alone != merged
    return Difference(values, changes, depends)


def _meant(
    field: Field,
    value: Any,  # noqa: ANN401
    wanted: Mapping[Field, Any],
    present: Snapshot | None,
) -> tuple[Any, bool]:
    """Return a value; of several things of one name the one that belongs to what the record has beside it.

    Returns:
        The value, and whether what the CRM has beside it decides.

    Raises:
        Unwritable: none of them belongs to it.
    """
    if not field.within or field.kind is None:
        return value, False
    whole = next((said for other, said in wanted.items() if other.name == field.within), None)
    is_said = whole is not None or present is None
    if not is_said and present is not None:
        whole = present.values.get(field.within)
    try:
        meant = field.kind.within(value, whole)
    except Unwritable as why:
        raise Unwritable(f"`{field.name}`: {why}") from None
    return meant, meant != value and not is_said


def value_in(record: Snapshot, field: Field) -> Any:  # noqa: ANN401
    """Return what a record of the CRM has in a field; what the field's kind cannot read counts as nothing."""
    raw = record.values.get(field.name)
    if field.kind is None:
        return raw
    try:
        return field.kind.read(raw)
    except Unwritable:
        return None


def is_unread(record: Snapshot, field: Field) -> bool:
    """Tell whether a record of the CRM has something in a field that the field's kind cannot read."""
    raw = record.values.get(field.name)
    if field.kind is None or raw in _EMPTY:  # a cell of Copera's is empty in any of these ways, whatever its type is
        return False
    try:
        field.kind.read(raw)
    except Unwritable:
        return True
    return False


def ignored(answer: Snapshot, sent: Write) -> list[str]:
    """Return the names of the fields that an answer does not have as they were sent."""
    return [
        field.name
        for field, value in sent.values.items()
        if not field.only_new
        and (is_unread(answer, field) or not _holds(field, value_in(answer, field), value, is_union=sent.is_union))
    ]


def _holds(field: Field, have: Any, sent: Any, *, is_union: bool) -> bool:  # noqa: ANN401
    """Tell whether a field has what was sent; of a union, whatever somebody else has added meanwhile."""
    kind = field.kind
    if kind is None or kind.holds(have, sent):
        return True
    return is_union and kind.many and kind.holds(have, kind.merge(have, sent, union=True, clear=False))


def holds(field: Field, present: Any, wanted: Any) -> bool:  # noqa: ANN401
    """Tell whether a field has a value; of lists one entry in common is enough."""
    kind = field.kind
    if kind is None or not kind.many or not isinstance(wanted, tuple):
        return kind is not None and kind.holds(present, wanted)
    return any(kind.holds(present, kind.merge(present, (one,), union=True, clear=False)) for one in wanted)


def references(item: Item, field: Field, value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    """Return the objects and the ids that a value refers to."""
    found = [] if field.kind is None else field.kind.references(value)
    if field.typed_by is None:
        return found
    name, objects = field.typed_by
    word = next((said for other, said in item.wanted.items() if other.name == name), None)
    return [(objects[str(word)], key) for _, key in found] if word in objects else found
