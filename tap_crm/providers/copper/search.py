"""Copper's ``POST /{object}/search`` as a listing (developer.copper.com: introduction/pagination, each search page).

All filters are ANDed, dates are epoch seconds and both ends inclusive; ``X-PW-TOTAL`` is an upper bound; only the
first 100,000 records of a search are given, silently. There is no cursor, and no way to begin at a position; but pages
may have any size up to 200, so that one can be found which begins a little before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.contract.newest import Newest
from tap_crm.messages import Checkpoint, Page, Row
from tap_crm.reading.answer import Answer
from tap_crm.reading.keyset_changes import KeysetChanges
from tap_crm.reading.pages_backwards import BackwardReader
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.shaping.schema import DELETED_AT
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.contract.stream import Reading
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Item
    from tap_crm.reading.answer import Continuation
    from tap_crm.reading.listing import Bound
    from tap_crm.transport.question import Reply

PAGE_SIZE = 200  # the largest that is documented
USUAL_SIZE = 20  # what Copper gives without being asked for a number
REACH = 100_000


class _SearchRow(msgspec.Struct, frozen=True):
    """The fields of a record that decide how it is read; times may come in any form."""

    id: int
    date_modified: int | float | str | None = None
    date_created: int | float | str | None = None
    activity_date: int | float | str | None = None


_ROWS = msgspec.json.Decoder(list[_SearchRow])


def total_of(headers: Mapping[str, str]) -> int | None:
    """Return Copper's upper bound of the number of records, None where it sends none."""
    text = headers.get("X-PW-TOTAL", "").strip()
    return int(text) if text.isdecimal() else None


def page_at(position: int, most: int) -> tuple[int, int]:
    """Return number and size of a page, half of ``most`` or more, that begins at a position or just before it."""
    sizes = range(most, most // 2, -1)
    size = min(sizes, key=lambda size: position % size)
    return position // size + 1, size


class _LargestPage:
    """How many rows the CRM was seen to give at most: it may give less than it is asked for, page by page."""

    def __init__(self) -> None:
        self.rows = 0

    def size(self, wanted: int) -> int:
        """Return a page size by which positions can be counted."""
        return min(wanted, max(self.rows, USUAL_SIZE)) if self.rows else wanted


@dataclass(frozen=True, slots=True)
class SearchListing:
    """One object's search.

    Attributes:
        label: the stream's name.
        path: such as ``/people/search``.
        reading: who asks.
        times: the record's fields by which the search can be bounded and sorted.
        filters: the filters' names by field: ``modified_date`` for ``minimum_modified_date`` and ``maximum_…``.
        body: parameters sent with every question.
        ascending: False for activities, which come newest first and cannot be sorted.
        margin: seconds to ask for beyond both bounds: "earliest" and "latest" date are documented, not whether these
            are part of what is asked for.
    """

    label: str
    path: str
    reading: Reading
    times: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    ascending: bool = True
    page_size: int = PAGE_SIZE
    reach: int | None = REACH
    tells_end: bool = False
    knows_until: bool = True
    margin: int = 0
    _largest: _LargestPage = field(default_factory=_LargestPage)

    def orders(self, by: str) -> tuple[str, ...]:
        """Return the ways to list by a time; names show other records first where many share one second."""
        return (by, f"-{by}", "name", "-name") if self.ascending else (by,)

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        """Return what lies in the bounds, from the position ``after`` on, or from a little before it."""
        position = int(after or 0)
        number, size = page_at(position, self._largest.size(self.page_size)) if position else (1, self.page_size)
        limits: dict[str, Any] = {}
        for bound in bounds:
            if bound.low is not None:
                limits[f"minimum_{self.filters[bound.time]}"] = bound.low - self.margin
            if bound.high is not None:
                limits[f"maximum_{self.filters[bound.time]}"] = bound.high + self.margin
        return self._page(limits, order, number, size)

    def ask_page(self, number: int, size: int, order: str | None) -> Answer:
        """Return a page of the whole search."""
        return self._page({}, order, number, size)

    def ask_for(self, ids: Sequence[int]) -> Answer:
        """Return the records with these ids, as many as a page holds."""
        return self._page({"ids": list(ids)}, None, 1, self.page_size)

    def _page(self, limits: Mapping[str, Any], order: str | None, number: int, size: int) -> Answer:
        body: dict[str, Any] = {**self.body, **limits, "page_number": number, "page_size": size}
        if order is not None and self.ascending:
            direction = "desc" if order.startswith("-") else "asc"
            body |= {"sort_by": order.removeprefix("-"), "sort_direction": direction}
        question = Question("POST", self.path, f"{self.label}, page {number}", body=body)
        start = (number - 1) * size
        answer: Answer = self.reading.ask(question, lambda reply: self._parse(reply, start, size))
        return answer

    def _parse(self, reply: Reply, start: int, size: int) -> Answer:
        rows, total = self.rows_of(reply.body), total_of(reply.headers)
        self._largest.rows = max(self._largest.rows, len(rows))
        after = self._after(len(rows), total, start, size)
        return Answer(rows, reply.body, after, total, size, reply.server_time, start, times=self.times)

    def _after(self, given: int, total: int | None, start: int, size: int) -> int | None:
        """Return the position to go on from, None where the count says that there is none.

        A page may be short since the CRM gives no more than so many rows, or since it filters them after the search.
        A full one is not the last on the word of the count alone, which may be that of the page, or of a cap.
        """
        gives_less = USUAL_SIZE <= given == self._largest.rows < size
        end = start + (given if gives_less else size)
        if total is None:
            return None if start and not given else end
        return end if end < total or given >= size else None

    def rows_of(self, body: bytes) -> tuple[Row, ...]:
        """Return key and times of each record in a page."""
        return rows_of(body, self.times)


def rows_of(body: bytes, times: Sequence[str]) -> tuple[Row, ...]:
    """Return key and times of each record in a JSON array."""
    return tuple(
        Row(record.id, tuple([to_epoch(getattr(record, time)) for time in times])) for record in _ROWS.decode(body)
    )


#: Parameters that are always sent. Without this one a converted lead just vanishes (developer.copper.com:
#: leads/convert-a-lead).
_ALWAYS: Mapping[str, Mapping[str, Any]] = {"leads": {"include_converted_leads": True}}


def listing_of(reading: Reading, entity: str) -> SearchListing:
    """Return the search of an object that is read by its change time."""
    own = reading.spec.name
    return SearchListing(
        label=own if own == entity else f"{own}: {entity}",
        path=f"/{entity}/search",
        reading=reading,
        times=("date_modified", "date_created"),
        filters={"date_modified": "modified_date", "date_created": "created_date"},
        body=_ALWAYS.get(entity, {}),
    )


def changes_of(listing: SearchListing, reading: Reading, emit: Emit, ledger: Ledger) -> KeysetChanges:
    """Return what reads an object by its change time."""
    return KeysetChanges(
        listing=listing,
        by="date_modified",
        along="date_modified",
        emit=emit,
        ledger=ledger,
        splits=("date_created",),
        lanes=reading.lanes,
        pages=listing,
        wider=replace(listing, margin=1),
        concludes=reading.concludes,
    )


@dataclass(frozen=True, slots=True)
class Search:
    """A stream read by an object's search, incrementally by its change time.

    Attributes:
        entity: the object in the path: ``people`` for ``/people/search``.
    """

    entity: str

    def read(self, reading: Reading) -> None:
        """Read what changed since the bookmark."""
        changes = changes_of(listing_of(reading, self.entity), reading, reading.emit, reading.ledger)
        reading.emit(Checkpoint(changes.read(reading.since)))

    def probe(self, reading: Reading) -> None:
        """Ask for one record."""
        probe(reading, f"/{self.entity}/search")

    def newest(self, reading: Reading) -> Newest:
        """Ask for the records that were modified last; no filter, since one that does not work would hide them."""
        return _newest_of(listing_of(reading, self.entity).ask_page(1, USUAL_SIZE, "-date_modified"))


def _newest_of(answer: Answer, count: int | None = None) -> Newest:
    at = max((time for row in answer.rows if (time := row.times[0]) is not None), default=None)
    return Newest(frozenset((row.key, row.times) for row in answer.rows), at, count)


@dataclass(frozen=True, slots=True)
class ActivitySearch:
    """Activities: bounded by ``activity_date`` only, which people edit and which may lie in the future.

    developer.copper.com: activities/list-activities-search. No sort is documented, so none is sent.
    """

    def read(self, reading: Reading) -> None:
        """Read what is dated since the bookmark, less the look-back; whatever lies in the future too."""
        listing = SearchListing(
            label=reading.spec.name,
            path="/activities/search",
            reading=reading,
            times=("activity_date", "date_created"),
            filters={"activity_date": "activity_date"},
            ascending=False,
        )
        complete = KeysetChanges(
            listing=listing,
            by="activity_date",
            along="activity_date",
            emit=_telling_stubs(reading),
            ledger=reading.ledger,
            lanes=reading.lanes,
            pages=listing,
            wider=replace(listing, margin=1),
            concludes=reading.concludes,
            steps=reading.in_steps,
        ).read(reading.since)
        reading.emit(Checkpoint(complete))

    def probe(self, reading: Reading) -> None:
        """Ask for one record."""
        probe(reading, "/activities/search")

    def newest(self, reading: Reading) -> Newest:
        """Ask for those that are dated last.

        One that is dated earlier than these is seen by the count only, which Copper calls an estimate; an edit of one
        is not seen.
        """
        listing = SearchListing(
            label=reading.spec.name,
            path="/activities/search",
            reading=reading,
            times=("date_modified", "activity_date"),
            ascending=False,
        )
        answer = listing.ask_page(1, USUAL_SIZE, None)
        return _newest_of(answer, answer.total)


def _telling_stubs(reading: Reading) -> Emit:
    """Return an emit that gives deleted activities the time at which that was seen.

    Copper keeps an id of a deleted activity, and nothing else (developer.copper.com: activities). A complete read
    leaves it out: what that does not find is gone.
    """

    def emit(item: Item) -> None:
        gone = deleted_stubs(item, reading.transport.clock.now()) if isinstance(item, Page) else []
        if not isinstance(item, Page) or not gone:
            reading.emit(item)
            return
        known = {record["id"] for record in gone}
        records = replace(item, keep=None).decoded()
        living = [at for at in item.kept(range(len(records))) if records[at]["id"] not in known]
        if living:
            reading.emit(replace(item, keep=living))
        if not reading.concludes:
            reading.ledger.add(deletions=len(gone))
            reading.emit(Page(records=gone))

    return emit


def deleted_stubs(page: Page, now: float) -> list[dict[str, Any]]:
    """Return what a page has of deleted records, each with the time at which that was seen, in epoch seconds."""
    if page.body is None or b'"is_deleted"' not in page.body:
        return []
    gone = [record for record in page.decoded() if record.get("is_deleted") is True]
    return [record | {DELETED_AT: from_epoch(int(now))} for record in gone]


@dataclass(frozen=True, slots=True)
class SearchPages:
    """A search without any date: read whole, page by page (users)."""

    entity: str

    def read(self, reading: Reading) -> None:
        """Read every page."""
        listing = SearchListing(label=reading.spec.name, path=f"/{self.entity}/search", reading=reading)
        BackwardReader(listing, reading.emit, reading.ledger).read()

    def probe(self, reading: Reading) -> None:
        """Ask for one record."""
        probe(reading, f"/{self.entity}/search")


def probe(reading: Reading, path: str) -> None:
    """Ask a search for one record, to see whether the key may use it."""
    question = Question("POST", path, reading.spec.name, body={"page_number": 1, "page_size": 1})
    reading.ask(question, _a_list)


def _a_list(reply: Reply) -> None:
    if not isinstance(msgspec.json.decode(reply.body), list):
        raise Doubtful("the answer is no list")
