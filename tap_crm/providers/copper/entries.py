"""Where Copper's records carry the values of custom fields (developer.copper.com: custom-fields/general)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tap_crm.shaping.custom.layouts import Pair, Record


class _Entry(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    custom_field_definition_id: int
    value: Any = None
    computed_value: Any = None


_ENTRIES = msgspec.json.Decoder(list[_Entry] | None, float_hook=Decimal)
#: Of an id that comes as text.
_MOST_DIGITS = 20
_KEY, _VALUE = "custom_field_definition_id", "value"
_DOCUMENTED = frozenset(_Entry.__struct_fields__)


@dataclass(frozen=True, slots=True)
class Entries:
    """A list of objects, each with the definition's id and the value, and maybe the labels of its options."""

    column: str = "custom_fields"
    is_raw_as_it_comes: bool = True

    def split(self, record: Record) -> tuple[Record, list[Pair]]:
        """Read the entries of the list; those that are not as documented stay in it."""
        held = record.get(self.column)
        rest = {name: value for name, value in record.items() if name != self.column}
        if not isinstance(held, list):
            return (rest if held is None else record), []
        values: dict[int, Any] = {}
        odd: list[Any] = []
        for entry in held:
            key = _id_of(entry)
            if key is None or key in values:
                odd.append(entry)
                continue
            values[key] = entry.get(_VALUE)
            if not entry.keys() <= _DOCUMENTED:
                odd.append(entry)
        return ({**rest, self.column: odd} if odd else rest), list(values.items())

    def keep(self, pairs: Sequence[Pair], extra: Record) -> None:
        """Keep entries in a list like the one from which they are."""
        kept = extra.get(self.column) or []
        entries = [{_KEY: key, _VALUE: value} for key, value in pairs]
        extra[self.column] = [*(kept if isinstance(kept, list) else [kept]), *entries]

    def key_in(self, name: str) -> None:
        """Return None: no field of the record carries a single custom field."""

    def fields(self, keys: Iterable[Any]) -> list[tuple[str, Any]]:  # noqa: ARG002
        """Decode the list as it is."""
        return [(self.column, msgspec.Raw)]

    def pairs(self, keys: Sequence[Any], values: tuple[Any, ...]) -> Collection[Pair]:  # noqa: ARG002
        """Decode the entries."""
        raw = values[0]
        entries = None if raw is UNSET else _ENTRIES.decode(raw)
        if not entries:
            return ()
        found = {entry.custom_field_definition_id: entry.value for entry in entries}
        if len(found) != len(entries):
            raise ValueError("an entry is there twice")
        return found.items()


def _id_of(entry: Any) -> int | None:  # noqa: ANN401 - any JSON
    """Return the id of an entry's definition, also where it comes as text."""
    key = entry.get(_KEY) if isinstance(entry, dict) else None
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) <= _MOST_DIGITS:
        return int(key)
    return key if isinstance(key, int) and not isinstance(key, bool) else None
