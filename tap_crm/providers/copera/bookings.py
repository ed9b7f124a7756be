"""Bookings, their types, and notifications: lists by cursor, in one answer, or by the id of the last record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_crm.contract.newest import Newest
from tap_crm.messages import Page, Row
from tap_crm.providers.common.records import Record, decoded, encoded, records_in, with_keys
from tap_crm.providers.common.whole_list import ask_twice_if_empty
from tap_crm.providers.copera.answers import get, some_list
from tap_crm.reading.answer import Answer
from tap_crm.reading.cursor import CursorReader
from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tap_crm.contract.stream import Reading
    from tap_crm.reading.answer import Continuation
    from tap_crm.transport.question import Reply

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class _BookingsList:
    """Keyset pages, newest first; the name of the list in the answer is not documented."""

    reading: Reading
    label: str = "bookings"
    size: int = PAGE_SIZE

    def ask_after(self, cursor: Continuation | None) -> Answer:
        """Return the bookings behind a cursor."""
        params: dict[str, str | int] = {"limit": self.size}
        if cursor is not None:
            params["cursor"] = cursor
        answer: Answer = self.reading.ask(get("/bookings", self.label, params), self._parse)
        return answer

    def _parse(self, reply: Reply) -> Answer:
        body = decoded(reply)
        records = with_keys(some_list(body), "uid")
        after = (body.get("nextCursor") if isinstance(body, dict) else None) or None
        rows = tuple(Row(record["uid"], ()) for record in records)
        return Answer(rows, encoded(records), after, None, self.size, reply.server_time)


class Bookings:
    """The stream ``bookings``."""

    def read(self, reading: Reading) -> None:
        """Read page after page."""
        listing, lists = _BookingsList(reading), reading.lists
        CursorReader(listing, reading.emit, reading.ledger, lists.is_doubtful(), lists.is_short).read()

    def probe(self, reading: Reading) -> None:
        """Ask for one booking."""
        _BookingsList(reading, size=1).ask_after(None)

    def newest(self, reading: Reading) -> Newest:
        """Ask for the first page: the newest bookings, with what a change of one moves."""
        question = get("/bookings", reading.spec.name, {"limit": PAGE_SIZE})
        records = reading.ask(question, lambda reply: with_keys(some_list(decoded(reply)), "uid"))
        return Newest(
            frozenset(tuple(str(record.get(name)) for name in ("uid", "status", "start", "end")) for record in records)
        )


def booking_types(body: Any) -> list[Record]:  # noqa: ANN401 - any JSON
    """Return the types of bookings, in a list that has no documented name; some call their id otherwise."""
    return [{"_id": record.get("id"), **record} for record in some_list(body)]


class Notifications:
    """The stream ``notifications``: what the token's owner was told.

    Copera's guides disagree on the direction of ``after`` and ``before``; the order of the first page decides.
    """

    def read(self, reading: Reading) -> None:
        """Read page after page until one brings nothing new."""
        seen: set[str] = set()
        further = self._walk(reading, {}, seen)
        if further is not None:
            self._walk(reading, further, seen)  # what the other guide says is the way on: nearly always nothing new

    def _walk(self, reading: Reading, params: Mapping[str, str], seen: set[str]) -> dict[str, str] | None:
        """Read on until a page brings nothing new; return how the other guide would go on from there."""
        other: dict[str, str] | None = None
        while True:
            question = get("/notifications/", "notifications", params)
            records = ask_twice_if_empty(reading, question, _notifications, lambda found: not _new(found, seen))
            new = _new(records, seen)
            if not new:
                return other
            seen.update(record["_id"] for record in new)
            reading.ledger.add(distinct=len(new))
            reading.emit(Page(records=new))
            ids = [record["_id"] for record in records]
            ascending = ids[0] < ids[-1]  # ids begin with the second of their creation
            if "after" in params if params else ascending:
                params, other = {"after": ids[-1]}, {"before": min(ids)}
            else:
                params, other = {"before": min(ids)}, {"after": ids[-1]}

    def probe(self, reading: Reading) -> None:
        """Ask for the first page."""
        reading.ask(get("/notifications/", "notifications"), _notifications)


def _new(records: Sequence[Record], seen: AbstractSet[str]) -> list[Record]:
    """Return the records that were not seen. Where there are none, the list ends, or a page came once more."""
    return [record for record in records if record["_id"] not in seen]


def _notifications(reply: Reply) -> list[Record]:
    body = decoded(reply)
    if not isinstance(body, dict):
        raise Doubtful("the answer is not the documented list")
    return records_in(body.get("notifications"), "_id")
