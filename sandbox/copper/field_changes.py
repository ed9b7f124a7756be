"""Custom field definitions that come, change and go while an account is in use (custom-fields/general)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

import msgspec

from sandbox.copper.custom_fields import KINDS, OPTION_KINDS, SINGULAR, definition_record, entry
from sandbox.copper.field_values import as_kind
from sandbox.copper.table import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.copper.records import AccountRecords
    from sandbox.exchange import Record

FIELD_VERBS = (
    *("add_field", "rename_field", "retype_field", "remove_field"),
    *("add_option", "rename_option", "remove_option"),
)
_KEY = "custom_field_definition_id"
_QUOTED = f'"{_KEY}":'.encode()

_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_entries = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode = msgspec.json.Decoder(dict).decode
_encode = msgspec.json.Encoder().encode


class FieldChanges:
    """Changes the definitions of one account, and the values that its records have of them."""

    def __init__(self, records: AccountRecords) -> None:
        self.records = records
        self.rng = Random(records.shape.seed + 3)
        self.definitions: list[Record] = records.lists["custom_field_definitions"]
        options = [option["id"] for one in self.definitions for option in one.get("options", ())]
        # Ids are never used twice, not even those of removed definitions.
        self._last_id = max((one["id"] for one in self.definitions), default=126_237)
        self._last_option = max(options, default=700_000)
        self._added: set[int] = set()

    def add(  # noqa: PLR0913  (a definition has that many parts)
        self,
        name: str,
        data_type: str,
        available_on: Sequence[str],
        options: Sequence[str],
        currency: str,
        *,
        fill: bool,
        is_filterable: bool | None,
        sampled: bool,
    ) -> int:
        """Define a field; with `fill` every record has a value of it at once, without `sampled` only by a write."""
        _check(name)
        _check_all(options)
        _check_kind(data_type)
        kinds = (*SINGULAR.values(), "user")
        if isinstance(available_on, str) or not set(available_on) <= set(kinds):
            raise ValueError(f"available_on must be among {', '.join(kinds)}: {available_on!r}")
        with self._changing():
            self._last_id += 3
            made = definition_record(
                self._last_id, name, data_type, list(available_on), options=self._options(options), currency=currency
            )
            if is_filterable is not None:
                made["is_filterable"] = is_filterable
            self.definitions.append(made)
            (self._added if sampled else self.records.source.unsampled).add(made["id"])
            if fill:
                self._fill(made)
        return self._last_id

    def rename(self, number: int, name: str) -> int:
        """Give a definition another name."""
        _check(name)
        with self._changing():
            self._definition(number)["name"] = name
        return number

    def retype(self, number: int, data_type: str, options: Sequence[str]) -> int:
        """Give a definition another kind, and its values a form that this kind has."""
        _check_all(options)
        _check_kind(data_type)
        with self._changing():
            held = self._definition(number)
            old = dict(held)
            kept = self._options(options) if options else old.get("options", [])
            new = definition_record(number, old["name"], data_type, old["available_on"], options=kept)
            self._disconnect(old)
            held.clear()
            held.update(new)
            self._rewrite(number, lambda held: held | {"value": as_kind(held["value"], old, new)})
        return number

    def remove(self, number: int) -> int:
        """Remove a definition, and its values from every record."""
        with self._changing():
            gone = self._definition(number)
            self.definitions.remove(gone)
            self._disconnect(gone)
            self._added.discard(number)
            self._rewrite(number, lambda _: None)
        return number

    def add_option(self, number: int, name: str) -> int:
        """Give a definition one more option, ranked last."""
        _check(name)
        with self._changing():
            options = self._options_of(number)
            rank = max((one["rank"] for one in options), default=-1) + 1
            self._last_option += 2
            options.append({"id": self._last_option, "name": name, "rank": rank})
        return self._last_option

    def rename_option(self, number: int, option: int, name: str) -> int:
        """Give an option another name."""
        _check(name)
        with self._changing():
            self._option(number, option)["name"] = name
        return option

    def remove_option(self, number: int, option: int) -> int:
        """Remove an option from a definition; records keep its id."""
        with self._changing():
            self._options_of(number).remove(self._option(number, option))
        return option

    def complete(self, name: str, record: Record) -> None:
        """Give a record a value of every added definition that it lacks."""
        if not self._added or name not in SINGULAR:
            return
        has = {one[_KEY] for one in record["custom_fields"]}
        for one in self.definitions:
            if one["id"] in self._added - has and SINGULAR[name] in one["available_on"]:
                record["custom_fields"].append(self._drawn(one))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Lock the account while a definition changes; records made later have values of the new ones."""
        with self.records.lock:
            self.records.edits += 1
            yield
            self.records.source.renew_values(self.rng)

    def _definition(self, number: int) -> Record:
        for one in self.definitions:
            if one["id"] == number:
                return one
        raise KeyError(f"custom_field_definitions {number}")

    def _options_of(self, number: int) -> list[Record]:
        definition = self._definition(number)
        if definition["data_type"] not in OPTION_KINDS:
            raise ValueError(f"a definition of kind {definition['data_type']} has no options")
        options: list[Record] = definition["options"]
        return options

    def _option(self, number: int, option: int) -> Record:
        for one in self._options_of(number):
            if one["id"] == option:
                return one
        raise KeyError(f"option {option} of {number}")

    def _options(self, names: Sequence[str]) -> list[Record]:
        made = [{"id": self._last_option + 2 * n + 2, "name": name, "rank": n} for n, name in enumerate(names)]
        self._last_option += 2 * len(made)
        return made

    def _disconnect(self, gone: Record) -> None:
        """Leave the other end of a Connect field without its connection."""
        for one in self.definitions:
            if one.get("connected_id") == gone["id"]:
                del one["connected_id"]

    def _drawn(self, definition: Record) -> Record:
        companies, people = self.records.source.targets
        return entry(definition, companies, people, self.rng)

    def _fill(self, definition: Record) -> None:
        for name, kind in SINGULAR.items():
            if kind in definition["available_on"]:
                for row in list(self.records.tables[name]):
                    parts = _parts(row.raw)
                    drawn = msgspec.Raw(_encode(self._drawn(definition)))
                    self._put(name, row, parts, [*_entries(parts["custom_fields"]), drawn])

    def _rewrite(self, number: int, change: Callable[[Record], Record | None]) -> None:
        """Change every record's value of a definition; None removes it."""
        needle = re.compile(rb"%b%d(?!\d)" % (_QUOTED, number))
        for name in SINGULAR:
            for row in list(self.records.tables[name]):
                found = needle.search(row.raw)
                if found is None:
                    continue
                parts = _parts(row.raw)
                entries = _entries(parts["custom_fields"])
                # Every entry has the key once: the number of those before it is its place, so none need be read.
                place = row.raw.count(_QUOTED, 0, found.start())
                changed = change(_decode(entries[place]))
                entries[place : place + 1] = [] if changed is None else [msgspec.Raw(_encode(changed))]
                self._put(name, row, parts, entries)

    def _put(self, name: str, row: Row, parts: dict[str, msgspec.Raw], entries: list[msgspec.Raw]) -> None:
        """Replace the custom fields of a row, and not one byte else."""
        parts["custom_fields"] = msgspec.Raw(_encode(entries))
        self.records.put(name, Row(row.id, row.sort_keys, _encode(parts), row.kind), quiet=True)


def _check(name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a name must be a string: {name!r}")


def _check_all(names: Sequence[str]) -> None:
    if isinstance(names, str):
        raise TypeError(f"options must be a list of names: {names!r}")
    for one in names:
        _check(one)


def _check_kind(data_type: str) -> None:
    if data_type not in KINDS:
        raise ValueError(f"data_type must be one of {', '.join(KINDS)}: {data_type!r}")
