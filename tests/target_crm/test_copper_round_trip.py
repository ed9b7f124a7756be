"""What the tap read of one Copper account, written into an empty one, is there as it was, but for ids and times."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from sandbox.copper import API_KEY, USER_EMAIL, CopperSandbox, Shape, copper_app
from sandbox.server import running
from tests.singer import Tap, selecting
from tests.target_crm.running import Bench

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
NOTHING: Record = {
    "people": 0,
    "companies": 0,
    "opportunities": 0,
    "leads": 0,
    "projects": 0,
    "tasks": 0,
    "activities": 0,
}
SOME: Record = {
    "people": 14,
    "companies": 6,
    "opportunities": 8,
    "leads": 8,
    "projects": 6,
    "tasks": 10,
    "activities": 20,
}
_NAMED = ("name", "prefix", "first_name", "middle_name", "last_name", "suffix", "title")
_COMMON = ("assignee_id", "details", "tags")
_CONTACT = (*_COMMON, "address", "phone_numbers", "socials", "websites")
#: What of each stream has to be as it was; custom fields, too.
KEPT = {
    "companies": ("name", "email_domain", "contact_type_id", *_CONTACT),
    "people": (*_NAMED, "emails", "contact_type_id", *_CONTACT),
    "leads": (
        *("company_name", "email", "customer_source_id", "monetary_unit", "monetary_value", "status_id"),
        *(*_NAMED, *_CONTACT),
    ),
    "opportunities": (
        *("name", "close_date", "customer_source_id", "loss_reason_id", "monetary_unit", "monetary_value"),
        *("pipeline_id", "pipeline_stage_id", "priority", "status", "win_probability", *_COMMON),
    ),
    "projects": ("name", "status", *_COMMON),
    "tasks": ("name", "status", "priority", "due_date", "reminder_date", "custom_activity_type_id", *_COMMON),
    "activities": ("type", "details", "activity_date"),
}
#: Fields that hold the id of a record of another stream; a company's contact is not written.
REFERENCES = {"company_id": "companies", "primary_contact_id": "people"}
POINTERS = ("related_resource", "parent")
OBJECTS = {
    "lead": "leads",
    "person": "people",
    "company": "companies",
    "opportunity": "opportunities",
    "project": "projects",
    "task": "tasks",
}


def test_what_the_tap_read_is_written_into_an_empty_account_as_it_was(tmp_path: Path) -> None:
    knobs: Record = {"rate_limit": 0, "bulk_rate_limit": 0, "contact_required": False}
    source, copied = (
        copper_app(Shape(seed=seed, now=1_790_000_000, converted_leads=0.0, odd_close_dates=0, **part), **knobs)
        for seed, part in ((5, SOME), (6, NOTHING))
    )
    for name, records in source.account.lists.items():
        copied.account.lists[name][:] = copy.deepcopy(records)
    for table in copied.account.tables.values():
        table.last_id += 10_000_000  # no id of one account is that of another record in the other
    for one in copied.account.lists["activity_types"]:
        one["is_disabled"] = False
    messages = [one for one in read(source, tmp_path) if not is_record(one) or is_writable(one)]
    person = next(one["record"]["id"] for one in messages if is_record(one) and one["stream"] == "people")
    for one in filter(is_record, messages):
        if one["stream"] == "opportunities":  # a new one has to have a contact
            one["record"]["primary_contact_id"] = one["record"]["primary_contact_id"] or person
    with running(copied) as url:
        credentials = {"provider": "copper", "api_key": API_KEY, "user_email": USER_EMAIL, "api_url": url}
        done = Bench(tmp_path, None, {**credentials, "requests_per_minute": 0}).run_for_real(messages)
    refused = {(line["stream"], line["reason"]) for line in done.lines if line["outcome"] == "rejected"}
    assert done.code == 0, refused
    ids = {(line["stream"], line["key"]): line["crm_id"] for line in done.lines if line["outcome"] == "created"}
    there = {(one["stream"], one["record"]["id"]): one["record"] for one in read(copied, tmp_path) if is_record(one)}
    for one in filter(is_record, messages):
        stream, record = one["stream"], one["record"]
        if stream == "activities" and record["type"]["category"] == "system":
            continue
        other = there[stream, ids[stream, record["id"]]]
        for name, of in REFERENCES.items() if stream != "companies" else ():
            assert other.get(name) == ids.get((of, record.get(name) or 0)), (stream, name)
        for name in POINTERS:
            assert pointer(other.get(name)) == copied_pointer(record.get(name), ids), (stream, name)
        said = (*KEPT[stream], "custom_fields")
        assert {name: plain(record.get(name)) for name in said} == {name: plain(other.get(name)) for name in said}
    assert {stream for stream, _ in ids} == set(KEPT)


def is_writable(message: Record) -> bool:
    """Tell whether Copper takes such a record anew: it has activities without what it asks of new ones."""
    record = message["record"]
    return bool(message["stream"] != "activities" or record["type"]["category"] == "system" or record["details"])


def pointer(value: Any) -> Any:  # noqa: ANN401
    return (value["type"], value["id"]) if value and value["id"] is not None else None


def copied_pointer(value: Any, ids: dict[Any, Any]) -> Any:  # noqa: ANN401
    return (value["type"], ids[OBJECTS[value["type"]], value["id"]]) if pointer(value) else None


def is_record(message: Record) -> bool:
    return bool(message["type"] == "RECORD" and message["stream"] in KEPT)


def read(app: CopperSandbox, folder: Path) -> list[Record]:
    """Return what the tap reads, but for custom fields that no field writes; options by their ids."""
    with running(app) as url:
        connection: Record = {"provider": "copper", "api_key": API_KEY, "user_email": USER_EMAIL, "api_url": url}
        tap = Tap(folder, **connection, requests_per_minute=0, custom_fields="raw")
        tap.inside = True
        messages: list[Record] = tap.sync(catalog=selecting(tap.discover()[0], *KEPT)).messages
    messages = json.loads(json.dumps(messages, default=float))
    connected = {one["id"] for one in app.account.lists["custom_field_definitions"] if one["data_type"] == "Connect"}
    for one in filter(is_record, messages):
        if "custom_fields" in one["record"]:
            entries = one["record"]["custom_fields"]
            kept = [entry for entry in entries if entry["custom_field_definition_id"] not in connected]
            one["record"]["custom_fields"] = kept
    return messages


def plain(value: Any) -> Any:  # noqa: ANN401
    """Return a value so that what is empty is one, and so are lists in another order; without ids of entries."""
    if isinstance(value, list):
        return sorted({_text(one) for one in value if one not in ("", None) and _text(one)}) or None
    if isinstance(value, dict):
        return {name: held for name, held in value.items() if held not in ("", None)} or None
    return value or None


def _text(entry: Any) -> str:  # noqa: ANN401
    """Return an entry of a list as text; "" for a custom field without a value."""
    if isinstance(entry, dict):
        if "custom_field_definition_id" in entry and entry["value"] in (None, "", [], False):
            return ""
        if entry.get("category", "work") is None:  # a new entry has to have one
            entry = {**entry, "category": "work"}
        entry = {name: sorted(held) if isinstance(held, list) else held for name, held in entry.items()}
    return json.dumps(entry, sort_keys=True)
