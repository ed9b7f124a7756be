"""What Pebble gives in one answer: labels, definitions of custom fields, the account."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.providers.common.records import with_keys
from tap_crm.reading.emptiness import WHOLE
from tap_crm.shaping.custom.fields import ANY, DATE, NUMBER, TEXT, CustomField, list_of
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_KINDS = {"text": TEXT, "number": NUMBER, "date": DATE, "set": list_of(TEXT)}


def ask(reading: Reading, path: str, name: str) -> list[dict[str, Any]]:
    """Return the records of an answer; the same answer is asked for once in a run, an empty one twice."""

    def parse(reply: Reply) -> list[dict[str, Any]]:
        found = _DECODER.decode(reply.body).get(name)
        records = [found] if isinstance(found, dict) else found
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise Doubtful("the answer is not the documented one")
        return with_keys(records, "key" if name == "fields" else "id")

    def asked() -> list[dict[str, Any]]:
        label = "definitions of custom fields" if name == "fields" else reading.spec.name
        reading.ledger.add(pages=1)
        found: list[dict[str, Any]] = reading.ask(Question("GET", path, label), parse)
        return found

    # A failure is not kept: who the account is, is asked with little patience, and again by the stream.
    return reading.once_per_run.get(path, lambda: asked() or (asked() if reading.lists.is_doubtful() else []))


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """A stream that is one answer, with its records under a name."""

    path: str
    name: str

    def read(self, reading: Reading) -> None:
        """Read it."""
        records = ask(reading, self.path, self.name)
        reading.lists.note(WHOLE, len(records))
        reading.ledger.source_total = len(records)
        reading.emit_records(records)

    def probe(self, reading: Reading) -> None:
        """Read it: it is one request."""
        ask(reading, self.path, self.name)


def account_ids(reading: Reading) -> list[str]:
    """Return the id of the account that the key opens."""
    return [str(record["id"]) for record in ask(reading, "/me", "me")]


def fields_of(reading: Reading) -> tuple[list[CustomField], None]:
    """Return the custom fields of contacts."""
    return [_field(record) for record in ask(reading, "/contact_fields", "fields")], None


def _field(record: dict[str, Any]) -> CustomField:
    kind = str(record["kind"])
    choices = record.get("options") or ()
    return CustomField(record["key"], str(record["name"]), kind, _KINDS.get(kind, ANY), choices=choices)
