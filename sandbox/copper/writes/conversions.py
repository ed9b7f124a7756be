"""`POST /leads/{id}/convert`: makes a person, and as asked a company and an opportunity, of a lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copper.writes.values import FieldError

if TYPE_CHECKING:
    from sandbox.copper.writes.records import RecordWriter
    from sandbox.exchange import Record

_TAKEN = {
    "person": {"name", "contact_type_id", "assignee_id"},
    "company": {"id", "name", "exact_match"},
    "opportunity": {"name", "pipeline_id", "pipeline_stage_id", "monetary_value", "assignee_id"},
}
_FROM_LEAD = (
    *("name", "first_name", "middle_name", "last_name", "prefix", "suffix", "title", "address", "assignee_id"),
    *("details", "phone_numbers", "socials", "tags", "websites"),
)


def convert(writer: RecordWriter, number: int, body: Record, *, carried: bool) -> Record | list[Record]:
    """Convert a lead, and give what it became; or give the companies that its company's name may mean."""
    lead = writer.record("leads", number)
    if lead["converted_at"] is not None:
        raise FieldError("lead", "is converted already")
    details = _details(body)
    company = details.get("company")
    if company is not None and (candidates := _candidates(writer, company)):
        return candidates
    person = _person(writer, lead, details.get("person", {}))
    company_id = _company(writer, lead, company, carried=carried)
    now = int(writer.account.clock())
    origin = {
        "leads_converted_from": [{"lead_id": number, "converted_timestamp": now}],
        "date_lead_created": lead["date_created"],
    }
    made = {"person": writer.create("people", person | {"company_id": company_id}, carried=carried) | origin}
    changes: Record = {"converted_at": now, "converted_contact_id": made["person"]["id"]}
    if "opportunity" in details:
        deal = {"name": lead["name"], "company_id": company_id} | details["opportunity"]
        deal["primary_contact_id"] = made["person"]["id"] if carried else None
        if carried:
            made["opportunity"] = writer.create("opportunities", deal) | origin
            changes["converted_opportunity_id"] = made["opportunity"]["id"]
    if carried:
        for kind, name in (("person", "people"), ("opportunity", "opportunities")):
            if kind in made:
                writer.keep(name, made[kind])
        if writer.account.behaviour.conversion_moves_modified:
            changes["date_modified"] = now
        writer.keep("leads", lead | changes)
        if company_id is not None:
            made["company"] = writer.record("companies", company_id)
    return made


def _details(body: Record) -> dict[str, Any]:
    details = body.get("details", {})
    if set(body) - {"details"} or not isinstance(details, dict) or set(details) - set(_TAKEN):
        raise FieldError("details", f"must have {', '.join(_TAKEN)}, and nothing else")
    for name, given in details.items():
        if not isinstance(given, dict) or set(given) - _TAKEN[name]:
            raise FieldError(name, f"must have {', '.join(sorted(_TAKEN[name]))}, and nothing else")
    if {"id", "name"} <= set(details.get("company", {})):
        raise FieldError("company", "give its id or its name, not both")
    return details


def _person(writer: RecordWriter, lead: Record, given: Record) -> Record:
    """Give the attributes of the person; a lead's custom fields go over where people have them, too."""
    held: Record = {key: lead[key] for key in _FROM_LEAD}
    held["emails"] = [lead["email"]] if lead["email"] else []
    definitions = {one["id"]: one for one in writer.account.lists["custom_field_definitions"]}
    held["custom_fields"] = [
        one
        for one in lead["custom_fields"]
        if (definition := definitions.get(one["custom_field_definition_id"]))
        and "person" in definition["available_on"]
        and definition["data_type"] != "Connect"
    ]
    return held | given


def _candidates(writer: RecordWriter, company: Record) -> list[Record]:
    """Give the companies that a name may mean, unless one has just this name or only such a one is asked for."""
    named = company.get("name")
    if not named or company.get("exact_match") is True or writer.company_named(named) is not None:
        return []
    words = set(named.casefold().split())
    return [
        {"id": one["id"], "name": one["name"]}
        for one in writer.account.visible("companies")
        if words & set(one["name"].casefold().split())
    ]


def _company(writer: RecordWriter, lead: Record, company: Record | None, *, carried: bool) -> int | None:
    given = company or {}
    if "id" in given:
        if type(given["id"]) is not int or not writer.account.sees("companies", given["id"]):
            raise FieldError("company", f"there is no such company: {given['id']!r}", "not_found")
        return given["id"]
    named = given.get("name", lead["company_name"])
    if not named:
        return None
    found = writer.company_named(named)
    return found if found is not None or not carried else writer.create("companies", {"name": named})["id"]
