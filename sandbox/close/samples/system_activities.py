"""Makes the activities that are no conversations: custom ones, form submissions, and what Close itself notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import text_of
from sandbox.close.samples.statuses import pipeline_name

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record


def custom_activity(source: RecordValues, created: int) -> Record:
    """Make the fields that only a custom activity has."""
    published = source.chance(0.8)
    return {
        "custom_activity_type_id": source.one(source.custom.activity_type_ids),
        "status": "published" if published else "draft",
        "last_published_at": text_of(created) if published else None,
        "pinned_at": None,
        "mentions_updated_at": None,
        "pinned": False,
        "mentions": [],
        "source": source.maybe(0.5, ["api"]),
    }


def created_activity(source: RecordValues, _: int) -> Record:
    """Make the fields that only the note of a lead's creation has."""
    return {"source": source.maybe(0.5, ["Email", "API"]), "import_id": None}


def form_submission(source: RecordValues, created: int) -> Record:
    """Make the fields that only a form's submission has."""
    values = {"field_1": source.one(source.first_names), "field_2": source.chance(0.5), "field_3": None}
    return {
        "form_id": source.form_ids[0],
        "form_configuration_id": f"formconf_{created}",
        "form_name": source.maybe(0.9, ["Kontakt ✉️"]),
        "ip_address": source.maybe(0.5, ["10.0.0.7"]),
        "origin": None,
        "source_url": source.maybe(0.7, source.urls),
        "source_url_normalized": None,
        "values": values,
        "values_by_name": {"Vorname": values["field_1"], "OK?": values["field_2"], "": None},
    }


def lead_status_change(source: RecordValues, _: int) -> Record:
    """Make the fields that only a change of a lead's status has."""
    return _statuses(source, "lead_statuses")[0]


def opportunity_status_change(source: RecordValues, created: int) -> Record:
    """Make the fields that only a change of an opportunity's status has."""
    record, old, new = _statuses(source, "opportunity_statuses")
    for when, status in (("old", old), ("new", new)):
        record |= {
            f"{when}_status_type": status["type"],
            f"{when}_pipeline_id": status["pipeline_id"],
            f"{when}_pipeline_name": pipeline_name(source.statuses, status["pipeline_id"]),
        }
    return record | {
        "opportunity_id": source.maybe(1, source.ids["opportunities"]),
        "opportunity_value": source.maybe(0.9, [100, 25_000]),
        "opportunity_value_currency": "USD",
        "opportunity_value_formatted": "$1",
        "opportunity_value_period": "one_time",
        "opportunity_confidence": source.below(101),
        "opportunity_date_won": text_of(created) if new["type"] == "won" else None,
    }


def task_completed(source: RecordValues, _: int) -> Record:
    """Make the fields that only a completed task's note has."""
    user = source.maybe(0.9, source.user_ids)
    return {
        "task_id": source.maybe(0.95, source.ids["tasks"]),
        "task_text": source.maybe(0.9, source.jobs),
        "task_assigned_to": user,
        "task_assigned_to_name": source.names.get(user),
    }


def lead_merge(source: RecordValues, _: int) -> Record:
    """Make the fields that only a merge has; its source is gone."""
    return {
        "source_lead_id": source.long("lead"),
        "destination_lead_id": source.maybe(1, source.ids["leads"]),
        "source_display_name": source.maybe(0.9, ["Ça Va 7 GmbH"]),
        "destination_display_name": source.maybe(0.9, ["Acme 8"]),
        "error_message": None,
        "merge_status": "completed",
    }


def import_update(source: RecordValues, _: int) -> Record:
    """Make the fields that only an import's trace has."""
    return {"import_id": source.maybe(0.9, [source.organization_id.replace("orga_", "impo_")]), "reverted": False}


def _statuses(source: RecordValues, name: str) -> tuple[Record, Record, Record]:
    old, new = source.one(source.statuses[name]), source.one(source.statuses[name])
    record = {
        "old_status_id": old["id"],
        "old_status_label": old["label"],
        "new_status_id": new["id"],
        "new_status_label": new["label"],
    }
    return record, old, new
