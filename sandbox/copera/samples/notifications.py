"""Makes notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copera.moments import DAY, HOUR, object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record


def notification(n: int, moment: int, owner: str, workspace: str, rng: Random) -> Record:
    """Make a notification of the token's user."""
    made: Record = {
        "_id": object_id(moment, rng),
        "type": ("mention", "comment", "row_assigned")[n % 3],
        "owner": owner,
        "workspace": workspace,
        "data": {"text": rng.choice(sample_texts.NOTES), "row": {"number": n}},
        "status": "unread" if n % 3 else "read",
        "createdAt": text_of(moment),
    }
    if n % 3 == 0:
        made |= {"readAt": text_of(moment + HOUR), "updatedAt": text_of(moment + HOUR), "sender": owner}
    if n % 5 == 0:
        made |= {"groupCount": 2, "groupStartedAt": text_of(moment - DAY), "groupSenderIds": [owner]}
    return made
