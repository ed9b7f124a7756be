"""Reads the query language of searches: which object type, within which times, by which tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from sandbox.close.conditions import check_keys, condition, moments
from sandbox.close.object_types import SEARCHED
from sandbox.close.parameters import invalid
from sandbox.close.table import FOREVER, Row

if TYPE_CHECKING:
    from sandbox.close.records import OrganizationRecords
    from sandbox.exchange import Record

Test: TypeAlias = Callable[[Row], bool]

_decode = msgspec.json.Decoder(dict).decode
_INDEXED = {"date_created": "created", "date_updated": "updated"}


@dataclass(slots=True)
class Query:
    """What a query asks for: rows of one object type that lie within bounds and pass a test."""

    kind: str
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The table that is searched."""
        return SEARCHED[self.kind]


class QueryReader:
    """Reads queries about one organization."""

    def __init__(self, records: OrganizationRecords, hours: float) -> None:
        self.records = records
        self.hours = hours
        self.cut = records.behaviour.search_precision == "second"

    def read(self, query: Any) -> Query:  # noqa: ANN401
        """Read a whole query."""
        kinds = set(_kinds(query))
        if len(kinds) != 1:
            raise invalid("query", "Exactly one object type must be searched.")
        kind = kinds.pop()
        if kind not in SEARCHED or kind not in self.records.behaviour.searchable:
            raise invalid("query", f"Can not search objects of type {kind}.")
        found = Query(kind)
        self._take(query, found)
        return found

    def _take(self, query: Record, found: Query) -> None:
        """Take bounds out of what must all hold; leave the rest to tests."""
        if query["type"] == "and" and not query.get("negate"):
            check_keys(query, "and", "queries")
            for one in query["queries"]:
                self._take(_query(one), found)
            return
        bounds = self._bounds(query, found.kind)
        if bounds:
            name, low, high = bounds
            first, last = found.bounds.get(name, (-FOREVER, FOREVER))
            found.bounds[name] = (max(first, low), min(last, high))
        elif query["type"] != "object_type" or query.get("negate"):
            found.tests.append(self._test(query, found.kind))
        else:
            check_keys(query, "object_type", "object_type")

    def _bounds(self, query: Record, kind: str) -> tuple[str, int, int] | None:
        if query["type"] != "field_condition" or query.get("negate"):
            return None
        check_keys(query, "field_condition", "field", "condition")
        column = self.column(query["field"], kind)
        if column not in _INDEXED or _query(query["condition"], "condition")["type"] != "moment_range":
            return None
        return (_INDEXED[column], *moments(query["condition"], self.hours, self.records.now(), cut=self.cut))

    def _test(self, query: Any, kind: str) -> Test:  # noqa: ANN401
        sort = _query(query)["type"]
        maker = getattr(self, f"_test_{sort}", None) if isinstance(sort, str) else None
        if maker is None:
            raise invalid("query", f"Query type that the sandbox does not know: {sort}.")
        test: Test = maker(query, kind)
        negate = query.get("negate", False)
        if not isinstance(negate, bool):
            raise invalid("query", "negate must be a boolean.")
        return (lambda row: not test(row)) if negate else test

    def _test_and(self, query: Record, kind: str) -> Test:
        check_keys(query, "and", "queries")
        tests = [self._test(one, kind) for one in query["queries"]]
        return lambda row: all(test(row) for test in tests)

    def _test_or(self, query: Record, kind: str) -> Test:
        check_keys(query, "or", "queries")
        tests = [self._test(one, kind) for one in query["queries"]]
        return lambda row: any(test(row) for test in tests)

    def _test_object_type(self, query: Record, kind: str) -> Test:
        check_keys(query, "object_type", "object_type")
        fits = query["object_type"] == kind
        return lambda _: fits

    def _test_match_all(self, query: Record, _: str) -> Test:
        check_keys(query, "match_all")
        return lambda _: True

    def _test_id(self, query: Record, _: str) -> Test:
        check_keys(query, "id", "value")
        return lambda row: row.id == query["value"]

    def _test_field_condition(self, query: Record, kind: str) -> Test:
        check_keys(query, "field_condition", "field", "condition")
        bounds = self._bounds(query | {"negate": False}, kind)
        if bounds:
            attribute, low, high = bounds
            return lambda row: low <= getattr(row, attribute) < high
        column = self.column(query["field"], kind)
        user_id = self.records.source.user_ids[0]
        holds = condition(query["condition"], self.hours, self.records.now(), user_id, cut=self.cut)
        return lambda row: holds(self.records.full(SEARCHED[kind], row).get(column))

    def _test_text(self, query: Record, kind: str) -> Test:
        check_keys(query, "text", "value", optional=("mode",))
        if query.get("mode", "full_words") not in ("full_words", "phrase", "exact_value", "beginning_of_words"):
            raise invalid("query", f"Unknown mode: {query['mode']}.")
        words = str(query["value"]).casefold().split()
        name = "display_name" if kind in ("lead", "contact") else "note"

        def fits(row: Row) -> bool:
            text = str(_decode(row.raw).get(name)).casefold().split()
            return all(any(one.startswith(word) for one in text) for word in words)

        return fits

    def _test_saved_search(self, query: Record, kind: str) -> Test:
        check_keys(query, "saved_search", "saved_search_id")
        for one in self.records.lists["smart_views"]:
            if one["id"] == query["saved_search_id"] and one["s_query"]:
                return self._test(one["s_query"]["query"], kind)
        raise invalid("query", "No such saved search.")

    def _test_has_related(self, query: Record, kind: str) -> Test:
        check_keys(query, "has_related", "this_object_type", "related_object_type", "related_query")
        this, other = query["this_object_type"], query["related_object_type"]
        if this != kind or other not in SEARCHED or "lead" not in (this, other) or this == other:
            raise invalid("query", f"{this} has no related {other}.")
        test, tables = self._test(query["related_query"], other), self.records.tables
        table = tables[SEARCHED[other]]
        if this == "lead":
            return lambda row: any(test(child) for child in table.of_lead(row.id))
        return lambda row: row.lead_id in table.living and test(table.living[row.lead_id])

    def column(self, given: Any, kind: str) -> str:  # noqa: ANN401
        """Give the key of a field."""
        if _query(given, "field")["type"] == "custom_field":
            check_keys(given, "custom_field", "custom_field_id")
            if all(one["id"] != given["custom_field_id"] for one in self.records.lists["custom_fields"]):
                raise invalid("query", f"No such custom field: {given['custom_field_id']}.")
            return f"custom.{given['custom_field_id']}"
        check_keys(given, "regular_field", "object_type", "field_name")
        if given["object_type"] != kind:
            raise invalid("query", f"A field of {given['object_type']} among those of {kind}.")
        name: str = given["field_name"]
        if name not in self.records.known(kind):
            raise invalid("query", f"{kind} has no field {name}.")
        return name


def _query(query: Any, what: str = "query") -> Record:  # noqa: ANN401
    if not isinstance(query, dict) or "type" not in query:
        raise invalid("query", f"A {what} must be an object with a type.")
    return query


def _kinds(query: Any) -> list[str]:  # noqa: ANN401
    """Every object type that a query asks for, related ones left out."""
    if _query(query)["type"] == "object_type":
        return [str(query.get("object_type"))]
    if query["type"] in ("and", "or"):
        if not isinstance(query.get("queries"), list):
            raise invalid("query", "queries must be a list.")
        return [kind for one in query["queries"] for kind in _kinds(one)]
    return []
