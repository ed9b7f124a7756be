"""Which records belong together (sections "related items", "connect fields", "file upload")."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING, TypeVar

import msgspec

from sandbox.copper.custom_fields import SINGULAR

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copper.records import AccountRecords
    from sandbox.copper.table import Table
    from sandbox.exchange import Record

T = TypeVar("T")

ALLOWED: dict[str, tuple[str, ...]] = {
    "leads": ("tasks",),
    "people": ("companies", "opportunities", "tasks", "projects"),
    "companies": ("opportunities", "people", "tasks", "projects"),
    "opportunities": ("companies", "people", "tasks", "projects"),
    "projects": ("people", "companies", "opportunities", "tasks"),
    "tasks": ("people", "companies", "opportunities", "leads", "projects"),
}
PLURAL = {singular: name for name, singular in SINGULAR.items()}
FILES = ("leads", "people", "opportunities", "companies", "projects")


class _Pointer(msgspec.Struct):
    id: int | None = None
    type: str | None = None


class _Ends(msgspec.Struct):
    """The parts of a record that point at others."""

    id: int
    company_id: int | None = None
    primary_contact_id: int | None = None
    related_resource: _Pointer | None = None


class _Activity(msgspec.Struct):
    id: int
    parent: _Pointer


class _Value(msgspec.Struct):
    custom_field_definition_id: int
    value: object = None


class _Connected(msgspec.Struct):
    id: int
    name: str
    custom_fields: list[_Value] = []


_ends = msgspec.json.Decoder(_Ends).decode
_parent = msgspec.json.Decoder(_Activity).decode
_connected = msgspec.json.Decoder(_Connected).decode


class Relations:
    """Relations between an account's records, found anew after changes of the tables that they come from."""

    def __init__(self, records: AccountRecords) -> None:
        self.records = records
        self._kept: dict[str, tuple[int, object]] = {}

    def activities_of(self, kind: str, number: int) -> list[int]:
        """Give the ids of a parent's activities that searches show."""
        found: dict[tuple[str, int], list[int]] = self._cached("activities", ("activities",), self._parents)
        return found.get((kind, number), [])

    def contacts_of(self, opportunities: list[int]) -> set[int]:
        """Give the primary contacts of opportunities."""
        living = self.records.tables["opportunities"].living
        ends = (_ends(living[number].raw) for number in opportunities if number in living)
        return {one.primary_contact_id for one in ends if one.primary_contact_id is not None}

    def of(self, name: str, number: int, kinds: tuple[str, ...]) -> list[Record]:
        """Give a record's related items of these kinds, as {id, type}."""
        sources = ("people", "opportunities", "projects", "tasks")
        edges: dict[tuple[str, int], dict[tuple[str, int], None]] = self._cached("edges", sources, self._edges)
        found = edges.get((name, number), {})
        return [
            {"id": other, "type": SINGULAR[kind]}
            for kind, other in found
            if kind in kinds and self.records.sees(kind, other)
        ]

    def links(self, kind: str, number: int, definition_id: int | None) -> list[Record]:
        """Give the Connect links of a record (related_links)."""
        links: list[Record] = self._cached("links", ("people", "companies"), self._links)
        return [
            link
            for link in links
            if (link["source"]["entity_type"], link["source"]["id"]) == (kind, number)
            and definition_id in (None, link["custom_field_definition_id"])
            and all(
                self.records.sees(PLURAL[link[end]["entity_type"]], link[end]["id"]) for end in ("source", "target")
            )
        ]

    def files(self, name: str, number: int) -> list[Record]:
        """Give a record's files; some are deleted."""
        rng = Random(f"{self.records.shape.seed} {name} {number}")
        first = (number % 100_000) * 10 + FILES.index(name) * 1_000_000
        created = self.records.shape.now - rng.randrange(1_000, 10_000_000)
        return [
            {
                "id": first + n,
                "is_deleted": rng.random() < 0.2,  # noqa: PLR2004
                "file_name": f"Angebot №{n} ({number}).pdf",
                "file_size": rng.randrange(1, 5_000_000_000),
                "content_type": "application/pdf",
                "creator_id": self.records.source.user_ids[0],
                "date_created": created,
                "date_modified": rng.choice((None, created + 5)),
            }
            for n in range(rng.choice((0, 0, 1, 3)))
        ]

    def _cached(self, what: str, names: tuple[str, ...], make: Callable[[], T]) -> T:
        version = sum(self.records.tables[name].version for name in names) + self.records.edits
        kept = self._kept.get(what)
        if kept is None or kept[0] != version:
            kept = self._kept[what] = (version, make())
        return kept[1]  # type: ignore[return-value]

    def _parents(self) -> dict[tuple[str, int], list[int]]:
        found: dict[tuple[str, int], list[int]] = defaultdict(list)
        for row in self.records.tables["activities"].shown.values():
            if b'"parent"' in row.raw:
                parent = _parent(row.raw).parent
                found[parent.type or "", parent.id or 0].append(row.id)
        return found

    def _edges(self) -> dict[tuple[str, int], dict[tuple[str, int], None]]:
        edges: dict[tuple[str, int], dict[tuple[str, int], None]] = defaultdict(dict)

        def join(near: tuple[str, int], kind: str | None, other: int | None) -> None:
            if kind is not None and other is not None and kind in ALLOWED[near[0]]:
                edges[near][kind, other] = None
                if near[0] in ALLOWED[kind]:
                    edges[kind, other][near] = None

        for name in ("people", "opportunities", "projects", "tasks"):
            for row in self.records.tables[name]:
                one = _ends(row.raw)
                join((name, one.id), "companies", one.company_id)
                join((name, one.id), "people", one.primary_contact_id)
                if one.related_resource:
                    join((name, one.id), PLURAL.get(one.related_resource.type or ""), one.related_resource.id)
        for near, far in map(tuple, self.records.pairs):
            join(near, *far)
        return edges

    def _links(self) -> list[Record]:
        definitions = {
            one["id"]: one
            for one in self.records.lists["custom_field_definitions"]
            if one["data_type"] == "Connect" and "connected_id" in one and one["available_on"] == ["person"]
        }
        companies: Table = self.records.tables["companies"]
        links: list[Record] = []
        for row in self.records.tables["people"] if definitions else ():
            person = _connected(row.raw)
            near = {"id": person.id, "entity_type": "person", "name": person.name}
            for entry in person.custom_fields:
                definition = definitions.get(entry.custom_field_definition_id)
                if definition is None or not isinstance(entry.value, list):
                    continue
                for number in entry.value:
                    if number not in companies.living:
                        continue
                    company = _connected(companies.living[number].raw)
                    far = {"id": company.id, "entity_type": "company", "name": company.name}
                    for key, source, target in (
                        (definition["id"], near, far),
                        (definition["connected_id"], far, near),
                    ):
                        links.append(
                            {
                                "id": len(links) + 1,
                                "custom_field_definition_id": key,
                                "source": source,
                                "target": target,
                            }
                        )
        return links
