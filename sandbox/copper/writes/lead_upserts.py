"""`PUT /leads/upsert`: makes a lead, or changes the only one that matches (upsert-a-lead)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copper.table import COUNTED_ONLY
from sandbox.copper.writes import custom_values
from sandbox.copper.writes.values import FieldError, filled
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.copper.writes.records import RecordWriter
    from sandbox.exchange import Record

_MOST_NAMED = 30


def upsert(writer: RecordWriter, body: Record, *, carried: bool) -> Record:
    """Make or change a lead; 422 with their ids if several match."""
    if set(body) != {"properties", "match"} or not all(isinstance(one, dict) for one in body.values()):
        raise FieldError("match", "give properties and match, and nothing else")
    found = list(_matching(writer, body["match"]))
    if len(found) > 1:
        ids = f": {', '.join(map(str, sorted(found)))}" if len(found) <= _MOST_NAMED else ""
        raise Refusal(422, f"Invalid input: Validation errors: Match: {len(found)} leads match{ids}")
    if found:
        return writer.update("leads", found[0], body["properties"], carried=carried)
    return writer.create("leads", body["properties"], carried=carried)


def _matching(writer: RecordWriter, match: Record) -> Iterator[int]:
    """Give the leads that match, as the index or the records have them (knob `upsert_sees`)."""
    account, knobs = writer.account, writer.account.behaviour
    test, within = _test(writer, match)
    table = account.tables["leads"]
    table.settle(time.monotonic())
    for row in list((table.shown if knobs.upsert_sees == "index" else table.living).values()):
        if row.kind == COUNTED_ONLY or row.id not in table.living or not within(row.raw):
            continue
        record: Record = msgspec.json.decode(row.raw)
        converted = record["converted_at"] is not None
        if test(record) and (not converted or knobs.upsert_matches_converted) and account.sees("leads", row.id):
            yield row.id


def _test(writer: RecordWriter, match: Record) -> tuple[Callable[[Record], bool], Callable[[bytes], bool]]:
    """Give the test of a lead, and a quick one of its bytes that every lead that passes also passes."""
    account = writer.account
    kind = match.get("field_name")
    wanted: Any = match.get("field_value")
    kinds = ("name", "email", "custom") if account.behaviour.upsert_by_email else ("name", "custom")
    if set(match) != {"field_name", "field_value"} or kind not in kinds:
        raise FieldError("match", f"must have field_name (one of {', '.join(kinds)}) and field_value")
    if kind != "custom":
        text = filled(account, "match", wanted).casefold()
        folded = msgspec.json.encode(text)[1:-1] if text.isascii() else b""

        def within(raw: bytes) -> bool:
            return folded in raw.lower()

        if kind == "name":
            return lambda record: (record["name"] or "").casefold() == text, within
        return lambda record: str((record["email"] or {}).get("email")).casefold() == text, within
    if not isinstance(wanted, dict) or set(wanted) != {custom_values.KEY, "value"}:
        raise FieldError("match", f"must have {custom_values.KEY} and value: {wanted!r}")
    definition, value = custom_values.checked(account, "leads", wanted[custom_values.KEY], wanted["value"])
    if not definition["is_filterable"]:
        raise FieldError("match", f"custom field definition {definition['id']} is not included in filters")
    if value is None or value == []:
        raise FieldError("match", "can't be blank", "blank")

    def test(record: Record) -> bool:
        return any(
            one["value"] == value for one in record["custom_fields"] if one[custom_values.KEY] == definition["id"]
        )

    needle = msgspec.json.encode(value)
    return test, lambda raw: needle in raw
