"""Makes comments on rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copera.moments import DAY, object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record

_NOTES = (*sample_texts.NOTES[:4], None)


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
