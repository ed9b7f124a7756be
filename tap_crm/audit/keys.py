"""Ids as text: a key is the same whether it comes from JSON or from a column of whatever type."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Of one column as text, of several as a tuple of texts: most keys are one column, and there may be millions.
Key: TypeAlias = str | tuple[str, ...]


def key_of(values: Sequence[object]) -> Key:
    """Return the key that these values make."""
    return text_of(values[0]) if len(values) == 1 else tuple([text_of(value) for value in values])


def text_of(value: object) -> str:
    """Return a part of a key as text; whole numbers without a fraction, however they are stored."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    return str(value)


def by_number(key: Key) -> tuple[tuple[int, str], ...]:
    """Return what sorts ids that are numbers as numbers, and all others by length, then by letter."""
    return tuple((len(part), part) for part in ((key,) if isinstance(key, str) else key))


def shown(key: Key) -> str:
    """Return a key for a line of text, in which nothing may break the line."""
    parts = (key,) if isinstance(key, str) else key
    texts = [part if part.isprintable() and part else ascii(part) for part in parts]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def as_json(key: Key) -> str | list[str]:
    """Return a key for JSON: a text, or a list of them."""
    return key if isinstance(key, str) else list(key)
