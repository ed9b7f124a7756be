"""Makes members and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copera.moments import DAY, object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record

MEMBER_TYPES = ("user", "guest", "integration", "ai", "external")
STATUSES = ("online", "offline", "idle", "invisible")
PICTURE = "https://cdn.example.com/p.png"


def member(n: int, moment: int, rng: Random) -> Record:
    """Make a member; the first is an active user."""
    first, last = sample_texts.FIRST_NAMES, sample_texts.LAST_NAMES
    name = f"{first[n % len(first)]} {last[n * 7 % len(last)]}"
    made: Record = {
        "_id": object_id(moment, rng),
        "name": name,
        "email": f"m{n}@{sample_texts.DOMAINS[n % len(sample_texts.DOMAINS)]}",
        "type": "user" if n % 3 == 0 else MEMBER_TYPES[n % 5],
        "status": STATUSES[n % 4],
        "active": n % 6 != 5,  # noqa: PLR2004
        "createdAt": text_of(moment),
    }
    if n % 2:
        made |= {"picture": PICTURE, "title": sample_texts.TITLES[n % len(sample_texts.TITLES)]}
    return made


def team(n: int, moment: int, members: list[str], rng: Random) -> Record:
    """Make a team; the first is the main one, with everybody."""
    made: Record = {
        "_id": object_id(moment, rng),
        "name": "Everybody" if n == 0 else f"Équipe {n}",
        "main": n == 0,
        "participants": list(members) if n == 0 else rng.sample(members, min(n % 5, len(members))),
        "createdBy": members[0],
        "createdAt": text_of(moment),
        "updatedAt": text_of(moment + n * DAY),
    }
    return made | ({"picture": PICTURE} if n % 2 else {})
