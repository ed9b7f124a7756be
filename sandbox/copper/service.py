"""What the routes of the Copper server answer from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sandbox.copper.custom_fields import with_computed
from sandbox.copper.filters import FilterContext
from sandbox.copper.related import Relations
from sandbox.copper.search import Searcher
from sandbox.copper.writes.records import RecordWriter
from sandbox.exchange import Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copper.account import CopperAccount
    from sandbox.exchange import Answer, Record, Request

Handler: TypeAlias = Callable[["Service", "Request", tuple[str, ...]], "Answer"]
"""Answers a request, given the groups of its route's pattern."""


class Service:
    """An account, its behaviour, and what searches it."""

    def __init__(self, account: CopperAccount) -> None:
        self.account = account
        self.behaviour = account.behaviour
        self.relations = Relations(account)
        self.searcher = Searcher(account, account.behaviour, self.relations)
        self.writer = RecordWriter(account)

    def now(self) -> float:
        """Read the server's clock."""
        return self.account.clock()

    def living(self, name: str, number: int) -> int:
        """Give an id; 404 unless there is such a record and the key may see it."""
        if not self.account.sees(name, number):
            raise Refusal(404, "Resource not found")
        return number

    def answered(self, request: Request, name: str, record: Record) -> Answer:
        """Answer with a record."""
        return encoded(self.completed(request, name, record))

    def completed(self, request: Request, name: str, record: Record) -> Record:
        """Give a record as answers have it, with the names of options if the request asks for them."""
        shown = record | self.behaviour.extra_for(name)
        if request.query.get("custom_field_computed_values") == "true" and "custom_fields" in shown:
            shown["custom_fields"] = [dict(one) for one in shown["custom_fields"]]
            with_computed(shown, {one["id"]: one for one in self.account.lists["custom_field_definitions"]})
        return shown

    def filter_context(self) -> FilterContext:
        """Collect what filters need to know."""
        definitions = {one["id"]: one for one in self.account.lists["custom_field_definitions"]}
        return FilterContext(int(self.now()), definitions, self.relations.contacts_of, self.account.shape.dmy)

    def fields_of(self, name: str) -> set[str]:
        """Give the names of an object's fields."""
        for row in self.account.tables[name]:
            return set(self.account.record(name, row.id))
        return set()
