"""Makes files and folders of the drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copera.moments import object_id, text_of
from sandbox.copera.samples.trees import CHAIN

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record

_KINDS = (("application/pdf", ".pdf"), ("image/png", ".png"), ("text/csv", ".csv"), ("text/markdown", ".md"))


def drive_file(n: int, created: int, updated: int, owner: str, rng: Random) -> Record:
    """Make a file or folder without its place; every third one and the first are folders."""
    made: Record = {
        "_id": object_id(created, rng),
        "name": f"{rng.choice(sample_texts.PROJECTS)} {n}",
        "owner": owner,
        "type": "folder" if n % 3 == 0 or n <= CHAIN // 2 else "file",
        "createdAt": text_of(created),
        "updatedAt": text_of(updated),
    }
    if made["type"] == "file":
        mime, ending = _KINDS[n % len(_KINDS)]
        made |= {"name": made["name"] + ending, "mimeType": mime, "size": rng.choice((0, 17, 1_048_576, 5_000_000_000))}
    return made
