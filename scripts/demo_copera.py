"""Copera, as the demo shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.copera import PAT
from scripts.demo_crm import Change, Crm, Table, truth_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.client import Client
    from scripts.demo_crm import Record

BOARD = "Sales"
#: What the tables of the workspace are called as streams.
STREAMS = {"Leads": "leads", "People": "people", "Companies": "companies", "Deals": "opportunities"}

_DATED_LISTS = ("boards", "tables", "workspace", "teams", "channels", "documents", "drive_files", "notifications")


def _table(client: Client, name: str) -> Record:
    found: Record = next(one for one in client.control("truth/tables") if one["name"] == name)
    return found


def _column(client: Client, table: str, label: str) -> Record:
    found: Record = next(one for one in _table(client, table)["columns"] if one["label"] == label)
    return found


def _option(client: Client, table: str, column: str, label: str) -> str:
    """Return the id of an option, which is what cells have."""
    options = _column(client, table, column)["options"]
    return next(str(one["optionId"]) for one in options if one.get("label") == label)


def _rows(table: str, *labels: str) -> Callable[[Client], list[Record]]:
    """Return what asks for the rows of a table, some cells as properties; options by their present labels."""

    def read(client: Client) -> list[Record]:
        described = {label: _column(client, table, label) for label in labels}
        options = {
            one["optionId"]: one.get("label") or one["optionId"]
            for column in described.values()
            for one in column.get("options", ())
        }
        rows = client.control(f"truth/rows:{_table(client, table)['_id']}")
        for row in rows:
            cells = {cell["columnId"]: cell.get("value") or None for cell in row["columns"]}
            for label, column in described.items():
                value = cells.get(column["columnId"])
                row[label.lower()] = options.get(value, value)
        found: list[Record] = rows
        return found

    return read


def _rows_table(table: str, *labels: str) -> Table:
    return Table(("_id",), _rows(table, *labels), "updatedAt", tuple(label.lower() for label in labels))


def _custom_fields(client: Client) -> list[Record]:
    return [{**one, "table_id": one["table"], "id": one["columnId"]} for one in client.control("truth/columns")]


def _pipelines(client: Client) -> list[Record]:
    return [one for one in client.control("truth/columns") if one["type"] == "STATUS"]


def _participants(client: Client) -> list[Record]:
    return [
        {"channel": channel["_id"], "participantType": kind, "participant": one}
        for channel in client.control("truth/channels")
        for kind, name in (("user", "participantUserIds"), ("team", "participantTeamIds"))
        for one in channel.get(name) or ()
    ]


def _won(client: Client) -> Record:
    """Some deals get the stage that stands for won."""
    return {"object": "Deals", "count": 25, "changes": {"Stage": _option(client, "Deals", "Stage", "Won 🎉")}}


COPERA = Crm(
    name="copera",
    title="Copera",
    extractor="tap-copera",
    schema="copera",
    server=(
        *("--boards", "1", "--tables", "4", "--rows", "5000", "--documents", "100", "--drive-files", "100"),
        *("--bookings", "100", "--notifications", "100", "--rate-limit", "0"),
    ),
    settings={
        "TAP_COPERA_API_KEY": PAT,
        "TAP_COPERA_REQUESTS_PER_MINUTE": "0",
        "TAP_COPERA_TABLES": json.dumps(
            [{"board": BOARD, "table": table, "stream": stream} for table, stream in STREAMS.items()]
        ),
    },
    tables={
        "leads": _rows_table("Leads", "Name", "Stage", "Source"),
        "people": _rows_table("People", "Name", "Role"),
        "companies": _rows_table("Companies", "Name", "Industry"),
        "opportunities": _rows_table("Deals", "Name", "Stage"),
        "columns": Table(("table", "columnId"), truth_of("columns"), compared=("label", "type")),
        "custom_fields": Table(("table_id", "id"), _custom_fields),
        "pipelines": Table(("table", "columnId"), _pipelines),
        **{name: Table(("_id",), truth_of(name), "updatedAt") for name in _DATED_LISTS},
        "members": Table(("_id",), truth_of("members"), compared=("name",)),
        "channel_participants": Table(("channel", "participantType", "participant"), _participants),
        "bookings": Table(("uid",), truth_of("bookings"), compared=("status",)),
        "booking_types": Table(("_id",), truth_of("booking_types")),
    },
    changes=(
        Change("40 leads are edited", "edit", {"object": "Leads", "count": 40}),
        Change("12 people are added", "create", {"object": "People", "count": 12}),
        Change("25 deals are won", "edit", _won),
        Change("8 deals are added", "create", {"object": "Deals", "count": 8}),
        Change("5 leads are deleted", "delete", {"object": "Leads", "count": 5}),
        Change("3 companies are deleted", "delete", {"object": "Companies", "count": 3}),
        Change(
            "the stage New of leads is renamed to Fresh",
            "rename_option",
            {"table": "Leads", "column": "Stage", "option": "New", "label": "Fresh"},
        ),
        Change(
            "people get a column Region, filled in",
            "add_column",
            {"table": "People", "label": "Region", "type": "TEXT", "fill": True},
        ),
    ),
    stages="""
        SELECT pipelines.table_name || ': ' || pipelines.name AS pipeline,
               coalesce(stages.label, stages.optionId) AS stage,
               count(opportunities._id) AS deals,
               coalesce(median(opportunities.amount), 0) AS amount
        FROM copera.pipelines AS pipelines
        CROSS JOIN LATERAL (
            SELECT unnest(
                from_json(pipelines.stages, '[{"optionId": "VARCHAR", "label": "VARCHAR", "order": "DOUBLE"}]'),
                recursive := true
            )
        ) AS stages
        LEFT JOIN copera.opportunities AS opportunities
          ON opportunities.stage = coalesce(stages.label, stages.optionId)
        WHERE pipelines.stream = 'opportunities'
        GROUP BY pipelines.table_name, pipelines.name, stages.optionId, stages.label, stages.order
        ORDER BY pipeline, stages.order
    """,
)
