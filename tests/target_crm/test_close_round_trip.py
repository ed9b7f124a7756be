"""What the tap read of one organization, written into an empty one, is there as it was, but for ids and times."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from sandbox.close import API_KEY, CloseSandbox, Shape, close_app
from sandbox.server import running
from tests.singer import Tap, selecting
from tests.target_crm.close_account import CloseAccount
from tests.target_crm.doors import Door
from tests.target_crm.running import Bench

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
SAME: Record = {"seed": 5, "users": 4, "custom_fields": 12, "small_lists": 3, "events": 0, "comments": 0}
NOTHING: Record = {"leads": 0, "contacts": 0, "opportunities": 0, "tasks": 0, "activities": 0, "custom_objects": 0}
SOME: Record = {
    "leads": 12,
    "contacts": 18,
    "opportunities": 12,
    "tasks": 12,
    "activities": {"notes": 12, "calls": 12, "custom_activities": 12},
    "custom_objects": 4,
    "leadless_contacts": 0.0,
}
DEFINITIONS = (
    *("custom_fields", "custom_activity_types", "custom_object_types", "lead_statuses", "opportunity_statuses"),
    *("pipelines", "outcomes", "users"),
)
#: What of each stream has to be as it was; custom fields, too.
KEPT = {
    "leads": ("name", "description", "url", "status_label", "addresses"),
    "contacts": ("name", "title", "emails", "phones", "urls"),
    "opportunities": ("value", "value_period", "confidence", "user_id", "status_id", "date_created"),
    "tasks": ("_type", "text", "date", "is_complete", "assigned_to"),
    "notes": ("title", "user_id", "activity_at", "date_created"),
    "calls": ("direction", "status", "duration", "outcome_id", "recording_url", "date_created"),
    "custom_activities": ("status", "custom_activity_type_id", "user_id", "date_created"),
    "custom_objects": ("name", "custom_object_type_id"),
}
REFERENCES = {"lead_id": "leads", "contact_id": "contacts"}


def test_what_the_tap_read_is_written_into_an_empty_organization_as_it_was(tmp_path: Path) -> None:
    source, copied = (close_app(Shape(**SAME, **{**NOTHING, **part}), rate_limit=0) for part in (SOME, {}))
    for name in DEFINITIONS:
        copied.account.lists[name][:] = copy.deepcopy(source.account.lists[name])
    messages = read(source, tmp_path)
    for one in filter(is_record, messages):
        if one["record"].get("note_html"):
            del one["record"]["note"]  # the sandbox's own contradict each other
    with running(copied) as url:
        account = CloseAccount(copied, url)
        done = Bench(tmp_path, Door(account), account.credentials).run(messages)
        account.client.close()
    assert done.code == 0, {line["reason"] for line in done.lines if line["outcome"] == "rejected"}
    ids = {(line["stream"], line["key"]): line["crm_id"] for line in done.lines if line["outcome"] == "created"}
    there = {(one["stream"], one["record"]["id"]): one["record"] for one in read(copied, tmp_path) if is_record(one)}
    for one in filter(is_record, messages):
        stream, record = one["stream"], one["record"]
        if (stream, record["id"]) not in ids:
            assert stream == "tasks"
            assert record["_type"] not in ("lead", "outgoing_call")
            continue
        other = there[stream, ids[stream, record["id"]]]
        for name, of in REFERENCES.items():
            assert other.get(name) == ids.get((of, record.get(name) or "")), (stream, name)
        note = "note_html" if record.get("note_html") else "note"  # of either Close derives the other
        custom = (name for name in record if name.startswith("custom_") and name not in NAMES)
        said = [name for name in (*KEPT[stream], note, *custom) if record.get(name) is not None]  # nulls are left alone
        assert {name: plain(name, record.get(name)) for name in said} == {
            name: plain(name, other.get(name)) for name in said
        }, stream
    assert {stream for stream, _ in ids} == set(KEPT)


NAMES = ("custom_fields", "custom_activity_type_id", "custom_object_type_id")


def is_record(message: Record) -> bool:
    return bool(message["type"] == "RECORD" and message["stream"] in KEPT)


def read(app: CloseSandbox, folder: Path) -> list[Record]:
    """Return what the tap reads, without fields that refer to records in a circle."""
    with running(app) as url:
        tap = Tap(folder, provider="close", api_key=API_KEY, api_url=url, requests_per_minute=0)
        messages: list[Record] = tap.sync(catalog=selecting(tap.discover()[0], *KEPT)).messages
    messages = json.loads(json.dumps(messages, default=float))
    circular: set[tuple[str, str]] = set()
    for one in messages:
        if one["type"] == "SCHEMA":
            for name, part in one["schema"]["properties"].items():
                if any(kind in part.get("description", "") for kind in ("kind contact", "kind custom_object")):
                    circular.add((one["stream"], name))
        elif is_record(one):
            one["record"] = {
                name: value for name, value in one["record"].items() if (one["stream"], name) not in circular
            }
    return messages


def plain(name: str, value: Any) -> Any:  # noqa: ANN401
    """Return a value so that null, an empty text and an empty list are one, and so are lists in another order."""
    if name == "addresses":
        value = [{part: text for part, text in one.items() if text and part != "tz_ids"} for one in value or ()]
    if name in ("emails", "phones", "urls"):
        value = [(one[name[:-1]], one["type"]) for one in value or ()]
    if isinstance(value, list):
        return sorted({json.dumps(one, sort_keys=True) for one in value if one not in ("", None)}) or None
    return value[:19] if name == "date_created" else value or None
