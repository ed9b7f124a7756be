"""What the routes of the Copper server answer from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sandbox.copper.filters import FilterContext
from sandbox.copper.related import Relations
from sandbox.copper.search import Searcher

if TYPE_CHECKING:
    from sandbox.copper.account import CopperWorld
    from sandbox.exchange import Answer, Request

Handler: TypeAlias = Callable[["Service", "Request", tuple[str, ...]], "Answer"]
"""Answers a request, given the groups of its route's pattern."""


class Service:
    """An account, its behaviour, and what searches it."""

    def __init__(self, world: CopperWorld) -> None:
        self.world = world
        self.behaviour = world.behaviour
        self.relations = Relations(world)
        self.searcher = Searcher(world, world.behaviour, self.relations)

    def now(self) -> float:
        """Read the server's clock."""
        return self.world.clock()

    def filter_context(self) -> FilterContext:
        """Collect what filters need to know."""
        definitions = {one["id"]: one for one in self.world.lists["custom_field_definitions"]}
        return FilterContext(int(self.now()), definitions, self.relations.contacts_of, self.world.shape.dmy)

    def fields_of(self, name: str) -> set[str]:
        """Give the names of an object's fields."""
        for row in self.world.tables[name]:
            return set(self.world.record(name, row.id))
        return set()
