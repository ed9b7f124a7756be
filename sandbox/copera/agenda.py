"""Bookings, booking types, notifications and comments."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from sandbox import words
from sandbox.copera.moments import DAY, HOUR, MINUTE, SECOND, object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record

STATUSES = ("PENDING", "CONFIRMED", "DECLINED", "CANCELLED", "COMPLETED")
_NOTES = (*words.NOTES[:4], None)


def booking_type(n: int, moment: int, rng: Random) -> Record:
    """Make a booking type."""
    return {"_id": object_id(moment, rng), "title": f"Gespräch {n}", "durationMinutes": 15 * (n % 4 + 1)}


def booking(n: int, start: int, kinds: list[Record], members: list[str], rng: Random) -> Record:
    """Make a booking that starts at a moment."""
    kind = kinds[n % len(kinds)]
    name = rng.choice(words.FIRST_NAMES)
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
        "answers": [{"questionId": object_id(start, rng), "label": "Warum?", "value": rng.choice(words.NOTES)}],
        "location": {"type": "whereby", "url": "https://example.com/r"} if n % 2 else {"type": "phone"},
    }


def start_of(n: int, shape: Shape, rng: Random) -> int:
    """Draw a booking's start: up to 30 days ahead, several at one moment."""
    day = shape.now * SECOND - shape.now * SECOND % HOUR
    return day + (30 - n // 3) * DAY + (rng.randrange(9) * HOUR if n % 3 else 0)


def notification(n: int, moment: int, owner: str, workspace: str, rng: Random) -> Record:
    """Make a notification of the token's user."""
    made: Record = {
        "_id": object_id(moment, rng),
        "type": ("mention", "comment", "row_assigned")[n % 3],
        "owner": owner,
        "workspace": workspace,
        "data": {"text": rng.choice(words.NOTES), "row": {"number": n}},
        "status": "unread" if n % 3 else "read",
        "createdAt": text_of(moment),
    }
    if n % 3 == 0:
        made |= {"readAt": text_of(moment + HOUR), "updatedAt": text_of(moment + HOUR), "sender": owner}
    if n % 5 == 0:
        made |= {"groupCount": 2, "groupStartedAt": text_of(moment - DAY), "groupSenderIds": [owner]}
    return made


def comment(n: int, moment: int, author: Record, rng: Random) -> Record:
    """Make a comment on a row."""
    text = rng.choice(_NOTES)
    made: Record = {
        "_id": object_id(moment, rng),
        "content": None if text is None else f"<p>{text}</p>" if n % 2 else text,
        "contentType": "text/html" if n % 2 else "text",
        "visibility": "external" if n % 4 == 3 else "internal",  # noqa: PLR2004
        "author": {
            "_id": author["_id"],
            "name": author["name"] if n % 5 else None,
            "picture": author.get("picture"),
            "email": author["email"] if n % 7 else None,
        },
        "createdAt": text_of(moment),
        "updatedAt": text_of(moment + n % 3 * DAY),
    }
    if n % 6 == 0:
        file = {
            "fileId": object_id(moment, rng),
            "name": "vertrag à jour.pdf",
            "mimeType": "application/pdf",
            "size": 17,
        }
        made["attachment"] = file
    return made
