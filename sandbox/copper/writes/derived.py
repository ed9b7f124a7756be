"""What the CRM sets itself when a record is written: names, statuses, stages, companies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.copper.writes.values import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copper.records import AccountRecords
    from sandbox.exchange import Record

_PARTS = ("first_name", "middle_name", "last_name")


def derive(records: AccountRecords, name: str, record: Record, given: Record, before: Record | None) -> None:
    """Complete a record of which `given` was just written; `before` is what it was, None for a new one."""
    if name in ("people", "leads"):
        _names(record, given, before)
    if "name" in record and not (record["name"] or "").strip():
        raise FieldError("name", "can't be blank", "blank")
    if rule := _RULES.get(name):
        rule(records, record, given, before)


def _names(record: Record, given: Record, before: Record | None) -> None:
    """Keep a name and its parts together: parts make the name, a name alone makes the parts."""
    parts = [part for part in _PARTS if part in given]
    if "name" in given and (before is None or given["name"] != before["name"]):
        if not parts:
            words = (given["name"] or "").split()
            record["first_name"] = words[0] if len(words) > 1 else None
            record["middle_name"] = " ".join(words[1:-1]) or None
            record["last_name"] = words[-1] if words else None
    elif parts and "name" not in given:
        record["name"] = " ".join(record[part] for part in _PARTS if record[part])


def _company_name(records: AccountRecords, record: Record) -> None:
    number = record["company_id"]
    record["company_name"] = None if number is None else records.record("companies", number)["name"]


def _person(records: AccountRecords, record: Record, given: Record, _: Record | None) -> None:
    if "company_id" in given:
        _company_name(records, record)


def _lead(records: AccountRecords, record: Record, given: Record, before: Record | None) -> None:
    statuses = records.lists["lead_statuses"]
    if record["status_id"] is None:
        if before is not None:
            raise FieldError("status_id", "can't be blank", "blank")
        record["status_id"] = next(one["id"] for one in statuses if one["is_default"])
    record["status"] = next(one["name"] for one in statuses if one["id"] == record["status_id"])
    _money(records, record, given, before)


def _opportunity(records: AccountRecords, record: Record, given: Record, before: Record | None) -> None:
    touched = before is None or "primary_contact_id" in given
    if touched and records.behaviour.contact_required and record["primary_contact_id"] is None:
        raise FieldError("primary_contact_id", "can't be blank", "blank")
    if "company_id" in given:
        _company_name(records, record)
    pipelines = {one["id"]: one for one in records.lists["pipelines"]}
    if record["pipeline_id"] is None:
        if before is not None:
            raise FieldError("pipeline_id", "can't be blank", "blank")
        stage = record["pipeline_stage_id"]
        fits = (one for one in pipelines.values() if stage is None or stage in _stages(one))
        record["pipeline_id"] = next(fits)["id"]
    stages = _stages(pipelines[record["pipeline_id"]])
    moved = before is not None and record["pipeline_id"] != before["pipeline_id"]
    if given.get("pipeline_stage_id") is None and (before is None or moved or "pipeline_stage_id" in given):
        record["pipeline_stage_id"] = next(iter(stages))
    if record["pipeline_stage_id"] not in stages:
        raise FieldError("pipeline_stage_id", f"is no stage of the pipeline: {record['pipeline_stage_id']}")
    if before is None or record["pipeline_stage_id"] != before["pipeline_stage_id"]:
        record["date_stage_changed"] = int(records.clock())
        if "win_probability" not in given:
            record["win_probability"] = stages[record["pipeline_stage_id"]]
    _money(records, record, given, before)


def _stages(pipeline: Record) -> dict[int, Any]:
    return {one["id"]: one["win_probability"] for one in pipeline["stages"]}


def _money(_: AccountRecords, record: Record, given: Record, __: Record | None) -> None:
    """An amount has a currency, and counts as it is in the account's own."""
    if "monetary_value" not in given and "monetary_unit" not in given:
        return
    if record["monetary_value"] is not None and record["monetary_unit"] is None:
        record["monetary_unit"] = "USD"
    record["converted_value"] = record["monetary_value"]
    record["converted_unit"] = record["monetary_unit"]


def _task(records: AccountRecords, record: Record, given: Record, before: Record | None) -> None:
    if "status" in given and (before is None or given["status"] != before["status"]):
        record["completed_date"] = int(records.clock()) if record["status"] == "Completed" else None


def _activity(records: AccountRecords, record: Record, given: Record, before: Record | None) -> None:
    for attribute in ("parent", "type", "details"):
        if record[attribute] is None:
            raise FieldError(attribute, "can't be blank", "blank")
    if before is None:
        record["user_id"] = records.lists["users"][0]["id"]
    elif "parent" in given and given["parent"] != before["parent"]:
        raise FieldError("parent", "cannot be changed")
    if record["activity_date"] is None:
        record["activity_date"] = int(records.clock())


_RULES: dict[str, Callable[[AccountRecords, Record, Record, Record | None], None]] = {
    "people": _person,
    "leads": _lead,
    "opportunities": _opportunity,
    "tasks": _task,
    "activities": _activity,
}
