"""Changes the values of one custom field in all records at once."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from sandbox.close.custom_fields import applies, variant_of
from sandbox.close.samples.tables import encode

if TYPE_CHECKING:
    from sandbox.close.records import OrganizationRecords
    from sandbox.close.table import Row, Table
    from sandbox.exchange import Record

Change: TypeAlias = Callable[[Any], Any]
"""Makes a value of an old one; null for no value."""

_OWNERS = {"lead": ("leads",), "contact": ("contacts",), "opportunity": ("opportunities",)} | {
    "activity": ("custom_activities",),
    "custom_object_type": ("custom_objects",),
    "shared": ("leads", "contacts", "opportunities", "custom_activities", "custom_objects"),
}
_KINDS = {name: kind for kind, names in _OWNERS.items() if kind != "shared" for name in names}
_PARENT = {"custom_activities": "custom_activity_type_id", "custom_objects": "custom_object_type_id"}
_TYPES = (("custom_activity_types", "activity"), ("custom_object_types", "custom_object_type"))
_FILLS = 20

_decode = msgspec.json.Decoder(dict).decode


class FieldValues:
    """Changes values; the dates of records and the event log stay as they are."""

    def __init__(self, records: OrganizationRecords) -> None:
        self.records = records

    def definitions_changed(self) -> None:
        """Let the types of activities and objects, and records made from now on, follow the definitions."""
        custom = self.records.source.custom
        custom.changed()
        for name, kind in _TYPES:
            for one in self.records.lists[name]:
                one["fields"] = custom.short(kind, one["id"])

    def change(self, definition: Record, new: Change) -> None:
        """Give every record that has a value another one, or none."""
        key = f"custom.{definition['id']}"
        needle = f'"{key}":'.encode()
        for name in _OWNERS[definition["object_type"]]:
            table = self.records.tables.get(name)
            if table is None:
                for record in [record for record in self.records.lists[name] if key in record]:
                    _set(record, key, new(record[key]))
                continue
            tails: dict[bytes, bytes] = {}
            for row in [row for row in table if needle in row.tail or needle in row.plain]:
                _split_off(row, needle)
                if row.tail not in tails:
                    tails[row.tail] = _with(row.tail, key, new(_values(row.tail)[key]))
                self._replace(table, row, tails[row.tail])

    def fill(self, definition: Record) -> None:
        """Give every record of the objects that a definition applies to a value."""
        records, key = self.records, f"custom.{definition['id']}"
        drawn = [records.source.custom.value(definition) for _ in range(_FILLS)]
        for name in _OWNERS[definition["object_type"]]:
            if name in records.tables:
                self._fill_table(name, definition, drawn)
                continue
            for record in records.lists[name]:
                if applies(definition, _KINDS[name], record[_PARENT[name]]):
                    _set(record, key, records.rng.choice(drawn))

    def _fill_table(self, name: str, definition: Record, drawn: list[Any]) -> None:
        key, table, parent = f"custom.{definition['id']}", self.records.tables[name], _PARENT.get(name)
        tails: dict[tuple[bytes, int], bytes] = {}
        for row in list(table):
            if not applies(definition, _KINDS[name], _decode(row.plain)[parent] if parent else None):
                continue
            place = self.records.rng.randrange(len(drawn))
            if (row.tail, place) not in tails:
                tails[row.tail, place] = _with(row.tail, key, drawn[place])
            self._replace(table, row, tails[row.tail, place])

    def _replace(self, table: Table, row: Row, tail: bytes) -> None:
        new = copy.copy(row)
        new.tail = tail
        table.replace(new, time.monotonic(), self.records.behaviour.index_lag)


def _values(tail: bytes) -> Record:
    values: Record = _decode(b"{" + tail[1:]) if tail else {}
    return values


def _with(tail: bytes, key: str, value: Any) -> bytes:  # noqa: ANN401
    values = _values(tail)
    _set(values, key, value)
    return variant_of(values).tail


def _set(record: Record, key: str, value: Any) -> None:  # noqa: ANN401
    if value is None:
        record.pop(key, None)
    else:
        record[key] = value


def _split_off(row: Row, needle: bytes) -> None:
    """Take a custom field out of a record that somebody wrote whole."""
    if needle in row.plain:
        record = _decode(row.raw)
        values = {key: record.pop(key) for key in list(record) if key.startswith("custom.")}
        row.plain, row.tail = encode(record), variant_of(values).tail
