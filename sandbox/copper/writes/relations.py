"""Adds and removes relations (related-items): by a record's own attribute where it has one, else as a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper.related import ALLOWED, PLURAL
from sandbox.copper.writes.values import FieldError

if TYPE_CHECKING:
    from sandbox.copper.related import Relations
    from sandbox.copper.writes.records import RecordWriter
    from sandbox.exchange import Record

_SINGLE = (("people", "companies"), ("tasks", None))
"""Objects of which a record has one relation: with another object, or (None) in total."""


def relate(writer: RecordWriter, relations: Relations, near: tuple[str, int], body: Record, *, carried: bool) -> Record:
    """Add a relation of a record; 422 where it has as many as it may have."""
    far = _other(writer, near, body)
    there = _related(relations, near, far)
    if there and writer.account.behaviour.repeated_relation == "refused":
        raise FieldError("resource", "is related already", "taken")
    if not there:
        for one, other in ((near, far), (far, near)):
            _has_room(relations, one, other)
        if carried:
            _join(writer, near, far)
            _moved(writer, near)
    return body


def unrelate(
    writer: RecordWriter, relations: Relations, near: tuple[str, int], body: Record, *, carried: bool
) -> Record:
    """Remove a relation of a record."""
    far = _other(writer, near, body)
    there = _related(relations, near, far)
    if not there and writer.account.behaviour.repeated_relation == "refused":
        raise FieldError("resource", "is not related", "not_found")
    if there and carried:
        _part(writer, near, far)
        _part(writer, far, near)
        _moved(writer, near)
    return {"removed": True} | body


def _other(writer: RecordWriter, near: tuple[str, int], body: Record) -> tuple[str, int]:
    resource = body.get("resource")
    if set(body) != {"resource"} or not isinstance(resource, dict) or set(resource) != {"id", "type"}:
        raise FieldError("resource", "must have an id and a type, and nothing else")
    kind = PLURAL.get(resource["type"]) if isinstance(resource["type"], str) else None
    if kind is None or kind not in ALLOWED[near[0]]:
        raise FieldError("resource", f"{near[0]} have no relations of this type: {resource['type']!r}")
    if type(resource["id"]) is not int or not writer.account.sees(kind, resource["id"]):
        raise FieldError("resource", f"there is no such record: {resource['id']!r}", "not_found")
    return kind, resource["id"]


def _related(relations: Relations, near: tuple[str, int], far: tuple[str, int]) -> bool:
    return any(one["id"] == far[1] for one in relations.of(near[0], near[1], (far[0],)))


def _has_room(relations: Relations, near: tuple[str, int], far: tuple[str, int]) -> None:
    for name, other in _SINGLE:
        kinds = (other,) if other else ALLOWED[name]
        if near[0] == name and far[0] in kinds and relations.of(near[0], near[1], kinds):
            raise FieldError("resource", f"a record of {name} has one such relation only", "taken")


def _join(writer: RecordWriter, near: tuple[str, int], far: tuple[str, int]) -> None:
    for one, other in ((near, far), (far, near)):
        record = writer.record(*one)
        if one[0] == "people" and other[0] == "companies":
            named = writer.record(*other)["name"]
            writer.keep("people", record | {"company_id": other[1], "company_name": named}, quiet=True)
            return
        if one[0] == "tasks":
            kind = next(singular for singular, name in PLURAL.items() if name == other[0])
            writer.keep("tasks", record | {"related_resource": {"id": other[1], "type": kind}}, quiet=True)
            return
    writer.account.relate(near, far)


def _part(writer: RecordWriter, near: tuple[str, int], far: tuple[str, int]) -> None:
    """Clear every attribute by which a record points at another, and their pair."""
    writer.account.unrelate(near, far)
    record = writer.record(*near)
    changes: Record = {}
    if far[0] == "companies" and record.get("company_id") == far[1]:
        changes = {"company_id": None, "company_name": None}
    if far[0] == "people" and record.get("primary_contact_id") == far[1]:
        changes = {"primary_contact_id": None}
    pointer = record.get("related_resource")
    if pointer and (PLURAL.get(pointer["type"]), pointer["id"]) == far:
        changes = {"related_resource": {"id": None, "type": None}}
    if changes:
        writer.keep(near[0], record | changes, quiet=True)


def _moved(writer: RecordWriter, near: tuple[str, int]) -> None:
    if writer.account.behaviour.relations_move_modified:
        writer.keep(near[0], writer.record(*near) | {"date_modified": int(writer.account.clock())}, quiet=True)
