"""Creates, changes and removes comments (writing.md 2.1); threads come with their first comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import text_of
from sandbox.close.object_types import ACTIVITY_NAMES, event_type
from sandbox.close.writes.fields import filled, is_there, reference
from sandbox.close.writes.write import Body, Write, refuse

if TYPE_CHECKING:
    from sandbox.exchange import Answer, Record

_NAME = "comments"
_NEW = Body(
    {"object_id": reference("opportunities", *ACTIVITY_NAMES), "body": filled}, frozenset({"object_id", "body"})
)
_UPDATE = Body({"body": filled}, frozenset({"body"}))


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Comment on an activity or an opportunity."""
    given = write.given(_NEW)
    write.room(_NAME)
    thread = _thread(write, given["object_id"])
    stamp = text_of(write.now)
    record = {
        "id": write.account.source.short("comm"),
        "thread_id": thread["id"],
        "lead_id": thread["lead_id"],
        "body": given["body"],
        "mentions": [],
        "created_by": write.user_id,
        "updated_by": write.user_id,
        "created_at": stamp,
        "updated_at": stamp,
        "removed_at": None,
        "removed_by": None,
        "organization_id": write.account.source.organization_id,
    }
    write.editor.add(_NAME, record)
    return write.answer(_NAME, record["id"], 201)


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change the text of a comment."""
    old = write.old(_NAME, parts[0])
    given = write.given(_UPDATE)
    _there(old)
    write.change(_NAME, old, given)
    return write.answer(_NAME, parts[0])


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Empty a comment; it stays until its thread is gone."""
    _there(write.old(_NAME, parts[0]))
    write.editor.delete(_NAME, parts[0])
    return write.bare_answer()


def _there(comment: Record) -> None:
    if comment["removed_at"] is not None:
        refuse({"id": "The comment was removed."})


def _thread(write: Write, object_id: str) -> Record:
    """Give the thread about an object with one more comment, or a new one."""
    for one in write.account.lists["comment_threads"]:
        if one["object_id"] == object_id:
            people = [*one["participating"], *([write.user_id] if write.user_id not in one["participating"] else [])]
            changes = {"num_comments": one["num_comments"] + 1, "participating": people}
            write.change("comment_threads", dict(one), changes)
            return one
    (name,) = [name for name in ("opportunities", *ACTIVITY_NAMES) if is_there(write.account, name, object_id)]
    about = write.editor.current(name, object_id)
    stamp = text_of(write.now)
    thread = {
        "id": write.account.source.short("comthr"),
        "object_type": event_type(name, about),
        "object_id": object_id,
        "lead_id": about["lead_id"],
        "num_comments": 1,
        "participating": [write.user_id],
        "created_at": stamp,
        "updated_at": stamp,
        "organization_id": write.account.source.organization_id,
    }
    write.editor.add("comment_threads", thread)
    return thread
