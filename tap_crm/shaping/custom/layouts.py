"""Where the records of a CRM carry the values of custom fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import UNSET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

Record: TypeAlias = dict[str, Any]
#: The id of a custom field, and the value that a record has of it.
Pair: TypeAlias = tuple[Any, Any]


class Layout(Protocol):
    """How records carry the values of custom fields."""

    @property
    def column(self) -> str:
        """The property of the stream that has the values as they come."""

    @property
    def is_raw_as_it_comes(self) -> bool:
        """Whether the CRM's own records have that property."""

    def split(self, record: Record) -> tuple[Record, list[Pair]]:
        """Return the record without the values that can be told by their ids, and these."""

    def keep(self, pairs: Sequence[Pair], extra: Record) -> None:
        """Put values that have no column into ``extra``, in the form in which they came."""

    def key_in(self, name: str) -> str | None:
        """Return the id of the custom field that a field of the record carries; None if it carries none."""

    # What the fast path needs: the same from structures

    def fields(self, keys: Iterable[Any]) -> list[tuple[str, Any]]:
        """Return names and types of the fields to decode, if the account has custom fields of these ids."""

    def pairs(self, keys: Sequence[Any], values: tuple[Any, ...]) -> Collection[Pair]:
        """Return the values from the decoded fields; a ``ValueError`` if the careful path must look."""


@dataclass(frozen=True, slots=True)
class Prefixed:
    """A field of the record for each custom field that is set, ``<prefix><id>``."""

    prefix: str
    column: str = "custom_fields"
    is_raw_as_it_comes: bool = False

    def split(self, record: Record) -> tuple[Record, list[Pair]]:
        """Take out the fields whose names begin with the prefix."""
        rest: Record = {}
        pairs: list[Pair] = []
        for name, value in record.items():
            if name.startswith(self.prefix):
                pairs.append((name.removeprefix(self.prefix), value))
            else:
                rest[name] = value
        return rest, pairs

    def keep(self, pairs: Sequence[Pair], extra: Record) -> None:
        """Keep the fields under their names."""
        extra.update((f"{self.prefix}{key}", value) for key, value in pairs)

    def key_in(self, name: str) -> str | None:
        """Return what follows on the prefix."""
        return name.removeprefix(self.prefix) if name.startswith(self.prefix) else None

    def fields(self, keys: Iterable[Any]) -> list[tuple[str, Any]]:
        """Decode a field for each id."""
        return [(f"{self.prefix}{key}", Any) for key in keys]

    def pairs(self, keys: Sequence[Any], values: tuple[Any, ...]) -> Collection[Pair]:
        """Return those that are there."""
        return [pair for pair in zip(keys, values, strict=True) if pair[1] is not UNSET]
