"""Makes the records of contacts, on their own or within a new lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.writes.contact_details import EMAILS, PHONES, URLS
from sandbox.close.writes.fields import or_null, text
from sandbox.close.writes.write import Body

if TYPE_CHECKING:
    from sandbox.close.writes.write import Write
    from sandbox.exchange import Record

FIELDS = {
    "name": or_null(text, ""),
    "title": or_null(text, ""),
    "emails": or_null(EMAILS, []),
    "phones": or_null(PHONES, []),
    "urls": or_null(URLS, []),
}
NESTED = Body(FIELDS, custom="contact")
"""A contact within a new lead."""


def contact_record(write: Write, given: Record, lead_id: str | None) -> Record:
    """Make the record of a new contact."""
    record = write.new(write.account.source.long("cont"), {}) | {
        "lead_id": lead_id,
        "name": "",
        "title": "",
        "emails": [],
        "phones": [],
        "urls": [],
        "integration_links": [],
    }
    record |= {key: value for key, value in given.items() if value is not None and key != "organization_id"}
    return record | {"display_name": display_name(record)}


def display_name(record: Record) -> str:
    """Give the name that is shown of a contact."""
    emails, phones = record.get("emails") or [], record.get("phones") or []
    email = emails[0]["email"] if emails else ""
    phone = phones[0].get("phone_formatted", phones[0]["phone"]) if phones else ""
    return str(record["name"] or email or phone or "Unnamed")
