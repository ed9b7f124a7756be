"""Notes that an address wants no mail, and takes that back (writing.md 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.close.moments import text_of
from sandbox.close.writes.fields import mail_address
from sandbox.close.writes.write import Body, Write, refuse
from sandbox.exchange import Answer, Record, Refusal, encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "unsubscribed_emails"
_NEW = Body({"email": mail_address}, frozenset({"email"}))


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Unsubscribe an address."""
    email = write.given(_NEW)["email"]
    record = _found(write, email)
    if record is None:
        record = {
            "email": email,
            "organization_id": write.account.source.organization_id,
            "date_created": text_of(write.now),
            "reason": None,
        }
        write.add(_NAME, record)
        _mark(write, email, unsubscribed=True)
    elif write.behaviour.unsubscribed_twice == "refused":
        refuse({"email": "This address is unsubscribed already."})
    return encoded(record, 201)


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Subscribe an address again."""
    record = _found(write, parts[0])
    if record is None:
        raise Refusal(404, "This address is not unsubscribed")
    write.editor.delete(_NAME, record["email"])
    _mark(write, record["email"], unsubscribed=False)
    return write.bare_answer()


def _found(write: Write, email: str) -> Record | None:
    rows = write.account.lists[_NAME]
    return next((one for one in rows if one["email"].casefold() == email.casefold()), None)


def _mark(write: Write, email: str, *, unsubscribed: bool) -> None:
    """Let the emails of contacts say it; nothing else of the contacts changes, not even their dates."""
    for record in _holders(write, email):
        for one in record["emails"]:
            if one["email"].casefold() == email.casefold():
                one["is_unsubscribed"] = unsubscribed
        write.editor.put("contacts", record)


def _holders(write: Write, email: str) -> Iterator[Record]:
    needle = msgspec.json.encode(email.casefold())
    for row in list(write.account.tables["contacts"]):
        if needle in row.plain.lower():
            yield msgspec.json.decode(row.raw)
