"""The config contract: the settings that a user may set, as a JSON schema."""

from __future__ import annotations

from singer_sdk import typing as th

OAUTH_NEEDED = ("client_id", "client_secret", "refresh_token", "token_file")

CONFIG = th.PropertiesList(
    th.Property(
        "provider",
        th.StringType,
        required=True,
        description="Which CRM is read: `copper`, `close` or `copera`.",
    ),
    th.Property(
        "api_key",
        th.StringType,
        secret=True,
        description="The CRM's API key; Copera's token (`cp_pat_…`, `cp_key_…`, `cp_oat_…`).",
    ),
    th.Property("user_email", th.StringType, description="Copper: the e-mail of the user that owns the key."),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        description="A static OAuth bearer token, instead of `api_key`.",
    ),
    th.Property(
        "oauth",
        th.CustomType(
            {
                "type": ["object", "string", "null"],
                "properties": {name: {"type": ["string", "null"]} for name in (*OAUTH_NEEDED, "token_url")},
            }
        ),
        secret=True,
        description="Close: an OAuth app's `client_id`, `client_secret` and a `refresh_token`, and the `token_file` in "
        "which the tap keeps the tokens that follow on it; as an object or as JSON text. `token_url` overrides the "
        "CRM's token address.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        description="Overrides the API's base URL, path prefix included (`http://127.0.0.1:9000/developer_api/v1`).",
    ),
    th.Property(
        "start_date",
        th.StringType,
        description="Earliest change to read on a first run, ISO 8601 (`2026-01-01` or `2026-01-01T00:00:00Z`). "
        "Without it, everything is read.",
    ),
    th.Property(
        "requests_per_minute",
        th.IntegerType,
        description="Overrides the CRM's documented limit, under which requests are spaced evenly; 0 switches "
        "pacing off. Lower it where other integrations use the same account.",
    ),
    th.Property(
        "overlap_seconds",
        th.IntegerType,
        default=300,
        description="How far each run re-reads before its bookmark, for records that appear late in the CRM's index.",
    ),
    th.Property(
        "activity_lookback_days",
        th.NumberType,
        default=1,
        description="How far each run re-reads activities, whose edits and late entries the API cannot filter on.",
    ),
    th.Property(
        "reconcile",
        th.CustomType({"type": ["string", "boolean", "null"]}),
        default="auto",
        description="Streams with a bookmark: when to read them completely beside it, which finds deletions: `auto` "
        "(every `reconcile_days`), `true` (in this run) or `false` (never). Copera: when to write all rows of a table "
        "anew.",
    ),
    th.Property(
        "reconcile_days",
        th.NumberType,
        default=7,
        description="How long after a reconcile the next one is due, with `reconcile: auto`.",
    ),
    th.Property(
        "reconcile_max_requests",
        th.IntegerType,
        description="About how many requests the reconciles of one run may use; the next run goes on where they "
        "stopped. Without it, as many as they need.",
    ),
    th.Property(
        "max_deletions_percent",
        th.NumberType,
        default=20,
        description="A stream of which more than this, and at least 100 rows, seems to be deleted fails, and nothing "
        "is marked: a lost permission looks the same. Raise it for one run when they are deleted indeed.",
    ),
    th.Property(
        "max_unexplained_percent",
        th.NumberType,
        default=1,
        description="A stream fails, and its bookmark stays, if more than this, and at least 10, of the records that "
        "the CRM itself counts are never shown. Fewer are told in `sync_audit` as `unexplained`, and nothing counts as "
        "deleted meanwhile. Raise it where the CRM counts records that it does not give.",
    ),
    th.Property(
        "date_order",
        th.StringType,
        default="mdy",
        allowed_values=["mdy", "dmy"],
        description="Copper: how the account writes dates that come as text: `mdy` (1/31/2026) or `dmy` (31/1/2026).",
    ),
    th.Property(
        "custom_fields",
        th.StringType,
        default="columns",
        allowed_values=["columns", "raw", "both"],
        description="How custom fields, and the columns of Copera's tables, arrive: `columns` (a typed column each, "
        "with labels), `raw` (in one property, in the form in which the CRM has them) or `both`; in Copera, `both` "
        "has the ids of options as well.",
    ),
    th.Property(
        "custom_field_names",
        th.StringType,
        default="name",
        allowed_values=["name", "id"],
        description="Copper, Close: of what the names of custom fields' columns are made: `name` "
        "(`custom_shoe_size`) or `id` (`custom_126240`), which no renaming changes.",
    ),
    th.Property(
        "tables",
        th.ArrayType(
            th.ObjectType(
                th.Property("board", th.StringType),
                th.Property("table", th.StringType),
                th.Property("stream", th.StringType),
            )
        ),
        description="Copera: names the streams of tables: a list of `board` and `table` (ids or names) and `stream` "
        "(such as `leads`). Other tables are called `<board>__<table>`.",
    ),
    th.Property(
        "endpoints",
        th.CustomType({"type": ["array", "string", "null"], "items": {"type": "object"}}),
        description="Further endpoints of the CRM's API as streams: a list of objects with `stream`, `path`, `keys` "
        "and more (docs/endpoints.md), as a list or as JSON text.",
    ),
    th.Property(
        "retry_seconds",
        th.IntegerType,
        default=600,
        description="How long a failing request is tried again before its stream fails.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType,
        default=120,
        description="How long an answer may stay silent before the request counts as failed and is tried again.",
    ),
).to_dict()
