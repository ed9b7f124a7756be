"""Creates and deletes comments on rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.moments import object_id, text_of
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from sandbox.copera.schema import Row
    from sandbox.copera.workspace import CoperaAccount
    from sandbox.exchange import Record

VISIBILITIES = ("internal", "external")


def create(account: CoperaAccount, row: Row, said: Record, by: str, *, carried: bool) -> Record:
    """Comment on a row; `said` is a content and a visibility."""
    member = account.lists["members"].get(by, {})
    now = account.now()
    author = {"_id": by} | {key: member.get(key) for key in ("name", "picture", "email")}
    made: Record = {"_id": object_id(now, account.rng)} | said | {"contentType": "text/html", "author": author}
    made |= {"createdAt": text_of(now), "updatedAt": text_of(now)}
    if carried:
        account.comments.setdefault(row.id, []).append(made)
        if account.behaviour.markdown_moves_row:
            account.editor.rows.touch(row)
    return made


def delete(account: CoperaAccount, row: Row, number: str, *, carried: bool) -> None:
    """Delete a comment; 404 if the row has none of this id."""
    found = next((one for one in account.comments.get(row.id, ()) if one["_id"] == number), None)
    if found is None:
        raise Refusal(404, "Comment not found")
    if carried:
        account.comments[row.id].remove(found)
