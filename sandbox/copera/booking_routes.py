"""Answers requests for bookings and booking types."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from sandbox.copera.moments import moment_of
from sandbox.copera.parameters import CheckedRequest, invalid
from sandbox.exchange import Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copera.service import Service
    from sandbox.exchange import Answer, Record


def bookings(service: Service, asked: CheckedRequest) -> Answer:
    """Give a page of the bookings, newest start first."""
    _available(service)
    given, knobs = asked.given, service.behaviour
    found = [
        one
        for one in service.account.lists["bookings"].values()
        if all(given[key] in (None, one[key]) for key in ("status", "bookingTypeId"))
        and (given["from"] is None or moment_of(one["start"]) >= given["from"])
        and (given["to"] is None or moment_of(one["start"]) <= given["to"])
    ]
    found.sort(key=_place, reverse=True)
    if not knobs.bookings_envelope:
        return encoded(found)
    if given["cursor"]:
        place = _read_cursor(given["cursor"])
        found = [one for one in found if _place(one) < place]
    page = found[: given["limit"]]
    body: Record = {knobs.bookings_envelope: page}
    if len(found) > len(page):
        body["nextCursor"] = base64.urlsafe_b64encode("\n".join(_place(page[-1])).encode()).decode()
    elif knobs.last_cursor == "null":
        body["nextCursor"] = None
    return encoded(body)


def booking(service: Service, asked: CheckedRequest) -> Answer:
    """Give one booking."""
    _available(service)
    found = service.account.lists["bookings"].get(asked.path["uid"])
    if not found:
        raise Refusal(404, "Booking not found")
    return encoded(found)


def booking_types(service: Service, _: CheckedRequest) -> Answer:
    """Give all booking types."""
    _available(service)
    found, name = list(service.account.lists["booking_types"].values()), service.behaviour.booking_types_envelope
    return encoded({name: found} if name else found)


def _available(service: Service) -> None:
    if service.behaviour.bookings == "404":
        raise Refusal(404, "Route not found")


def _place(record: Record) -> tuple[str, str]:
    return record["start"], record["uid"]


def _read_cursor(cursor: str) -> tuple[str, str]:
    try:
        start, uid = base64.urlsafe_b64decode(cursor).decode().split("\n")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid("cursor") from None
    return start, uid
