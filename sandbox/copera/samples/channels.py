"""Makes channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copera.moments import DAY, HOUR, object_id, text_of
from sandbox.copera.samples.members import PICTURE

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record

CHANNEL_TYPES = ("category", "text", "voice", "inbox", "classroom", "meeting", "whatsapp")


def channel(n: int, moment: int, members: list[str], teams: list[str], rng: Random) -> Record:
    """Make a channel."""
    made: Record = {
        "_id": object_id(moment, rng),
        "name": f"{rng.choice(sample_texts.PROJECTS)} #{n}",
        "type": CHANNEL_TYPES[n % len(CHANNEL_TYPES)],
        "kind": "dm" if n % 4 == 3 else "group",  # noqa: PLR2004
        "participantUserIds": rng.sample(members, min(n % 4, len(members))),
        "participantTeamIds": rng.sample(teams, 1) if teams and n % 5 == 0 else [],
        "createdBy": rng.choice(members),
        "createdAt": text_of(moment),
        "updatedAt": text_of(moment + n % 90 * HOUR),
    }
    if n % 2:
        made |= {"description": rng.choice(sample_texts.NOTES), "lastMessageAt": text_of(moment + n % 50 * DAY)}
    return made | ({"picture": PICTURE} if n % 3 == 0 else {})
