"""Creates and deletes comments on rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.moments import object_id, text_of
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from sandbox.copera.schema import Row
    from sandbox.copera.workspace import CoperaWorld
    from sandbox.exchange import Record

VISIBILITIES = ("internal", "external")


def create(world: CoperaWorld, row: Row, said: Record, by: str, *, carried: bool) -> Record:
    """Comment on a row; `said` is a content and a visibility."""
    member = world.lists["members"].get(by, {})
    now = world.now()
    author = {"_id": by} | {key: member.get(key) for key in ("name", "picture", "email")}
    made: Record = {"_id": object_id(now, world.rng)} | said | {"contentType": "text/html", "author": author}
    made |= {"createdAt": text_of(now), "updatedAt": text_of(now)}
    if carried:
        world.comments.setdefault(row.id, []).append(made)
        if world.behaviour.markdown_moves_row:
            world.editor.rows.touch(row)
    return made


def delete(world: CoperaWorld, row: Row, number: str, *, carried: bool) -> None:
    """Delete a comment; 404 if the row has none of this id."""
    found = next((one for one in world.comments.get(row.id, ()) if one["_id"] == number), None)
    if found is None:
        raise Refusal(404, "Comment not found")
    if carried:
        world.comments[row.id].remove(found)
