"""What Copper gives per record only: relations, links of Connect fields, files. A request for each record."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from tap_crm.providers.copper.lists import Record, ask_list, records_in
from tap_crm.providers.copper.search import SearchListing
from tap_crm.reading.keyset_changes import KeysetChanges
from tap_crm.transport.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Item

_log = logging.getLogger("tap-crm.copper")

#: Records whose children are asked for before they are written: bounds the memory.
PARENTS_AT_ONCE = 64
SINGULAR = {
    "leads": "lead",
    "people": "person",
    "companies": "company",
    "opportunities": "opportunity",
    "projects": "project",
    "tasks": "task",
}
#: What `/related_links` calls them (developer.copper.com: custom-fields/connect-fields); people alone in the plural.
SOURCE_TYPES = {**SINGULAR, "people": "people"}
Ask: TypeAlias = "Callable[[Reading, str, int], list[Record]]"


@dataclass(frozen=True, slots=True)
class PerRecord:
    """Asks for the children of every record of some objects.

    Attributes:
        entities: the objects whose records have such children.
        ask: returns the children of one record.
    """

    entities: tuple[str, ...]
    ask: Ask

    def read(self, reading: Reading) -> None:
        """Walk all parents and ask for the children of each, some at a time, as the parents come."""
        _log.warning("%s: costs a request for each record of %s", reading.spec.name, ", ".join(self.entities))
        with ThreadPoolExecutor(max(2, reading.lanes), thread_name_prefix=reading.spec.name) as pool:
            for entity in self.entities:
                self._read_entity(reading, entity, pool)

    def _read_entity(self, reading: Reading, entity: str, pool: ThreadPoolExecutor) -> None:
        """Read the children of all records of one object; nothing where the key may not read it."""
        known: set[int | str] = set()

        def take(item: Item) -> None:
            if not isinstance(item, Page) or item.body is None:
                return
            rows = listing.rows_of(item.body)
            new = [key for key in dict.fromkeys(row.key for row in rows) if key not in known]
            known.update(new)
            for start in range(0, len(new), PARENTS_AT_ONCE):
                self._emit_children(reading, entity, new[start : start + PARENTS_AT_ONCE], pool)

        listing = SearchListing(
            label=f"{reading.spec.name}: {entity}",
            path=f"/{entity}/search",
            reading=reading,
            times=("date_modified", "date_created"),
            filters={"date_modified": "modified_date", "date_created": "created_date"},
            body={"include_converted_leads": True} if entity == "leads" else {},
        )
        found = Ledger()
        try:
            KeysetChanges(
                listing,
                by="date_modified",
                along="date_modified",
                emit=take,
                ledger=found,
                splits=("date_created",),
                pages=listing,
                settles=reading.concludes,
            ).read(None)
        except errors.Forbidden:
            reading.ledger.gap(f"the key may not read {entity}; nothing that belongs to them was read")
        for gap in found.gaps:
            reading.ledger.gap(f"{entity}: {gap}")
        reading.ledger.add(unexplained=found.unexplained)

    def _emit_children(self, reading: Reading, entity: str, parents: list[int | str], pool: ThreadPoolExecutor) -> None:
        found = pool.map(lambda parent: self._children(reading, entity, int(parent)), parents)
        records = [record for children in found for record in children]
        reading.emit_records(records)

    def _children(self, reading: Reading, entity: str, parent: int) -> list[Record]:
        try:
            return self.ask(reading, entity, parent)
        except errors.NotThere:
            return []  # the parent was deleted since it was listed

    def probe(self, reading: Reading) -> None:
        """Ask nothing: each question needs a record, and whether that may be read its own stream shows."""


def related_items(reading: Reading, entity: str, parent: int) -> list[Record]:
    """Return what a record is related to (developer.copper.com: related-items)."""
    question = Question("GET", f"/{entity}/{parent}/related", f"related_items of a record of {entity}")
    found = ask_list(reading, question, records_in, ("id", "type"))
    return [{"parent_type": SINGULAR[entity], "parent_id": parent, **record} for record in found]


def related_links(reading: Reading, entity: str, parent: int) -> list[Record]:
    """Return the links of a record's Connect fields (developer.copper.com: custom-fields/connect-fields)."""
    params: dict[str, str | int] = {"source_type": SOURCE_TYPES[entity], "source_id": parent}
    question = Question("GET", "/related_links", f"related_links of a record of {entity}", params=params)
    return ask_list(reading, question, records_in)


def files(reading: Reading, entity: str, parent: int) -> list[Record]:
    """Return what is known of a record's files; not their content (developer.copper.com: file-upload)."""
    question = Question("GET", f"/{entity}/{parent}/files", f"files of a record of {entity}")
    found = ask_list(reading, question, records_in)
    return [{"parent_type": SINGULAR[entity], "parent_id": parent, **record} for record in found]
