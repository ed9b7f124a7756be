"""What Copper gives per record only: relations, links of Connect fields, files. A request for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tap_crm import errors
from tap_crm.messages import Page
from tap_crm.providers.common.per_parent import PerParent, ledger_of_parents
from tap_crm.providers.common.whole_list import ask_once
from tap_crm.providers.copper.lists import in_list
from tap_crm.providers.copper.search import changes_of, listing_of
from tap_crm.transport.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Item
    from tap_crm.providers.common.records import Record

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
#: An object and the id of one of its records.
Place: TypeAlias = tuple[str, int | str]


def per_record(entities: tuple[str, ...], ask: Callable[[Reading, Place], list[Record]]) -> PerParent[Place]:
    """Return what asks for the children of every record of some objects.

    Whether these may be read, their own streams show.
    """

    def parents(reading: Reading, take: Callable[[Iterable[Place]], None]) -> None:
        for entity in entities:
            _read_entity(reading, entity, take)

    return PerParent(parents, ask, cost=f"record of {', '.join(entities)}")


def _read_entity(reading: Reading, entity: str, take: Callable[[Iterable[Place]], None]) -> None:
    """Read the records of one object; none where the key may not read it."""

    def emit(item: Item) -> None:
        if isinstance(item, Page) and item.rows is not None:
            take((entity, row.key) for row in item.kept(item.rows))

    try:
        with ledger_of_parents(reading, entity) as found:
            changes_of(listing_of(reading, entity), reading, emit, found).read(None)
    except errors.Forbidden:
        reading.ledger.gap(f"the key may not read {entity}; nothing that belongs to them was read")


def _ask(reading: Reading, question: Question, *keys: str) -> list[Record]:
    return ask_once(reading, question, lambda reply: in_list(*keys, reply=reply))


def related_items(reading: Reading, place: Place) -> list[Record]:
    """Return what a record is related to (developer.copper.com: related-items)."""
    entity, parent = place
    question = Question("GET", f"/{entity}/{parent}/related", f"related_items of a record of {entity}")
    return [{**_parent(place), **record} for record in _ask(reading, question, "id", "type")]


def related_links(reading: Reading, place: Place) -> list[Record]:
    """Return the links of a record's Connect fields (developer.copper.com: custom-fields/connect-fields)."""
    entity, parent = place
    params = {"source_type": SOURCE_TYPES[entity], "source_id": parent}
    question = Question("GET", "/related_links", f"related_links of a record of {entity}", params=params)
    return _ask(reading, question, "id")


def files(reading: Reading, place: Place) -> list[Record]:
    """Return what is known of a record's files; not their content (developer.copper.com: file-upload)."""
    entity, parent = place
    question = Question("GET", f"/{entity}/{parent}/files", f"files of a record of {entity}")
    return [{**_parent(place), **record} for record in _ask(reading, question, "id")]


def _parent(place: Place) -> Record:
    entity, parent = place
    return {"parent_type": SINGULAR[entity], "parent_id": parent}
