"""Whether a record has what is sought, and by which texts values are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_crm.kinds.contact_points import Entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_crm.contract import Field

Values = tuple[Any, ...]


def texts_of(field: Field, value: Any) -> list[str]:  # noqa: ANN401
    """Return the texts of a value, of lists those of each entry."""
    if value is None or field.kind is None:
        return []
    if not isinstance(value, tuple):
        written = field.kind.write(value)
        return [str(value if isinstance(written, (list, dict)) else written)]
    parts = (part[0] if isinstance(part, tuple) else part for part in value)
    return [str(part) for part in parts if not isinstance(part, dict)]


def keys_of(field: Field, value: Any) -> set[str]:  # noqa: ANN401
    """Return the texts in a form in which those are equal that may be one."""
    return set() if field.kind is None else {field.kind.near(text) for text in texts_of(field, value)}


def has(values: Mapping[str, Any], fields: Sequence[Field], wanted: Values) -> bool:
    """Tell whether a record has these values; of lists one entry in common is enough."""
    return all(_has_one(values, field, value) for field, value in zip(fields, wanted, strict=True))


def _has_one(values: Mapping[str, Any], field: Field, wanted: Any) -> bool:  # noqa: ANN401
    present = field.value_in(values)
    if present is None or wanted is None or field.kind is None:
        return False
    if isinstance(field.kind, Entries):
        return field.kind.meets(present, wanted)
    if field.kind.many:
        return bool(keys_of(field, present) & keys_of(field, wanted))
    return field.kind.holds(present, wanted)


def matching(records: Iterable[Mapping[str, Any]], fields: Sequence[Field], wanted: Values) -> list[Mapping[str, Any]]:
    """Return the records that have these values."""
    return [one for one in records if has(one, fields, wanted)]
