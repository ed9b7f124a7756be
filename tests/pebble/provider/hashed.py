"""Where contacts carry the values of custom fields: each in a field that is called by the hash of its definition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tap_crm.shaping.custom.layouts import Pair, Record

_HASH = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Hashed:
    """A field of the record for each custom field that has a value."""

    column: str = "custom_fields"
    is_raw_as_it_comes: bool = False

    def split(self, record: Record) -> tuple[Record, list[Pair]]:
        """Take out the fields that are called by a hash."""
        pairs = [(name, value) for name, value in record.items() if _HASH.fullmatch(name)]
        return {name: value for name, value in record.items() if not _HASH.fullmatch(name)}, pairs

    def keep(self, pairs: Sequence[Pair], extra: Record) -> None:
        """Keep the fields under their names."""
        extra.update(pairs)

    def key_in(self, name: str) -> str | None:
        """Return the name, if it is a hash."""
        return name if _HASH.fullmatch(name) else None

    def fields(self, keys: Iterable[Any]) -> list[tuple[str, Any]]:
        """Decode a field for each hash."""
        return [(str(key), Any) for key in keys]

    def pairs(self, keys: Sequence[Any], values: tuple[Any, ...]) -> Collection[Pair]:
        """Return those that are there."""
        return [pair for pair in zip(keys, values, strict=True) if pair[1] is not UNSET]
