"""Merges of people, companies and leads: one survives, the other leaves no trace (help: managing duplicates)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copper.custom_fields import SINGULAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.copper.changes import Editor
    from sandbox.copper.records import AccountRecords
    from sandbox.exchange import Record

MERGED = ("people", "companies", "leads")

_OWN = ("id", "converted_at", "converted_contact_id", "converted_opportunity_id")
_POINTERS: dict[str, tuple[tuple[str, str], ...]] = {
    "people": (
        ("opportunities", "primary_contact_id"),
        ("companies", "primary_contact_id"),
        ("leads", "converted_contact_id"),
    ),
    "companies": (("people", "company_id"), ("opportunities", "company_id")),
    "leads": (),
}
"""Plain attributes that hold the id of a merged object, and whose they are."""
_OBJECTS = (("activities", "parent"), ("tasks", "related_resource"), ("projects", "related_resource"))
"""Attributes that hold an id beside a type."""

_decode = msgspec.json.Decoder(dict).decode


def pairs_of(
    records: AccountRecords, name: str, count: int, pairs: Iterable[tuple[int, int]] | None
) -> list[tuple[int, int]]:
    """Check pairs of (lost, survivor), or draw `count` of them; converted leads are not drawn."""
    if name not in MERGED:
        raise ValueError(f"only {', '.join(MERGED)} can be merged: {name}")
    table = records.tables[name]
    if pairs is None:
        drawn = table.sample(records.rng, 2 * count if name != "leads" else 4 * count + 10)
        free = [one for one in drawn if name != "leads" or records.record(name, one)["converted_at"] is None]
        return list(zip(free[0 : 2 * count : 2], free[1 : 2 * count : 2], strict=False))
    chosen = [(lost, survivor) for lost, survivor in pairs]
    gone: set[int] = set()
    for lost, survivor in chosen:
        for number in (lost, survivor):
            if number not in table.living or number in gone:
                raise KeyError(f"{name} {number}")
        if lost == survivor:
            raise ValueError(f"{name} {lost} cannot be merged with itself")
        gone.add(lost)
    return chosen


def merge(editor: Editor, name: str, lost: int, survivor: int) -> None:
    """Let the survivor have what it lacked, and everything that pointed at the lost record."""
    living = editor.records.tables[name].living
    changes = _taken(_decode(living[lost].raw), _decode(living[survivor].raw))
    editor.edit(name, 1, [survivor], changes)
    editor.delete(name, 1, [lost])
    named = {"company_name": editor.records.record(name, survivor)["name"]} if name == "companies" else {}
    for other, attribute in _POINTERS[name]:
        needle = f'"{attribute}":{lost}'.encode()

        def plain(record: Record, attribute: str = attribute) -> Record:
            return {attribute: survivor} | named if record[attribute] == lost else {}

        _move(editor, other, needle, plain)
    end = {"id": lost, "type": SINGULAR[name]}
    for other, attribute in _OBJECTS:

        def typed(record: Record, attribute: str = attribute) -> Record:
            return {attribute: end | {"id": survivor}} if record[attribute] == end else {}

        _move(editor, other, f'"id":{lost}'.encode(), typed)


def _taken(lost: Record, survivor: Record) -> Record:
    """What the survivor takes over: values where it has none, and entries of lists."""
    changes = {}
    for key, value in lost.items():
        held: Any = survivor.get(key)
        if key in _OWN or key.startswith("date_"):
            continue
        if key == "custom_fields":
            has = {one["custom_field_definition_id"] for one in held}
            changes[key] = held + [one for one in value if one["custom_field_definition_id"] not in has]
        elif isinstance(held, list):
            changes[key] = held + [one for one in value if one not in held]
        elif held is None and value is not None:
            changes[key] = value
    return changes


def _move(editor: Editor, name: str, needle: bytes, change: Callable[[Record], Record]) -> None:
    """Change the records of an object that point at a lost one."""
    found = [row.id for row in editor.records.tables[name] if needle in row.raw]
    for number in found:
        record = editor.records.record(name, number)
        changes = change(record)
        if changes and not editor.records.behaviour.merge_moves_modified:
            changes |= {key: record[key] for key in ("date_modified", "custom_fields") if key in record}
        if changes:
            editor.edit(name, 1, [number], changes)
