"""A listing as the readings see it: bounded by times, asked page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tap_crm import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How often a page is asked for in all whose answer has no row, but a total that says otherwise.
LOOKS_AT_AN_EMPTY_PAGE = 4


@dataclass(frozen=True, slots=True)
class Row:
    """What a reading needs to know of a record: its key and its times in epoch seconds (None where it has none).

    ``times`` are in the order of the listing's ``times``.
    """

    key: int | str
    times: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """Restricts a listing to records whose ``time`` lies in ``[low, high]``, both inclusive, open where None."""

    time: str
    low: int | None = None
    high: int | None = None

    def __bool__(self) -> bool:
        """Tell whether it restricts anything."""
        return self.low is not None or self.high is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """One page: its rows in the CRM's order, the body they came in, the CRM's total (an upper bound, or None)."""

    rows: tuple[Row, ...]
    body: bytes
    total: int | None
    server_time: float


class Listing(Protocol):
    """A listing of a CRM that can be bounded by times."""

    @property
    def label(self) -> str:
        """For messages: the stream's name."""

    @property
    def page_size(self) -> int:
        """How many rows a full page has."""

    @property
    def reach(self) -> int:
        """How many records one question can give, whatever the page number."""

    @property
    def times(self) -> tuple[str, ...]:
        """The names of the times that rows carry."""

    @property
    def ascending(self) -> bool:
        """False where the listing cannot be ordered by us and comes newest first."""

    def ask(self, bounds: tuple[Bound, ...], order: str | None, page: int) -> Answer:
        """Return page number ``page`` (from 1) of what lies in the bounds, ordered by the time ``order``.

        Raises:
            Refused: the CRM does not accept these bounds, or this page number.
        """

    def rows_of(self, body: bytes) -> tuple[Row, ...]:
        """Return the rows in the body of an answer."""


class BoundIgnored(Exception):  # noqa: N818 - it names what happened
    """The CRM answered with rows outside of the bounds, or refused them: the filter does not work here."""

    def __init__(self, time: str, cause: Exception | None = None) -> None:
        """Keep the name of the time whose filter does not work, and the refusal if there was one."""
        super().__init__(time)
        self.time = time
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Slice:
    """A listing within fixed bounds, walked along one of its times (None: along nothing, the whole listing)."""

    listing: Listing
    by: str | None
    outer: tuple[Bound, ...] = ()
    learned_reach: int | None = None

    @property
    def reach(self) -> int:
        """Return how many records one question gives: as documented, or less where the CRM was seen to stop."""
        return self.learned_reach or self.listing.reach

    def within(self, bound: Bound, by: str) -> Slice:
        """Return the slice restricted further and walked along another time."""
        return replace(self, outer=(*self.outer, bound), by=by)

    def at(self, row: Row) -> int | None:
        """Return the row's time that this slice is walked along."""
        return None if self.by is None else row.times[self.listing.times.index(self.by)]

    def ask(self, low: int | None, high: int | None, page: int) -> Answer:
        """Ask for a page of ``[low, high]`` and check that the bounds were honoured.

        A page that the CRM refuses although it gave the first one lies beyond its reach, and counts as empty. One
        that has no row although its own total says that it should is asked for again.

        Raises:
            BoundIgnored: rows lie outside, or the first page was refused because of the bounds.
        """
        bounds = self.outer
        if self.by is not None and (low is not None or high is not None):
            bounds = (*bounds, Bound(self.by, low, high))
        try:
            answer = self.listing.ask(bounds, self.by, page)
            for _ in range(LOOKS_AT_AN_EMPTY_PAGE - 1):
                if not self._contradicts_itself(answer, page):
                    break
                answer = self.listing.ask(bounds, self.by, page)
        except errors.Refused as refusal:
            if page > 1 and self._first_page_is_given(bounds):
                return Answer((), b"[]", None, 0.0)
            if bounds:
                raise BoundIgnored(bounds[-1].time, refusal) from refusal
            raise
        for bound in bounds:
            check_bound(bound, answer.rows, self.listing.times)
        return answer

    def _contradicts_itself(self, answer: Answer, page: int) -> bool:
        """Tell whether an answer has no row where its total, and what is known of the CRM's reach, promise some."""
        before = (page - 1) * self.listing.page_size
        return not answer.rows and answer.total is not None and before < min(answer.total, self.reach)

    def _first_page_is_given(self, bounds: tuple[Bound, ...]) -> bool:
        try:
            self.listing.ask(bounds, self.by, 1)
        except errors.Refused:
            return False
        return True


def check_bound(bound: Bound, rows: Sequence[Row], times: tuple[str, ...]) -> None:
    """Raise if the rows show that the bound was ignored.

    A single row above the upper bound is a record changed between the search and the answer; rows below the
    lower one, or many above, mean that the filter had no effect.

    Raises:
        BoundIgnored: rows lie outside.
    """
    index = times.index(bound.time)
    found = [at for row in rows if (at := row.times[index]) is not None]
    below = bound.low is not None and any(at < bound.low - 1 for at in found)
    above = bound.high is not None and sum(at > bound.high + 1 for at in found) > max(2, len(found) // 2)
    if below or above:
        raise BoundIgnored(bound.time)
