"""What Close gives only record by record: how many subscriptions a sequence has, and in which order forms show fields.

developer.close.com: sequences (retrieve a single sequence), custom fields (custom field schemas).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from tap_crm.providers.close.answers import get
from tap_crm.providers.close.kinds import listed
from tap_crm.providers.close.lists import ListListing, WholeList
from tap_crm.providers.close.organization import object_of, one_object
from tap_crm.providers.common.per_parent import PerParent, side_by_side
from tap_crm.reading.offset import OffsetReader
from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Item
    from tap_crm.providers.common.per_parent import SideBySide
    from tap_crm.providers.common.records import Record
    from tap_crm.transport.question import Reply

_COUNTS = "subscription_counts_by_status"
_PLAIN = ("lead", "contact", "opportunity")
#: The lists of types whose records have fields of their own, by how the paths of their schemas begin.
_TYPED = {"activity": "/custom_activity/", "custom_object": "/custom_object_type/"}


def _counts(reading: Reading, sequence: str) -> list[Record]:
    reading.ledger.add(pages=1)
    found: Record = reading.ask(get(f"/sequence/{sequence}/", "sequence_counts of a sequence"), one_object)
    counts = found.get(_COUNTS)
    return [{"sequence_id": sequence, **(counts if isinstance(counts, dict) else {_COUNTS: counts})}]


#: How many subscriptions each sequence has, by their status: a request for each sequence.
SEQUENCE_COUNTS = PerParent(listed("/sequence/"), _counts, WholeList("/sequence/").probe)


@dataclass(frozen=True, slots=True)
class FieldSchemas:
    """The custom fields of each kind of record, in the order in which forms show them: a request for each kind."""

    def read(self, reading: Reading) -> None:
        """Ask for each kind; those of types are asked at addresses that Close describes and does not list."""
        typed = [one for kind, path in _TYPED.items() for one in self._types(reading, kind, path)]
        asking: SideBySide[str, list[Record]]
        with side_by_side(reading, partial(_schema, reading)) as asking:
            found = [record for records in asking.each([*_PLAIN, *typed]) for record in records]
        reading.emit_records(found)

    def _types(self, reading: Reading, kind: str, path: str) -> list[str]:
        """Return the last part of the address for each type of a kind."""
        records: list[Record] = []
        listing = ListListing(reading, path, label=f"{reading.spec.name}: {path}")

        def take(item: Item) -> None:
            records.extend(item.decoded() if isinstance(item, Page) else ())

        try:
            OffsetReader(listing, take, Ledger(), confirm_empty=True).read()
        except (errors.Forbidden, errors.NotThere) as error:
            reading.ledger.gap(f"schemas of {kind} are not readable with this key: {error}")
        return [f"{kind}/{record['id']}" for record in records]

    def probe(self, reading: Reading) -> None:
        """Ask for that of leads."""
        reading.ask(get("/custom_field_schema/lead/", reading.spec.name), _a_schema)


def _schema(reading: Reading, one: str) -> list[Record]:
    reading.ledger.add(pages=1)
    question = get(f"/custom_field_schema/{one}/", f"{reading.spec.name}: {one}")
    try:
        found: Record = reading.ask(question, _a_schema)
    except (errors.NotThere, errors.Refused) as error:  # it was listed: what an earlier run loaded is no deletion
        if one in _PLAIN:
            raise
        reading.ledger.gap(f"no schema of {one}: {error}")
        return []
    return [{"object": one, **found}]


def _a_schema(reply: Reply) -> Record:
    record = object_of(reply)
    fields = record.get("fields")
    if not isinstance(fields, list):
        raise Doubtful("the answer is not the documented object with `fields`")
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in fields):
        raise Doubtful("not each one of `fields` is an object with an `id`")
    return record
