"""Makes documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import sample_texts
from sandbox.copera.moments import object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record


def document(n: int, created: int, updated: int, owner: str, rng: Random) -> Record:
    """Make a document without its place."""
    made: Record = {
        "_id": object_id(created, rng),
        "title": f"{rng.choice(sample_texts.PROJECTS)} {n}",
        "owner": owner,
        "createdAt": text_of(created),
        "updatedAt": text_of(updated),
    }
    if n % 3 == 0:
        made["icon"] = {"type": "emoji", "value": "📄"}
    elif n % 3 == 1:
        made |= {"icon": None, "cover": {"type": "url", "value": "https://cdn.example.com/c.png"}}
    return made | ({"starred": n % 4 == 0} if n % 2 else {})


def content(n: int, title: str, rng: Random) -> str:
    """Make a document's markdown."""
    if n % 9 == 8:  # noqa: PLR2004
        return ""
    return f"# {title}\n\n{rng.choice(sample_texts.NOTES)}\n\n- [ ] {rng.choice(sample_texts.TASKS)}\n"
