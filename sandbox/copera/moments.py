"""Times in milliseconds since 1970 as Copera writes them, and the ids that begin with their creation second."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (a moment without a zone is written faster; the Z is added)
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")


def text_of(moment: int) -> str:
    """Write a moment as an answer has it: UTC, milliseconds, `Z`."""
    return (_EPOCH + timedelta(milliseconds=moment)).isoformat(timespec="milliseconds") + "Z"


def date_of(moment: int) -> str:
    """Write only the day of a moment."""
    return text_of(moment)[:10]


def moment_of(text: str) -> int:
    """Read an ISO date or date-time; without a zone it is UTC. ValueError for anything else."""
    read = datetime.fromisoformat(text)
    read = read if read.tzinfo else read.replace(tzinfo=UTC)
    return round(read.timestamp() * 1_000)


def object_id(moment: int, rng: Random) -> str:
    """Make an ObjectId: eight hex digits of the creation second, then sixteen more."""
    return f"{moment // SECOND:08x}{rng.getrandbits(64):016x}"


def is_object_id(text: str) -> bool:
    """Whether a text has the form of an ObjectId."""
    return _OBJECT_ID.fullmatch(text) is not None
