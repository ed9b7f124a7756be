"""Copper's ``POST /{object}/search`` as a listing (developer.copper.com: introduction/pagination, each search page).

All filters are ANDed, dates are epoch seconds and both ends inclusive; ``X-PW-TOTAL`` is an upper bound; only the
first 100,000 records of a search are given, silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.reading.changes import ChangeReader
from tap_crm.reading.listing import Answer, Row
from tap_crm.reading.page import Page
from tap_crm.reading.pages import read_pages
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.shaping.schema import DELETED_AT
from tap_crm.transport.session import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.declare import Reading
    from tap_crm.reading.listing import Bound
    from tap_crm.reading.page import Emit, Item
    from tap_crm.transport.session import Reply

PAGE_SIZE = 200  # the largest that is documented
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


@dataclass(frozen=True, slots=True)
class SearchListing:
    """One object's search.

    Attributes:
        label: the stream's name.
        path: such as ``/people/search``.
        reading: who asks.
        times: the record's fields by which the search can be bounded and sorted; the version of a record is in
            them too, so that a changed record is not taken for one that was read.
        filters: the filters' names by field: ``modified_date`` for ``minimum_modified_date`` and ``maximum_…``.
        body: parameters sent with every question.
        ascending: False for activities, which come newest first and cannot be sorted.
    """

    label: str
    path: str
    reading: Reading
    times: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    ascending: bool = True
    page_size: int = PAGE_SIZE
    reach: int = REACH

    def ask(self, bounds: tuple[Bound, ...], order: str | None, page: int) -> Answer:
        """Return one page of what lies in the bounds."""
        body: dict[str, Any] = {**self.body, "page_number": page, "page_size": self.page_size}
        if order is not None and self.ascending:
            body |= {"sort_by": order, "sort_direction": "asc"}
        for bound in bounds:
            if bound.low is not None:
                body[f"minimum_{self.filters[bound.time]}"] = bound.low
            if bound.high is not None:
                body[f"maximum_{self.filters[bound.time]}"] = bound.high
        question = Question("POST", self.path, f"{self.label}, page {page}", body=body)
        answer: Answer = self.reading.ask(question, self._parse)
        return answer

    def _parse(self, reply: Reply) -> Answer:
        return Answer(self.rows_of(reply.body), reply.body, total_of(reply.headers), reply.server_time)

    def rows_of(self, body: bytes) -> tuple[Row, ...]:
        """Return key and times of each record in a page."""
        return tuple(
            Row(record.id, tuple(to_epoch(getattr(record, time)) for time in self.times))
            for record in _ROWS.decode(body)
        )


@dataclass(frozen=True, slots=True)
class Search:
    """A stream read by an object's search, incrementally by its change time.

    Attributes:
        entity: the object in the path: ``people`` for ``/people/search``.
        body: parameters sent with every question.
    """

    entity: str
    body: Mapping[str, Any] = field(default_factory=dict)

    def listing(self, reading: Reading) -> SearchListing:
        """Return the object's search."""
        return SearchListing(
            label=reading.spec.name,
            path=f"/{self.entity}/search",
            reading=reading,
            times=("date_modified", "date_created"),
            filters={"date_modified": "modified_date", "date_created": "created_date"},
            body=self.body,
        )

    def read(self, reading: Reading) -> None:
        """Read what changed since the bookmark."""
        ChangeReader(
            listing=self.listing(reading),
            by="date_modified",
            created="date_created",
            emit=reading.emit,
            ledger=reading.ledger,
            lanes=reading.lanes,
            settles=reading.concludes,
        ).read(reading.since)

    def probe(self, reading: Reading) -> None:
        """Ask for one record."""
        probe(reading, f"/{self.entity}/search")


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
            times=("activity_date", "date_modified"),
            filters={"activity_date": "activity_date"},
            ascending=False,
        )
        ChangeReader(
            listing=listing,
            by="activity_date",
            created=None,
            emit=_telling_stubs(reading),
            ledger=reading.ledger,
            lanes=reading.lanes,
            settles=reading.concludes,
        ).read(reading.since)

    def probe(self, reading: Reading) -> None:
        """Ask for one record."""
        probe(reading, "/activities/search")


_RECORDS = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)


def _telling_stubs(reading: Reading) -> Emit:
    """Return an emit that gives deleted activities the time at which that was seen.

    Copper keeps an id of a deleted activity, and nothing else (developer.copper.com: activities). A complete read
    leaves it out: what that does not find is gone.
    """

    def emit(item: Item) -> None:
        if not isinstance(item, Page) or item.body is None or b'"is_deleted"' not in item.body:
            reading.emit(item)
            return
        records = _RECORDS.decode(item.body)
        kept = range(len(records)) if item.keep is None else item.keep
        living = [at for at in kept if records[at].get("is_deleted") is not True]
        now = from_epoch(int(reading.transport.clock.now()))
        gone = [records[at] | {DELETED_AT: now} for at in kept if records[at].get("is_deleted") is True]
        if living:
            reading.emit(Page(body=item.body, keep=living))
        if gone and not reading.concludes:
            reading.ledger.add(deletions=len(gone))
            reading.emit(Page(records=gone))

    return emit


@dataclass(frozen=True, slots=True)
class SearchPages:
    """A search without any date: read whole, page by page (users)."""

    entity: str

    def read(self, reading: Reading) -> None:
        """Read every page."""
        listing = SearchListing(label=reading.spec.name, path=f"/{self.entity}/search", reading=reading)
        read_pages(listing, reading.emit, reading.ledger)

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
