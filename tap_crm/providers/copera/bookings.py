"""Bookings and notifications: lists by cursor, or by the id of the last record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Page
from tap_crm.providers.copera.answers import Record, ask_twice, decoded, get, records_in, some_list
from tap_crm.reading.no_news import NoNews
from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

PAGE_SIZE = 100


class Bookings:
    """The stream ``bookings``: keyset pages, newest first; the name of the list in the answer is not documented."""

    def read(self, reading: Reading) -> None:
        """Read page after page."""
        cursor: str | None = None
        used: set[str] = set()
        seen: set[str] = set()
        no_news = NoNews(reading.spec.name)
        while True:
            records, cursor = self._ask(reading, cursor, PAGE_SIZE)
            new = [record for record in records if record["uid"] not in seen]
            seen.update(record["uid"] for record in new)
            reading.emit_records(new)
            if cursor is None:
                return
            if cursor in used:
                raise errors.Incomplete("bookings: the CRM's cursor leads back to a page that was read")
            used.add(cursor)
            no_news.heed(is_new=bool(new))

    def _ask(self, reading: Reading, cursor: str | None, size: int) -> tuple[list[Record], str | None]:
        params: dict[str, str | int] = {"limit": size}
        if cursor is not None:
            params["cursor"] = cursor
        return ask_twice(reading, get("/bookings", "bookings", params), _bookings, lambda answer: not answer[0])

    def probe(self, reading: Reading) -> None:
        """Ask for one booking."""
        self._ask(reading, None, 1)


def _bookings(reply: Reply) -> tuple[list[Record], str | None]:
    body = decoded(reply)
    records = records_in(some_list(body), "uid")
    return records, (body.get("nextCursor") if isinstance(body, dict) else None) or None


@dataclass(frozen=True, slots=True)
class UnpagedList:
    """A stream from one answer whose list has no documented name."""

    path: str

    def read(self, reading: Reading) -> None:
        """Read it."""
        reading.emit_records(self._ask(reading))

    def _ask(self, reading: Reading) -> list[Record]:
        return ask_twice(reading, get(self.path, reading.spec.name), _with_ids, lambda found: not found)

    def probe(self, reading: Reading) -> None:
        """Read it: it is one request."""
        self._ask(reading)


def _with_ids(reply: Reply) -> list[Record]:
    records = [{"_id": record.get("id"), **record} for record in some_list(decoded(reply))]
    return records_in(records)


class Notifications:
    """The stream ``notifications``: the token's own feed.

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
            records = ask_twice(reading, question, _notifications, lambda found: not found)
            new = [record for record in records if record["_id"] not in seen]
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


def _notifications(reply: Reply) -> list[Record]:
    body = decoded(reply)
    if not isinstance(body, dict):
        raise Doubtful("the answer is not the documented list")
    return records_in(body.get("notifications"))
