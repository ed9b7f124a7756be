"""Creates, changes and deletes leads (writing.md 2.1, 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.close.parameters import refused
from sandbox.close.writes.contact_details import ADDRESSES
from sandbox.close.writes.contact_records import NESTED, contact_record
from sandbox.close.writes.fields import Wrong, or_null, own_organization, reference, text
from sandbox.close.writes.side_activities import note_created, note_lead_status
from sandbox.close.writes.write import Body, Write, refuse

if TYPE_CHECKING:
    from sandbox.close.organization import CloseAccount
    from sandbox.exchange import Answer, Record


def _status(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read the label of a status; gives its id."""
    for one in account.lists["lead_statuses"]:
        if one["label"] == value:
            return str(one["id"])
    raise Wrong("There is no lead status with this label.")


_CHANGED = {
    "name": or_null(text, ""),
    "description": or_null(text, ""),
    "url": or_null(text),
    "status": _status,
    "status_id": reference("lead_statuses"),
    "addresses": or_null(ADDRESSES, []),
    "organization_id": own_organization,
}
_NEW = Body(_CHANGED | {"contacts": lambda _, value: value}, custom="lead")
_UPDATE = Body(_CHANGED, custom="lead", unused=frozenset({"contacts"}))


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Create a lead, with its contacts."""
    given, wrong = write.checked(write.body(), _NEW)
    contacts = _contacts(write, given.pop("contacts", []), wrong)
    refuse(wrong)
    write.room("leads")
    lead = add_lead(write, given, contacts)
    return write.answer("leads", lead["id"])


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change a lead; contacts in the body stay as they are."""
    old = write.old("leads", parts[0])
    changes = _with_status(write, write.given(_UPDATE, old))
    if "name" in changes and changes["name"] != old["name"]:
        changes["display_name"] = changes["name"] or "Untitled"
    if write.change("leads", old, changes) and changes.get("status_id", old["status_id"]) != old["status_id"]:
        note_lead_status(write, old, write.lead_of(old["id"]))
    return write.answer("leads", parts[0])


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Delete a lead with all that belongs to it."""
    return write.delete("leads", parts[0])


def merge(write: Write, _: tuple[str, ...]) -> Answer:
    """Merge a lead into another one."""
    given = write.given(Body({key: reference("leads") for key in _MERGED}, _MERGED))
    if given["source"] == given["destination"]:
        refuse({"source": "A lead can not be merged into itself."})
    write.editor.merge(given["source"], given["destination"])
    return write.answer("leads", given["destination"])


_MERGED = frozenset({"source", "destination"})


def add_lead(write: Write, given: Record, contacts: list[Record]) -> Record:
    """Keep a new lead, and its contacts as they were read."""
    account, editor = write.account, write.editor
    given = _with_status(write, {"status_id": account.lists["lead_statuses"][0]["id"]} | given)
    number = account.source.long("lead")
    lead = write.new(number, given) | {
        "name": "",
        "description": "",
        "url": None,
        "html_url": f"https://app.close.com/lead/{number}/",
        "addresses": [],
        "integration_links": [],
    }
    lead |= {key: value for key, value in given.items() if value is not None and key != "organization_id"}
    lead["display_name"] = lead["name"] or "Untitled"
    lead |= write.names(lead, "created_by", "updated_by")
    editor.put("leads", lead)
    made = [contact_record(write, one, number) for one in contacts]
    for contact in made:
        editor.put("contacts", contact)
    editor.log("leads", "created", lead, None)
    for contact in made:
        editor.log("contacts", "created", contact, None)
    note_created(write, number)
    return lead


def _contacts(write: Write, sent: Any, wrong: Record) -> list[Record]:  # noqa: ANN401
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        wrong["contacts"] = "Not a valid list of objects."
        return []
    found, failed = [], {}
    for place, one in enumerate(sent):
        given, errors = write.checked(one, NESTED)
        found.append(given)
        if errors:
            failed[str(place)] = errors
    if failed:
        wrong["contacts"] = failed
    return found


def _with_status(write: Write, given: Record) -> Record:
    """Give a lead's status by id and label."""
    label_id = given.pop("status", None)
    if label_id is not None:
        if "status_id" in write.body():
            raise refused("Send status or status_id, not both.")
        given["status_id"] = label_id
    given.pop("organization_id", None)
    if "status_id" in given:
        (status,) = [one for one in write.account.lists["lead_statuses"] if one["id"] == given["status_id"]]
        given["status_label"] = status["label"]
    return given
