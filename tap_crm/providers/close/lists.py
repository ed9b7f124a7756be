"""Close's lists: `_limit` and `_skip`, some of them bounded and ordered by times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from tap_crm import errors
from tap_crm.messages import Checkpoint
from tap_crm.providers.close.answers import USUAL_SIZE, ask_page, check_fields, get, list_answer, time_filters
from tap_crm.providers.close.deletions import ToldDeletions, told_until
from tap_crm.providers.close.events import log_is_silent
from tap_crm.reading.keyset_changes import KeysetChanges
from tap_crm.reading.offset import OffsetReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.reading.answer import Answer, Continuation
    from tap_crm.reading.listing import Bound
    from tap_crm.transport.question import Question, Reply


@dataclass(frozen=True, slots=True)
class ListListing:
    """One list of Close, for reading by times or by position.

    Attributes:
        reading: who asks.
        path: such as ``/opportunity/``.
        times: the record's fields by which the list can be bounded.
        size: rows of a page; None where the list's pages are what Close makes them, and `_limit` is not sent.
        params: parameters sent with every question.
        ordered: whether `_order_by` takes the names of times.
        ascending: False where the list comes newest first.
        key: the field that tells records apart.
        label: for messages.
    """

    reading: Reading
    path: str
    times: tuple[str, ...] = ()
    size: int | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)
    ordered: bool = False
    ascending: bool = True
    key: str = "id"
    label: str = ""
    reach: int | None = None
    tells_end: bool = True
    knows_until: bool = True

    def orders(self, by: str) -> tuple[str, ...]:
        """Return the ways to list by a time."""
        return (by, f"-{by}") if self.ordered else (by,)

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        """Return the records in the bounds, from the position ``after`` on."""
        params = {**self.params, **time_filters(bounds)}
        if self.ordered:
            params["_order_by"] = order
        return self._page(params, int(after or 0))

    def ask_from(self, skip: int) -> Answer:
        """Return records from a position on."""
        return self._page(dict(self.params), skip)

    def _page(self, params: dict[str, str | int], skip: int) -> Answer:
        label = self.label or self.reading.spec.name

        def without() -> Question:
            paging: dict[str, str | int] = {"_skip": skip} if skip else {}
            return get(self.path, f"{label}, from row {skip + 1}", params | paging)

        def build(asked: int) -> Question:
            question = without()
            if self.size is None and asked >= USUAL_SIZE:
                return question
            return replace(question, params={**question.params, "_limit": asked})

        def parse(reply: Reply, asked: int) -> Answer:
            if "_fields" in params:
                check_fields(reply.body, frozenset(str(params["_fields"]).split(",")))
            return list_answer(reply, asked, skip, self.times, self.key)

        answer: Answer = ask_page(
            self.reading,
            self.path,
            self.size or USUAL_SIZE,
            build,
            parse,
            at_start=not skip,
            without=without,
        )
        return answer


@dataclass(frozen=True, slots=True)
class ChangeList:
    """A stream from a list that can be bounded by the change time.

    Attributes:
        object_type: how the types of these objects begin in the event log.
        along: the time by which the list can be ordered; `/task/` knows only the creation.
    """

    path: str
    object_type: str
    along: str = "date_updated"
    size: int = USUAL_SIZE
    params: Mapping[str, str | int] = field(default_factory=dict)
    reads_event_log: ClassVar[bool] = False

    def read(self, reading: Reading) -> None:
        """Read what changed since the bookmark, and what the event log tells of deletions."""
        told = ToldDeletions(reading, self.object_type)
        listing = ListListing(
            reading,
            self.path,
            ("date_updated", "date_created"),
            self.size,
            self.params,
            ordered=True,
            label=reading.spec.name,
        )
        complete = KeysetChanges(
            listing,
            by=reading.by or "date_updated",
            along=self.along,
            emit=told.watching(reading.emit),
            ledger=reading.ledger,
            splits=("date_created",) if self.along == "date_updated" else (),
            lanes=reading.lanes,
            confirm_empty=lambda: not log_is_silent(reading, self.object_type),
            whole=listing,
            concludes=reading.concludes,
            index_lag=reading.settings.overlap_seconds,
        ).read(reading.since)
        told.emit()
        reading.emit(Checkpoint(told_until(complete, told)))

    def probe(self, reading: Reading) -> None:
        """Ask for one record."""
        ask_one(reading, self.path, self.params)


@dataclass(frozen=True, slots=True)
class WholeList:
    """A stream from a list without any time to bound it by: read whole each run.

    Attributes:
        instead: parameters to ask with where those in ``params`` are refused: one list for each of them.
    """

    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    key: str = "id"
    instead: tuple[Mapping[str, str | int], ...] = ()

    def read(self, reading: Reading) -> None:
        """Read the list."""
        try:
            self._read(reading, self.params)
        except errors.Refused:
            if not self.instead:
                raise
            reading.ledger.note(f"{self.path}: {', '.join(self.params)} refused by the CRM; asked another way")
            for params in self.instead:
                self._read(reading, params)

    def _read(self, reading: Reading, params: Mapping[str, str | int]) -> None:
        listing = ListListing(reading, self.path, params=params, key=self.key)
        lists = reading.lists
        OffsetReader(listing, reading.emit, reading.ledger, lists.is_doubtful(), is_short=lists.is_short).read()

    def probe(self, reading: Reading) -> None:
        """Ask for the first page: many of these lists have no other."""
        ListListing(reading, self.path, key=self.key).ask_from(0)


def ask_one(reading: Reading, path: str, params: Mapping[str, str | int] | None = None) -> None:
    """Ask a list for one record, to see whether the key may read it."""
    question = get(path, reading.spec.name, {**(params or {}), "_limit": 1})
    reading.ask(question, lambda reply: list_answer(reply, 1, 0))
