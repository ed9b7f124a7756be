"""Creates, changes and deletes contacts (writing.md 2.1, 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.writes.contact_records import FIELDS, contact_record, display_name
from sandbox.close.writes.fields import or_null, own_organization, reference
from sandbox.close.writes.leads import add_lead
from sandbox.close.writes.write import Body, Write, refuse

if TYPE_CHECKING:
    from sandbox.exchange import Answer

_BODY = Body(
    FIELDS | {"lead_id": or_null(reference("leads")), "organization_id": own_organization},
    custom="contact",
)


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Create a contact; without a lead, one is made that has its name."""
    given = write.given(_BODY)
    write.room("contacts")
    lead_id = given.pop("lead_id", None)
    if lead_id is None:
        lead_id = add_lead(write, {"name": display_name({"name": ""} | given)}, [])["id"]
    contact = contact_record(write, given, lead_id)
    write.editor.add("contacts", contact)
    return write.answer("contacts", contact["id"])


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change a contact; one that has a lead keeps it."""
    old = write.old("contacts", parts[0])
    changes = write.given(_BODY, old)
    changes.pop("organization_id", None)
    if "lead_id" in changes and old["lead_id"] is not None and changes["lead_id"] != old["lead_id"]:
        refuse({"lead_id": "The lead of a contact can not be changed."})
    if {"name", "emails", "phones"} & set(changes):
        changes["display_name"] = display_name(old | changes)
    write.change("contacts", old, changes)
    return write.answer("contacts", parts[0])


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Delete a contact."""
    return write.delete("contacts", parts[0])
