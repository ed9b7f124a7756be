"""The settings of the target, as a JSON schema: those of the connection are the tap's own."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from singer_sdk import typing as th

from tap_crm.config.schema import CONFIG as TAP

#: What the target has in common with the tap.
CONNECTION = (
    *("provider", "api_key", "user_email", "access_token", "oauth", "api_url", "requests_per_minute"),
    *("retry_seconds", "request_timeout_seconds", "date_order"),
)
_OWN = th.PropertiesList(
    th.Property(
        "streams",
        th.CustomType({"type": ["object", "string", "null"]}),
        description="What is written, and how: an object with a stream's settings by its name, `*` for all streams; "
        "as an object or as JSON text (docs/writing.md). A stream that is not named is refused.",
    ),
    th.Property(
        "journal",
        th.StringType,
        default="target-crm.sqlite",
        secret=True,
        description="Where is kept what was meant, sent and settled: a SQLite file, or a `postgresql+psycopg://` URL.",
    ),
    th.Property("report", th.StringType, description="A file to which a JSON line is added for each record."),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        description="Read and compare, report what would be done, and write nothing to the CRM or to the journal.",
    ),
    th.Property(
        "on_reject",
        th.StringType,
        default="fail",
        allowed_values=["fail", "tolerate"],
        description="How a run ends in which records were rejected, after all others are written: with 1 or with 0.",
    ),
    th.Property(
        "max_rejects_percent",
        th.NumberType,
        default=20,
        description="A stream is stopped if more than this, and at least 20, of its records were rejected.",
    ),
    th.Property(
        "max_deletions_percent",
        th.NumberType,
        default=5,
        description="Nothing of a stream is deleted if more than this, and at least 20, of its records in this run are "
        "deletions. Raise it for one run when they are meant.",
    ),
    th.Property(
        "lookup_seconds",
        th.IntegerType,
        default=120,
        description="For how long a record that may have been made is looked for, in an index that may lag, before "
        "it counts as not there.",
    ),
).to_dict()


def _schema() -> dict[str, Any]:
    shared = {name: deepcopy(TAP["properties"][name]) for name in CONNECTION}
    shared["provider"]["description"] = "Which CRM is written to: `copper`, `close` or `copera`."
    shared["oauth"]["description"] = shared["oauth"]["description"].replace("the tap keeps", "tap and target keep")
    return {"type": "object", "properties": {**shared, **_OWN["properties"]}, "required": ["provider"]}


CONFIG = _schema()
