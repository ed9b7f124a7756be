"""`GET /event/`: newest first, certain filters only, paged by a cursor."""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING

import msgspec

from sandbox.close.behaviour import named
from sandbox.close.moments import HOUR
from sandbox.close.parameters import SINGLE, CheckedParameters, Parameters, invalid, read, refused, with_fields
from sandbox.close.table import FOREVER, Row
from sandbox.exchange import Answer, Record, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.close.service import Service
    from sandbox.exchange import Request

_FILTERS = ("object_type", "object_id", "action", "lead_id", "user_id", "request_id")
_COMBINATIONS = {
    frozenset(one.split())
    for one in (
        "",
        "object_type object_id",
        "object_type action",
        "object_id action",
        "lead_id",
        "lead_id object_type",
        "lead_id object_type action",
        "lead_id user_id",
        "lead_id user_id object_type",
        "lead_id user_id object_type action",
        "user_id",
        "user_id object_id",
        "user_id object_id action",
        "user_id object_type",
        "user_id object_type action",
        "request_id",
    )
}
_PARAMETERS = Parameters(frozenset({*_FILTERS, "_cursor"}), frozenset({"date_updated"}), page=frozenset({"_limit"}))


class Place(msgspec.Struct, array_like=True):
    """Where a page begins: after this event, in this direction, with these filters."""

    updated: int
    number: str
    upwards: bool
    filters: dict[str, str]
    turn: int = 0
    """Makes tokens differ that lead to the same place."""


def event(service: Service, request: Request, number: str) -> Answer:
    """Answer a single event."""
    asked = read("event", request, SINGLE, service.behaviour)
    service.account.log.table.settle(time.monotonic())
    row = service.account.log.table.seen(number)
    if row is None or row.updated < service.account.horizon():
        raise Refusal(404, "Event not found")
    return encoded(_shaped(service, row, asked))


def events(service: Service, request: Request) -> Answer:
    """Answer a page of the log."""
    asked = read("event", request, _PARAMETERS, service.behaviour)
    if "date_updated" in request.query:
        raise invalid("date_updated", "Unknown parameter.")
    if "_limit" not in request.query:
        asked.limit = asked.cap
    if asked.limit < 1:
        raise invalid("_limit", "Value must be greater than or equal to 1.")
    asked.limit = min(asked.limit, asked.cap)
    filters = {name: value for name, value in asked.given.items() if name != "_cursor"}
    if frozenset(filters) not in _COMBINATIONS:
        raise refused(f"This combination of filters is not supported: {', '.join(sorted(filters))}.")
    place = _place(request.query.get("_cursor"), filters)
    honoured = place is None or service.behaviour.event_bounds == "honoured"
    if named(service.behaviour.ignored_filters, "event"):
        filters = {}
    rows = _found(service, filters, asked.bounds.get("date_updated") if honoured else None)
    return _page(service, rows, place, filters, asked)


def _found(service: Service, filters: dict[str, str], bounds: tuple[int, int] | None) -> list[Row]:
    """Give what shows of the log, newest first."""
    table = service.account.log.table
    table.settle(time.monotonic())
    low, high = bounds or (-FOREVER, FOREVER)
    entries = table.between("updated", max(low, service.account.horizon()), high, lagging=True)
    rows = [row for _, number in reversed(entries) if (row := table.seen(number))]
    for name, value in filters.items():
        attribute = "kind" if name == "object_type" else name
        rows = [row for row in rows if getattr(row, attribute) == value]
    return rows


def _shaped(service: Service, row: Row, asked: CheckedParameters) -> Record:
    record: Record = msgspec.json.decode(row.raw)
    if not service.behaviour.admin_key and row.updated < service.account.now() - HOUR:
        record = {key: value for key, value in record.items() if key not in ("data", "previous_data")}
    return with_fields(record, asked.fields)


def _page(
    service: Service, rows: list[Row], place: Place | None, filters: dict[str, str], asked: CheckedParameters
) -> Answer:
    first = 0
    if place:
        key = (place.updated, place.number)
        first = sum(1 for row in rows if (row.updated, row.id) >= key)
        if place.upwards:
            first = max(0, sum(1 for row in rows if (row.updated, row.id) > key) - asked.limit)
    page = rows[first : first + asked.limit]
    following = _token(page[-1], filters) if page and first + len(page) < len(rows) else None
    if named(service.behaviour.stuck, "event"):
        page = rows[: asked.limit]
    if named(service.behaviour.endless, "event") and rows:
        service.endless_cursors += 1
        following = _token(page[-1] if page else rows[-1], filters, turn=service.endless_cursors)
    body: Record = {
        "data": [_shaped(service, row, asked) for row in page],
        "cursor_next": following,
        "cursor_previous": _token(page[0], filters, upwards=True) if page and first else None,
    }
    return encoded(body)


def _token(row: Row, filters: dict[str, str], *, upwards: bool = False, turn: int = 0) -> str:
    place = Place(row.updated, row.id, upwards, filters, turn)
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _place(token: str | None, filters: dict[str, str]) -> Place | None:
    if token is None:
        return None
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(token), type=Place)
    except (binascii.Error, ValueError):
        raise invalid("_cursor", "Invalid cursor.") from None
    if place.filters != filters:
        raise invalid("_cursor", "Invalid cursor: it belongs to other filters.")
    return place
