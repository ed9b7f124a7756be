"""Routes: which requests a handler answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HandlerT = TypeVar("HandlerT")


@dataclass(frozen=True, slots=True)
class Route(Generic[HandlerT]):
    """A method and the paths that a handler answers."""

    method: str
    pattern: re.Pattern[str]
    handler: HandlerT
    listing: bool = False
    """Whether the answer is a list that has no search."""


def route(method: str, pattern: str, handler: HandlerT, *, listing: bool = False) -> Route[HandlerT]:
    """Make a route; the groups of the pattern are what the handler is given of the path."""
    return Route(method, re.compile(pattern), handler, listing)


def fitting(routes: Sequence[Route[HandlerT]], path: str) -> Iterator[tuple[Route[HandlerT], tuple[str, ...]]]:
    """Give the routes that a path fits, whatever the method, each with the groups of its pattern."""
    for one in routes:
        if found := one.pattern.fullmatch(path):
            yield one, found.groups()
