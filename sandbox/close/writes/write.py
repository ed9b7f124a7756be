"""One request that writes: its body, read strictly, and the changes that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from sandbox.close.events import Author
from sandbox.close.moments import HOUR, day_of, text_of
from sandbox.close.oauth import CLIENT_ID
from sandbox.close.parameters import SINGLE, Parameters, offset_of, read, refused, with_fields
from sandbox.close.writes.custom_values import PREFIX, CustomValues
from sandbox.close.writes.fields import Reader, Wrong, is_there
from sandbox.exchange import Answer, Record, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.close.organization import CloseAccount
    from sandbox.exchange import Request

_UPDATED_LATER = 20_000
"""Microseconds by which `date_updated` of a new record is later than its `date_created`."""
_OWN_STAMPS = {"date_updated", "updated_by", "updated_by_name"}
_SCOPE = "all.full_access offline_access"


@dataclass(frozen=True, slots=True)
class Body:
    """What a body may have: readers by field, and which fields it needs."""

    fields: dict[str, Reader]
    needed: frozenset[str] = frozenset()
    custom: str | None = None
    """The kind of the custom fields that it may have."""
    unused: frozenset[str] = field(default=frozenset())
    """Fields that are taken and do nothing."""


class Write:
    """What a request asks for, and the editor that carries it out in the name of its key."""

    def __init__(
        self, account: CloseAccount, request: Request, request_id: str, parameters: Parameters = SINGLE
    ) -> None:
        self.request = request
        self.request_id = request_id
        self.account = account
        self.behaviour = account.behaviour
        self.editor = account.editor
        self.user_id = account.source.user_ids[0]
        self.asked = read(request.path, request, parameters, self.behaviour)
        self.now = self.account.now()

    @property
    def author(self) -> Author:
        """Whose request it is."""
        scheme, _, _ = self.request.headers.get("authorization", "").partition(" ")
        by_key = scheme.lower() == "basic"
        return Author(
            self.user_id,
            self.request.key.partition(".")[0] if by_key else None,
            None if by_key else CLIENT_ID,
            None if by_key else _SCOPE,
            self.request_id,
            self.request.method,
            self.request.whole_path,
        )

    def body(self) -> Record:
        """Read the body, which is a JSON object."""
        try:
            found: Record = msgspec.json.decode(self.request.body, type=dict)
        except msgspec.DecodeError as error:
            raise refused(f"Invalid JSON: {error}") from None
        return found

    def given(self, body: Body, old: Record | None = None, parent: str | None = None) -> Record:
        """Read the fields of the request's body; those of a new record if there is no old one."""
        found, wrong = self.checked(self.body(), body, old, parent)
        refuse(wrong)
        return found

    def checked(
        self, sent: Record, body: Body, old: Record | None = None, parent: str | None = None
    ) -> tuple[Record, Record]:
        """Read an object; gives its fields, and what is wrong by field."""
        found: Record = {}
        wrong: Record = {}
        custom: Record = {}
        for key, value in sent.items():
            if body.custom is not None and key.startswith(PREFIX):
                custom[key] = value
            elif key in body.fields:
                try:
                    found[key] = body.fields[key](self.account, value)
                except Wrong as error:
                    wrong[key] = error.text
            elif key not in body.unused and self.behaviour.unknown_fields == "refused":
                wrong[key] = "Unknown field."
        if custom and body.custom is not None:
            found |= CustomValues(self.account, body.custom, parent).changed(custom, old or {}, wrong)
        if old is None:
            lacking = [key for key in body.needed if key not in sent]
            wrong |= dict.fromkeys(lacking, "This field is required.")
        wrong |= {key: "This field may not be null." for key in body.needed if key in found and found[key] is None}
        return found, wrong

    def new(self, number: str, given: Record) -> Record:
        """Make what every new record has: its id and who made it when; `given` says otherwise maybe."""
        created = given.get("date_created") or text_of(self.now - _UPDATED_LATER)
        return {
            "id": number,
            "organization_id": self.account.source.organization_id,
            "created_by": given.get("created_by") or self.user_id,
            "updated_by": self.user_id,
            "date_created": created,
            "date_updated": text_of(self.now),
        }

    def add(self, name: str, record: Record) -> None:
        """Keep a new record, unless the plan has no room for it."""
        self.room(name)
        self.editor.add(name, without_nulls(record))

    def room(self, name: str, count: int = 1) -> None:
        """Refuse more records than the plan allows."""
        limit = self.behaviour.plan_limits.get(self.request.path)
        if limit is not None and len(self.account.ids(name)) + count > limit:
            raise Refusal(402, "Your plan does not allow any more of these. Please upgrade.")

    def old(self, name: str, number: str) -> Record:
        """Copy the record that a path names; 404 if the key sees none."""
        if not is_there(self.account, name, number):
            raise Refusal(404, f"{name} {number} not found")
        return self.editor.current(name, number)

    def change(self, name: str, old: Record, changes: Record) -> bool:
        """Keep what a record becomes; whether anything of it differs."""
        new = without_nulls(old | changes)
        if all(new.get(key) == old.get(key) for key in {*new, *old} - _OWN_STAMPS):
            if self.behaviour.noop_update == "dated":
                self.editor.put(name, self.editor.dated(old))
            return False
        new = self.editor.dated(new)
        if "updated_by" in new:
            new["updated_by"] = self.user_id
        if "updated_by_name" in new:
            new["updated_by_name"] = self.name_of(self.user_id)
        self.editor.replace(name, old, new)
        return True

    def name_of(self, user_id: str | None) -> str | None:
        """Give a user's name."""
        return self.account.source.names.get(user_id or "")

    def names(self, record: Record, *keys: str) -> Record:
        """Give the names of the users that a record names."""
        return {f"{key.removesuffix('_id')}_name": self.name_of(record.get(key)) for key in keys}

    def answer(self, name: str, number: str, status: int = 200) -> Answer:
        """Answer with a record as it is now."""
        if name in self.account.tables:
            row = self.account.tables[name].living[number]
            record = self.account.full(name, row, seen=True)
        else:
            record = self.editor.current(name, number)
        return encoded(with_fields(record, self.asked.fields), status)

    def bare_answer(self) -> Answer:
        """Answer a deletion of which the status is not said."""
        return no_content() if self.behaviour.bare_deletes == "204" else encoded({})

    def delete(self, name: str, number: str) -> Answer:
        """Delete the record that a path names."""
        self.old(name, number)
        self.editor.delete(name, number)
        return encoded({})

    def asked_today(self) -> str:
        """Give the present date at the place of who asks."""
        return day_of(self.now + int(offset_of(self.request) * HOUR))

    def lead_of(self, number: str | None) -> Record:
        """Copy a lead's own fields; none if there is no lead."""
        row = self.account.tables["leads"].living.get(number or "")
        return {} if row is None else msgspec.json.decode(row.raw)

    def contact_of_lead(self, contact_id: str | None, lead_id: str | None) -> None:
        """Refuse a contact of another lead."""
        if contact_id is None:
            return
        row = self.account.tables["contacts"].living[contact_id]
        if row.lead_id != lead_id:
            refuse({"contact_id": "The contact belongs to another lead."})


def refuse(wrong: Record) -> None:
    """Refuse a body in the form of a validation error, unless nothing is wrong with it."""
    if wrong:
        first = min(wrong)
        body = msgspec.json.encode({"errors": [], "field-errors": wrong})
        raise Refusal(400, f"{first}: {wrong[first]}", body=body)


def without_nulls(record: Record) -> Record:
    """Leave out custom fields that have no value."""
    return {key: value for key, value in record.items() if value is not None or not key.startswith(PREFIX)}


def no_content() -> Answer:
    """Answer that there is nothing to say."""
    return Answer(204, b"")
