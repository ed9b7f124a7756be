"""Faults of list pages while records come and go: short pages, empty ones, and 404 for a deleted document."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from random import Random

    from sandbox.close.behaviour import Behaviour
    from sandbox.close.parameters import CheckedParameters
    from sandbox.exchange import Request

T = TypeVar("T")


class PageFaults:
    """Plays the knobs `document_deleted`, `shortened_pages` and `empty_pages` on list pages."""

    def __init__(self, behaviour: Behaviour, rng: Random) -> None:
        self.behaviour = behaviour
        self.rng = rng
        self._pages = 0
        self._given = 0
        self._broken: dict[str, int] = {}
        self._withheld: set[tuple[str, int]] = set()
        self._emptied: set[str] = set()

    def before(self, request: Request, asked: CheckedParameters) -> None:
        """Maybe refuse a page because a record on it was deleted, as often as the knob says."""
        knob = self.behaviour.document_deleted
        if not knob.every:
            return
        page = _page(request)
        if page not in self._broken:
            self._pages += 1
            if self._pages % knob.every:
                return
            self._broken[page] = 0
        small = asked.limit <= knob.limit if knob.limit else self._broken[page] >= knob.times
        if small:
            del self._broken[page]
            self._pages = 0
            return
        self._broken[page] += 1
        raise Refusal(404, "Empty query: Document has been deleted.")

    def after(self, request: Request, rows: list[T], *, more: bool) -> tuple[list[T], bool]:
        """Maybe leave rows out, which the next answer to the same question has."""
        page, knob = _page(request), self.behaviour
        if knob.empty_pages and rows:
            self._given += 1
            if page in self._emptied:
                self._emptied.discard(page)
            elif self._given % knob.empty_pages == 0:
                self._emptied.add(page)
                return [], True
        if not knob.shortened_pages or not rows:
            return rows, more
        kept = self._kept(page, len(rows))
        if kept == len(rows):
            return rows, more
        return [row for place, row in enumerate(rows) if (page, place) not in self._withheld], True

    def _kept(self, page: str, count: int) -> int:
        """Choose the places to leave out, never twice running; say how many rows are left."""
        again = {one for one in self._withheld if one[0] == page}
        self._withheld -= again
        if again:
            return count
        part = self.behaviour.shortened_pages
        if self.behaviour.shortened_where == "tail":
            cut = min(count, sum(self.rng.random() < part for _ in range(count)))
            places = set(range(count - cut, count))
        else:
            places = {place for place in range(count) if self.rng.random() < part}
        self._withheld |= {(page, place) for place in places}
        return count - len(places)


def _page(request: Request) -> str:
    """Name a page, whatever its size."""
    query = sorted((name, value) for name, value in request.query.items() if name not in ("_limit", "_fields"))
    return f"{request.path}?{query}"
