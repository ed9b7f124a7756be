"""Copera tells of bookings, and of nothing else: signed, tried three times."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copera import Shape, copera_app
from tests.sandbox.receiver import Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.copera import CoperaSandbox


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def app(receiver: Receiver) -> Iterator[CoperaSandbox]:
    hook = {"target": receiver.url, "secret": "quiet"}
    app = copera_app(Shape(rows=5, bookings=3), booking_webhooks=[hook], events={"time_scale": 0})
    yield app
    app.close()


def test_bookings_are_told_by_what_became_of_them_and_signed(app: CoperaSandbox, receiver: Receiver) -> None:
    [booking] = app.account.create("bookings", changes={"status": "PENDING"})
    changes: dict[str, Any]
    for changes in ({"status": "CONFIRMED"}, {"start": "2030-01-01T00:00:00.000Z"}, {"hosts": []}, {"answers": []}):
        app.account.edit("bookings", ids=[booking], changes=changes)
    app.account.edit("bookings", ids=[booking], changes={"status": "NO_SHOW"})
    app.deliveries.advance()
    told = ["booking.confirmed", "booking.created", "booking.no_show", "booking.reassigned", "booking.rescheduled"]
    assert sorted(one["event"] for one in receiver.events) == told
    assert sorted(one["x-copera-event"] for one in receiver.headers) == told
    signature = hmac.new(b"quiet", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert receiver.headers[0]["x-copera-signature"] == f"sha256={signature}"
    assert receiver.events[0]["data"]["uid"] == booking


@pytest.mark.parametrize(("statuses", "attempts"), [([500] * 5, 3), ([404] * 5, 1), ([503], 2)])
def test_a_booking_is_tried_three_times_after_errors_of_the_server(
    app: CoperaSandbox, receiver: Receiver, statuses: list[int], attempts: int
) -> None:
    receiver.statuses = list(statuses)
    app.account.create("bookings")
    app.deliveries.advance(600)
    assert len(receiver.bodies) == attempts


def test_rows_are_not_told(app: CoperaSandbox, receiver: Receiver) -> None:
    app.account.edit("Deals")
    app.deliveries.advance(600)
    assert receiver.bodies == []
