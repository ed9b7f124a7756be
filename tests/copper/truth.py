"""What a target should hold, made from the sandbox's own truth and the schema files, not by the tap's code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.truth import Contract, compared

if TYPE_CHECKING:
    from sandbox.copper import CopperAccount
    from tests.singer import Key, Record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The sandbox's name of each stream, where it differs.
SOURCES = {"custom_fields": "custom_field_definitions"}
SEARCHED = ("people", "companies", "leads", "opportunities", "projects", "tasks", "activities")
LISTED = (
    "account",
    "pipelines",
    "pipeline_stages",
    "custom_fields",
    "users",
    "activity_types",
    "custom_activity_types",
    "contact_types",
    "customer_sources",
    "loss_reasons",
    "lead_statuses",
    "tags",
    "webhooks",
    "field_layouts",
)


def _moment(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _date(text: str) -> str:
    if "/" not in text:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d")
    month, day, year = text.split("/")
    return f"{datetime(int(year), int(month), int(day), tzinfo=UTC):%Y-%m-%d}"


CONTRACT = Contract("copper", _moment, _date)


def expected(account: CopperAccount, stream: str, keys: tuple[str, ...] = ("id",)) -> dict[Key, Record]:
    """Return every living record of a stream as it should arrive, by its key."""
    records = account.records(SOURCES.get(stream, stream))
    shaped = (CONTRACT.as_it_should_arrive(stream, record) for record in records)
    return {tuple(record[key] for key in keys): record for record in shaped}


def differences(
    account: CopperAccount, stream: str, table: dict[Key, Record], keys: tuple[str, ...] = ("id",)
) -> dict[str, Any]:
    """Return the keys that are missing, surplus or different in a table; empty if it equals the truth.

    Values of custom fields are compared as they come; `tests/custom_truth.py` knows how their columns should be.
    """
    return compared(expected(account, stream, keys), CONTRACT.without_custom_columns(stream, table))
