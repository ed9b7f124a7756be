"""Copper, as the demo shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copper import API_KEY, USER_EMAIL
from scripts.demo_crm import Change, Crm, Table, truth_of

if TYPE_CHECKING:
    from sandbox.client import Client
    from scripts.demo_crm import Record


def _layouts(client: Client) -> list[Record]:
    """Copper's form layouts: opportunities have one for each pipeline."""
    layouts: list[Record] = []
    for entity in ("people", "companies", "leads", "opportunities", "projects", "tasks"):
        pipelines = [row["id"] for row in client.control("truth/pipelines")] if entity == "opportunities" else [0]
        for pipeline in pipelines:
            query = {"pipeline_id": pipeline} if pipeline else {}
            rows = client.get(f"field_layouts/by_entity/{entity}", **query).json()
            place = {"entity": entity, "pipeline_id": pipeline}
            layouts += [{**place, **row, "field_id": str(row["field_id"])} for row in rows]
    return layouts


_CHANGING = ("people", "companies", "leads", "opportunities", "projects", "tasks", "activities")
_LISTS = (
    *("account", "pipelines", "pipeline_stages", "users", "custom_activity_types", "contact_types"),
    *("customer_sources", "loss_reasons", "lead_statuses", "webhooks"),
)

COPPER = Crm(
    name="copper",
    title="Copper",
    extractor="tap-copper",
    schema="copper",
    server=(
        *("--people", "5000", "--companies", "1500", "--opportunities", "1500", "--leads", "1000"),
        *("--activities", "5000", "--tasks", "1000", "--projects", "300", "--rate-limit", "0"),
    ),
    settings={
        "TAP_COPPER_API_KEY": API_KEY,
        "TAP_COPPER_USER_EMAIL": USER_EMAIL,
        "TAP_COPPER_REQUESTS_PER_MINUTE": "0",
    },
    tables={
        **{name: Table(("id",), truth_of(name), "date_modified") for name in _CHANGING},
        **{name: Table(("id",), truth_of(name)) for name in _LISTS},
        "custom_fields": Table(("id",), truth_of("custom_field_definitions")),
        "activity_types": Table(("id", "category"), truth_of("activity_types")),
        "tags": Table(("name",), truth_of("tags")),
        "field_layouts": Table(("entity", "pipeline_id", "field_id"), _layouts),
    },
    changes=(
        Change("40 people are edited", "edit", {"object": "people", "count": 40}),
        Change("12 people are created", "create", {"object": "people", "count": 12}),
        Change("3 companies are created", "create", {"object": "companies", "count": 3}),
        Change(
            "25 opportunities are won",
            "edit",
            {"object": "opportunities", "count": 25, "changes": {"status": "Won", "win_probability": 100}},
        ),
        Change("8 opportunities are created", "create", {"object": "opportunities", "count": 8}),
        Change("5 leads are converted", "convert", {"count": 5}),
        Change("30 activities are logged", "create", {"object": "activities", "count": 30}),
    ),
    deletions=(
        Change("15 people are deleted", "delete", {"object": "people", "count": 15}),
        Change("4 companies are merged into others", "merge", {"object": "companies", "count": 4}),
        Change("20 activities are deleted", "delete", {"object": "activities", "count": 20}),
    ),
    stages="""
        SELECT coalesce(pipelines.name, 'no pipeline') AS pipeline,
               coalesce(stages.name, 'no stage') AS stage,
               count(*) AS deals,
               coalesce(median(opportunities.converted_value), 0) AS amount
        FROM copper.opportunities AS opportunities
        LEFT JOIN copper.pipelines AS pipelines ON pipelines.id = opportunities.pipeline_id
        LEFT JOIN copper.pipeline_stages AS stages ON stages.id = opportunities.pipeline_stage_id
        GROUP BY pipelines.id, pipelines.name, stages.id, stages.name, stages.win_probability
        ORDER BY pipelines.id, stages.win_probability, stages.id
    """,
    currency="USD",
)
