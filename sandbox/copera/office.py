"""The workspace, its members, teams and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import words
from sandbox.copera.moments import DAY, HOUR, SECOND, object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record

MEMBER_TYPES = ("user", "guest", "integration", "ai", "external")
STATUSES = ("online", "offline", "idle", "invisible")
CHANNEL_TYPES = ("category", "text", "voice", "inbox", "classroom", "meeting", "whatsapp")
_PICTURE = "https://cdn.example.com/p.png"


def workspace(shape: Shape, rng: Random) -> Record:
    """Make the workspace."""
    moment = (shape.now - 5 * 365 * 86_400) * SECOND
    return {
        "_id": object_id(moment, rng),
        "name": "Überseehandel 🌍",
        "slug": "ueberseehandel",
        "description": "",
        "seats": shape.members + 5,
        "createdAt": text_of(moment),
        "updatedAt": text_of(moment + 900 * DAY),
    }


def member(n: int, moment: int, rng: Random) -> Record:
    """Make a member; the first is an active user."""
    name = f"{words.FIRST_NAMES[n % len(words.FIRST_NAMES)]} {words.LAST_NAMES[n * 7 % len(words.LAST_NAMES)]}"
    made: Record = {
        "_id": object_id(moment, rng),
        "name": name,
        "email": f"m{n}@{words.DOMAINS[n % len(words.DOMAINS)]}",
        "type": "user" if n % 3 == 0 else MEMBER_TYPES[n % 5],
        "status": STATUSES[n % 4],
        "active": n % 6 != 5,  # noqa: PLR2004
        "createdAt": text_of(moment),
    }
    if n % 2:
        made |= {"picture": _PICTURE, "title": words.TITLES[n % len(words.TITLES)]}
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
    return made | ({"picture": _PICTURE} if n % 2 else {})


def channel(n: int, moment: int, members: list[str], teams: list[str], rng: Random) -> Record:
    """Make a channel."""
    made: Record = {
        "_id": object_id(moment, rng),
        "name": f"{rng.choice(words.PROJECTS)} #{n}",
        "type": CHANNEL_TYPES[n % len(CHANNEL_TYPES)],
        "kind": "dm" if n % 4 == 3 else "group",  # noqa: PLR2004
        "participantUserIds": rng.sample(members, min(n % 4, len(members))),
        "participantTeamIds": rng.sample(teams, 1) if teams and n % 5 == 0 else [],
        "createdBy": rng.choice(members),
        "createdAt": text_of(moment),
        "updatedAt": text_of(moment + n % 90 * HOUR),
    }
    if n % 2:
        made |= {"description": rng.choice(words.NOTES), "lastMessageAt": text_of(moment + n % 50 * DAY)}
    return made | ({"picture": _PICTURE} if n % 3 == 0 else {})
