"""A database with a month of runs of two accounts, made up, for pictures of the page of `tap-crm-report`."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from scripts.sql_types import sql_type
from tap_crm.contract.stream import AUDIT
from tap_crm.providers import PROVIDERS
from tap_crm.shaping.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 30
SIZES = {
    "people": 20_000,
    "companies": 6_000,
    "leads": 3_000,
    "opportunities": 4_000,
    "tasks": 9_000,
    "contacts": 8_000,
}
SIZES |= {"activities": 60_000, "events": 30_000, "projects": 400}
FEW = 24
#: Of 28 runs, one reads everything; of a hundred requests, some are sent again.
RECONCILE, EVERY, AGAIN = 3, 28, 0.03
#: Copper's leads fail since so many days.
FAILING = 2
FAILURE = "the key's user may not read this (403); deselect the stream, or give the user the right"
RENAMED = (
    "custom field 126240 of people was renamed: its values arrive in `custom_region` from now on; `custom_area` keeps "
    "what was loaded before"
)


def make(path: Path, now: datetime) -> None:
    """Make the database.

    Args:
        path: of the file, which is not there yet.
        now: when the last run has ended.
    """
    with duckdb.connect(str(path)) as connection:
        for schema, provider in (("copper_emea", "copper"), ("close", "close")):
            connection.execute(f"CREATE SCHEMA {schema}")
            properties = load_schema("common", AUDIT)["properties"]
            declared = ", ".join(f'"{name}" {sql_type(part)}' for name, part in properties.items())
            connection.execute(f"CREATE TABLE {schema}.{AUDIT} ({declared})")
            rows = _rows(schema, provider, now, list(properties))
            marks = ", ".join("?" * len(properties))
            connection.executemany(f"INSERT INTO {schema}.{AUDIT} VALUES ({marks})", rows)  # noqa: S608 - our own names
            for spec in PROVIDERS[provider].streams:
                if spec.selected:
                    connection.execute(
                        f"CREATE TABLE {schema}.{spec.name} AS SELECT range AS id, NULL::TIMESTAMP AS _sdc_deleted_at"  # noqa: S608
                        f" FROM range({SIZES.get(spec.name, FEW)})"
                    )


def _rows(schema: str, provider: str, now: datetime, columns: list[str]) -> list[list[Any]]:
    """Return the rows of a month, four runs a day."""
    chance = random.Random(schema)
    streams = [spec for spec in PROVIDERS[provider].streams if spec.selected]
    rows = []
    for ago in range(DAYS * 4 - 1, -1, -1):
        at = now - timedelta(hours=6 * ago, minutes=7)
        is_reconcile, is_first = ago % EVERY == RECONCILE, ago == DAYS * 4 - 1
        for number, spec in enumerate(streams):
            size = SIZES.get(spec.name, FEW)
            whole = is_first or is_reconcile or spec.replication_key is None
            records = size if is_first or spec.replication_key is None else int(size * chance.uniform(0.0, 0.012))
            began = at + timedelta(seconds=12 * number)
            fails = (provider, spec.name) == ("copper", "leads") and ago < FAILING * 4
            rows.append(
                {
                    "run_id": at.strftime("%Y%m%dT%H%M%SZ"),
                    "stream": spec.name,
                    "provider": provider,
                    "mode": "full"
                    if is_first or spec.replication_key is None
                    else "reconcile"
                    if whole
                    else "incremental",
                    "read_to": began - timedelta(seconds=5) if spec.replication_key and not fails else None,
                    "requests": 1 + (size if whole else records) // 190,
                    "retries": int(chance.random() < AGAIN),
                    "rate_limited": chance.choice((0,) * 40 + (3,)) * (number % 3 == 0),
                    "seconds_waited": round(chance.uniform(0, 2), 3),
                    "records": 0 if fails else records,
                    "distinct_ids": 0 if fails else records,
                    "source_total": size if size > FEW else None,
                    "unexplained": 0,
                    "misfits": 3 if (spec.name, ago) == ("opportunities", 0) else 0,
                    "deletions": chance.randrange(8) if whole and spec.replication_key and not is_first else 0,
                    "whole_since": began if whole and not fails else None,
                    "complete": not fails,
                    "error": FAILURE if fails else None,
                    "notes": json.dumps([RENAMED] if (provider, spec.name, ago) == ("copper", "people", 5) else []),
                    "started": began,
                    "finished": began + timedelta(seconds=11),
                }
            )
    return [[_plain(row.get(name)) for name in columns] for row in rows]


def _plain(value: object) -> object:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
