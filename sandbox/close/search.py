"""`POST /data/search/`: strict bodies, sorted pages, cursors that end and expire."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from sandbox.close.behaviour import named
from sandbox.close.parameters import PAGE_DEFAULT, invalid, offset_of, refused, with_fields
from sandbox.close.query import Query, QueryReader
from sandbox.close.table import FOREVER, Row
from sandbox.exchange import Answer, Record, encoded

if TYPE_CHECKING:
    from random import Random

    from sandbox.close.behaviour import Behaviour
    from sandbox.close.records import OrganizationRecords
    from sandbox.close.table import Entry
    from sandbox.exchange import Request

SortKey: TypeAlias = Callable[[Row], Any]

PATH = "data/search"
_KEYS = {"query", "_fields", "sort", "_limit", "results_limit", "include_counts", "cursor"}
_INDEXED = {"date_created": "created", "date_updated": "updated"}
_MOST_CURSORS = 10_000
_ALL = (-FOREVER, FOREVER)
_sorted_json = msgspec.json.Encoder(order="sorted").encode


@dataclass(slots=True)
class Search:
    """A search body, read and checked."""

    query: Query
    limit: int
    results_limit: int | None
    counts: bool
    fields: list[str] | None
    sort: list[tuple[str, bool]] = field(default_factory=list)
    """Names of fields, each with whether downwards."""
    identity: bytes = b""


@dataclass(slots=True)
class Cursor:
    """The place of the next page, until when it may be asked for, and the ids that the search found."""

    place: int
    identity: bytes
    due: float
    total: int
    numbers: list[str] | None


class Searcher:
    """Answers searches of one server; remembers its cursors."""

    def __init__(self, records: OrganizationRecords, behaviour: Behaviour, rng: Random) -> None:
        self.records = records
        self.behaviour = behaviour
        self.rng = rng
        self.cursors: dict[str, Cursor] = {}

    def answer(self, request: Request) -> Answer:
        """Answer a search with one page."""
        search, token = self._read(request)
        table = self.records.tables[search.query.name]
        table.settle(time.monotonic())
        cursor = self._cursor(token, search.identity) if token is not None else None
        place = cursor.place if cursor else 0
        behaviour = self.behaviour
        if place >= behaviour.search_cap:
            raise refused("A search gives no more results than that; refine your query.")
        if cursor and cursor.numbers is not None:
            numbers, total = cursor.numbers, cursor.total
        else:
            entries = self._found(search)
            total = len(entries)
            numbers = [number for _, number in entries[: behaviour.search_cap]]
        most = min(len(numbers), FOREVER if search.results_limit is None else search.results_limit)
        stop = min(place + search.limit, most)
        place = 0 if named(behaviour.stuck, PATH) else place
        sees, name = self.records.sees, search.query.name
        shown = [
            number for number in numbers[place : min(place + search.limit, most)] if number not in behaviour.never_given
        ]
        rows = [row for number in shown if (row := table.seen(number)) and sees(name, number)]
        body: Record = {
            "data": [self._shaped(search, row) for row in rows],
            "cursor": self._next(search, stop, most, total, numbers),
        }
        if search.counts and behaviour.search_counts == "exact":
            body["count"] = {"limited": min(total, most), "total": total}
        return encoded(body)

    def _next(self, search: Search, stop: int, most: int, total: int, numbers: list[str]) -> str | None:
        behaviour = self.behaviour
        capped = stop == behaviour.search_cap < total and search.results_limit is None
        ended = stop >= most and not (capped and behaviour.cap_looks == "error")
        if ended and not named(behaviour.endless, PATH):
            return None
        token = self.records.source.short("cur")
        kept = numbers if behaviour.cursor_kind == "snapshot" else None
        due = time.monotonic() + behaviour.cursor_ttl
        self.cursors[token] = Cursor(stop, search.identity, due, total, kept)
        if len(self.cursors) > _MOST_CURSORS:
            del self.cursors[next(iter(self.cursors))]
        return token

    def _cursor(self, token: str, identity: bytes) -> Cursor:
        cursor = self.cursors.get(token)
        if cursor is None:
            raise invalid("cursor", "Invalid cursor.")
        if cursor.due < time.monotonic():
            raise refused("The cursor has expired. Please start the search again.")
        if cursor.identity != identity:
            raise invalid("cursor", "Invalid cursor: it belongs to another query.")
        return cursor

    def _found(self, search: Search) -> list[Entry]:
        """Give the entries of all rows that fit, in the order asked for."""
        query, table = search.query, self.records.tables[search.query.name]
        first = search.sort[0][0] if search.sort else "date_updated"
        attribute = _INDEXED.get(first, "created")
        primary = attribute if attribute in query.bounds or not query.bounds else min(query.bounds)
        entries = table.between(primary, *query.bounds.get(primary, _ALL), lagging=True)
        if self.behaviour.hiding:
            entries = [entry for entry in entries if self.records.sees(query.name, entry[1])]
        others = {name: bound for name, bound in query.bounds.items() if name != primary}
        if others or query.tests:
            rows = [row for _, number in entries if (row := table.seen(number))]
            for name, (low, high) in others.items():
                rows = [row for row in rows if low <= getattr(row, name) < high]
            entries = [(getattr(row, attribute), row.id) for row in rows if all(test(row) for test in query.tests)]
            if primary != attribute:
                entries.sort()
        elif primary != attribute:
            entries = sorted((getattr(row, attribute), row.id) for _, number in entries if (row := table.seen(number)))
        return self._ordered(search, entries)

    def _ordered(self, search: Search, entries: list[Entry]) -> list[Entry]:
        if self.behaviour.unstable_ties:
            rng = self.rng
            entries.sort(key=lambda entry: (entry[0], rng.random()))
        if len(search.sort) <= 1 and (not search.sort or search.sort[0][0] in _INDEXED):
            if not search.sort or search.sort[0][1]:
                entries.reverse()
            return entries
        table, records = self.records.tables[search.query.name], self.records
        for name, downwards in reversed(search.sort):

            def key(entry: Entry, name: str = name) -> tuple[bool, Any]:
                row = table.seen(entry[1])
                if name in _INDEXED:
                    return True, getattr(row, _INDEXED[name])
                value = records.full(table.name, row).get(name) if row else None
                return value is not None, value

            entries.sort(key=key, reverse=downwards)
        return entries

    def _shaped(self, search: Search, row: Row) -> Record:
        kind, name = search.query.kind, search.query.name
        if search.fields is None:
            return {"__object_type": kind, "id": row.id}
        records = self.records
        nested = name != "leads" or not _NESTED.isdisjoint(search.fields)
        record = records.full(name, row, seen=True) if nested else msgspec.json.decode(row.raw)
        return {"__object_type": kind} | with_fields(record, search.fields)

    def _read(self, request: Request) -> tuple[Search, str | None]:
        try:
            body = msgspec.json.decode(request.body, type=dict)
        except msgspec.DecodeError as error:
            raise refused(f"Invalid JSON: {error}") from None
        if wrong := set(body) - _KEYS:
            raise invalid(min(wrong), "Unknown field.")
        if "query" not in body:
            raise invalid("query", "This field is required.")
        query = QueryReader(self.records, offset_of(request)).read(body["query"])
        cap = self.behaviour.limit_cap(PATH)
        search = Search(
            query,
            _count(body, "_limit", cap) or min(PAGE_DEFAULT, cap),
            _count(body, "results_limit", FOREVER),
            body.get("include_counts", False),
            self._fields(body.get("_fields"), query),
            self._sort(body.get("sort"), query),
            _sorted_json([body["query"], body.get("sort")]),
        )
        if not isinstance(search.counts, bool):
            raise invalid("include_counts", "Not a valid boolean.")
        token = body.get("cursor")
        if token is not None and not isinstance(token, str):
            raise invalid("cursor", "Not a valid string.")
        return search, token

    def _fields(self, given: Any, query: Query) -> list[str] | None:  # noqa: ANN401
        if given is None:
            return None
        if not isinstance(given, dict) or set(given) - {query.kind}:
            raise invalid("_fields", f"Must be an object with a list for {query.kind}.")
        names = given.get(query.kind)
        if names is None:
            return None
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            raise invalid("_fields", "Must be a list of names.")
        custom = [name for name in names if name.startswith("custom.")]
        if len(custom) > self.behaviour.fields_cap:
            raise invalid("_fields", "List is too long.")
        known = self.records.known(query.kind)
        wrong = [name for name in names if name not in known and name not in custom and name not in ("custom", "_all")]
        if wrong and self.behaviour.unknown_parameters == "refused":
            raise invalid("_fields", f"{query.kind} has no field {wrong[0]}.")
        return names

    def _sort(self, given: Any, query: Query) -> list[tuple[str, bool]]:  # noqa: ANN401
        found = []
        for one in given or []:
            if (
                not isinstance(one, dict)
                or set(one) != {"direction", "field"}
                or one["direction"] not in ("asc", "desc")
            ):
                raise invalid("sort", "Each entry has a direction (asc, desc) and a field.")
            reader = QueryReader(self.records, 0)
            found.append((reader.column(one["field"], query.kind), one["direction"] == "desc"))
        return found


_NESTED = {"contacts", "opportunities", "tasks", "contact_ids", "_all"}


def _count(body: Record, name: str, most: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise invalid(name, "Must be a positive integer.")
    if value > most:
        raise invalid(name, f"Value must be less than or equal to {most}.")
    return value
