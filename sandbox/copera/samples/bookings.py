"""Makes bookings and booking types."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copera.moments import DAY, HOUR, MINUTE, SECOND, object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record

STATUSES = ("PENDING", "CONFIRMED", "DECLINED", "CANCELLED", "COMPLETED")


def booking_type(n: int, moment: int, rng: Random) -> Record:
    """Make a booking type."""
    return {"_id": object_id(moment, rng), "title": f"Gespräch {n}", "durationMinutes": 15 * (n % 4 + 1)}


def booking(n: int, start: int, kinds: list[Record], members: list[str], rng: Random) -> Record:
    """Make a booking that starts at a moment."""
    kind = kinds[n % len(kinds)]
    name = rng.choice(sample_texts.FIRST_NAMES)
    return {
        "id": object_id(start - 9 * DAY, rng),
        "uid": f"bk_{base64.b64encode(rng.randbytes(18), b'aZ').decode()}",
        "status": STATUSES[n % 5],
        "bookingTypeId": kind["_id"],
        "bookingTypeTitle": kind["title"],
        "start": text_of(start),
        "end": text_of(start + kind["durationMinutes"] * MINUTE),
        "durationMinutes": kind["durationMinutes"],
        "timezoneAtBooking": rng.choice(("Europe/Zurich", "America/New_York")),
        "hosts": [{"userId": rng.choice(members), "role": "organizer"}],
        "booker": {"name": name, "email": f"b{n}@example.com", "phone": None, "timezone": "UTC", "locale": "de-CH"},
        "guests": [] if n % 3 else [{"email": "guest@example.com"}],
        "answers": [{"questionId": object_id(start, rng), "label": "Warum?", "value": rng.choice(sample_texts.NOTES)}],
        "location": {"type": "whereby", "url": "https://example.com/r"} if n % 2 else {"type": "phone"},
    }


def start_of(n: int, shape: Shape, rng: Random) -> int:
    """Draw a booking's start: up to 30 days ahead, several at one moment."""
    day = shape.now * SECOND - shape.now * SECOND % HOUR
    return day + (30 - n // 3) * DAY + (rng.randrange(9) * HOUR if n % 3 else 0)
