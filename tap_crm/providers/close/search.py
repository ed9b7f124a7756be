"""Close's ``POST /data/search/`` as a listing (developer.close.com: advanced filtering).

Leads and contacts have no other way to be read by change time. A walk by cursor ends silently after 10,000 objects,
and its cursor dies after half a minute; so a new question begins at the last time seen, and a cursor only leads
through the records of one and the same second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tap_crm import errors
from tap_crm.messages import Checkpoint
from tap_crm.providers.close.answers import DATA, ask_page, envelope_of, moment
from tap_crm.providers.close.deletions import ToldDeletions, told_until
from tap_crm.reading.answer import Answer, Expired
from tap_crm.reading.keyset_changes import KeysetChanges
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from tap_crm.contract.stream import Reading
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit
    from tap_crm.reading.answer import Continuation
    from tap_crm.reading.listing import Bound
    from tap_crm.transport.question import Reply

PATH = "/data/search/"
#: Known to work; more is unproven.
PAGE_SIZE = 200
#: Objects that one walk by cursor gives.
REACH = 10_000
#: What a lead has within it are streams of their own.
NESTED = frozenset({"contacts", "opportunities", "tasks"})
TIMES = ("date_updated", "date_created")
_NO_TIMES = (None, None)


def _field(name: str, object_type: str) -> dict[str, str]:
    return {"type": "regular_field", "object_type": object_type, "field_name": name}


def _condition(bound: Bound, object_type: str) -> dict[str, Any]:
    """Return a bound as a query; whole seconds, since the grain of a ``fixed_utc`` moment is not documented."""
    between: dict[str, Any] = {"type": "moment_range"}
    if bound.low is not None:
        between["on_or_after"] = {"type": "fixed_utc", "value": moment(bound.low)}
    if bound.high is not None:
        between["before"] = {"type": "fixed_utc", "value": moment(bound.high + 1)}
    return {"type": "field_condition", "field": _field(bound.time, object_type), "condition": between}


@dataclass(frozen=True, slots=True)
class SearchListing:
    """All objects of a type, by a time.

    Attributes:
        object_type: ``lead`` or ``contact``.
        fields: what to give of each object; without it there would be ids only.
    """

    reading: Reading
    object_type: str
    fields: tuple[str, ...]
    ascending: bool = True
    times: tuple[str, ...] = TIMES
    reach: int | None = REACH
    tells_end: bool = True
    knows_until: bool = True

    @property
    def label(self) -> str:
        """The stream's name."""
        return self.reading.spec.name

    def orders(self, by: str) -> tuple[str, ...]:
        """Return the ways to list by a time; the others show the other end of ties that one walk cuts off."""
        return (by, f"-{by}", "name", "-name")

    def ask(self, bounds: tuple[Bound, ...], order: str, after: Continuation | None) -> Answer:
        """Return the objects in the bounds, or those behind a cursor."""
        conditions = [_condition(bound, self.object_type) for bound in bounds]
        body: dict[str, Any] = {
            "query": {
                "type": "and",
                "queries": [{"type": "object_type", "object_type": self.object_type}, *conditions],
            },
            "_fields": {self.object_type: list(self.fields)},
            "sort": [
                {
                    "direction": "desc" if order.startswith("-") else "asc",
                    "field": _field(order.removeprefix("-"), self.object_type),
                }
            ],
            "include_counts": True,
        }
        if after is not None:
            body["cursor"] = after
        label = f"{self.label}, from {moment(bounds[-1].low) if bounds and bounds[-1].low is not None else 'the first'}"

        def build(asked: int) -> Question:
            return Question("POST", PATH, label, body={**body, "_limit": asked})

        try:
            answer: Answer = ask_page(self.reading, PATH, PAGE_SIZE, build, self._parse, at_start=after is None)
        except errors.Refused as refusal:
            said = refusal.said.lower()
            if after is not None and "cursor" in said and "expire" in said:
                raise Expired from refusal
            raise
        return answer

    def _parse(self, reply: Reply, asked: int) -> Answer:
        envelope, rows = envelope_of(reply, self.times)
        if any(row.times == _NO_TIMES for row in rows):
            raise Doubtful("a record has no times: `_fields` had no effect, without which there are ids only")
        total = envelope.count.total if envelope.count is not None else None
        after = envelope.cursor or None
        return Answer(rows, reply.body, after, total, asked, reply.server_time, within=DATA, times=self.times)


def changes_of(listing: SearchListing, reading: Reading, emit: Emit, ledger: Ledger) -> KeysetChanges:
    """Return what reads the objects of a type by their change time."""
    return KeysetChanges(
        listing,
        by="date_updated",
        along="date_updated",
        emit=emit,
        ledger=ledger,
        splits=("date_created",),
        lanes=reading.lanes,
        concludes=reading.concludes,
        index_lag=reading.settings.overlap_seconds,
    )


@dataclass(frozen=True, slots=True)
class Search:
    """A stream read by the search, incrementally by its change time."""

    object_type: str
    fields: tuple[str, ...]
    path: ClassVar[str] = PATH
    reads_event_log: ClassVar[bool] = False

    def read(self, reading: Reading) -> None:
        """Read what changed since the bookmark, and what the event log tells of deletions."""
        told = ToldDeletions(reading, self.object_type, NESTED)
        listing = SearchListing(reading, self.object_type, self.fields)
        complete = changes_of(listing, reading, told.watching(reading.emit), reading.ledger).read(reading.since)
        told.emit()
        reading.emit(Checkpoint(told_until(complete, told)))

    def probe(self, reading: Reading) -> None:
        """Ask for one object."""
        body = {
            "query": {"type": "object_type", "object_type": self.object_type},
            "_fields": {self.object_type: ["id"]},
            "_limit": 1,
        }
        reading.ask(Question("POST", PATH, reading.spec.name, body=body), lambda reply: envelope_of(reply, ()))
