"""Close, as the demo shows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox.close import API_KEY
from scripts.demo_crm import Change, Crm, Table, truth_of

if TYPE_CHECKING:
    from sandbox.client import Client
    from scripts.demo_crm import Record

_YEAR = 365 * 86_400

_CHANGING = (
    *("leads", "contacts", "opportunities", "tasks", "events"),
    *("emails", "email_threads", "calls", "notes", "meetings", "sms", "whatsapp_messages", "custom_activities"),
    *("created_activities", "form_submissions", "lead_status_changes", "opportunity_status_changes"),
    *("task_completed_activities", "lead_merges"),
)
_DATED_LISTS = (
    *("organization", "users", "roles", "pipelines", "custom_activity_types", "custom_object_types"),
    *("email_templates", "sms_templates", "sequences", "sequence_subscriptions", "smart_views", "integration_links"),
    *("phone_numbers", "blocked_phone_numbers", "dialers", "outcomes", "forms", "webhooks", "exports"),
)
_LISTS = (
    *("memberships", "groups", "lead_statuses", "opportunity_statuses", "connected_accounts", "send_as"),
    *("scheduling_links", "shared_scheduling_links"),
)


def _bulk_actions(client: Client) -> list[Record]:
    """Bulk actions of all kinds; which kind one is, Close tells by the list that it is in."""
    return [{**record, "action": record["kind"]} for record in client.control("truth/bulk_actions")]


def _won(client: Client) -> Record:
    """Some opportunities get the status that stands for won."""
    status = next(record for record in client.control("truth/opportunity_statuses") if record["type"] == "won")
    changes = {"status_id": status["id"], "status_label": status["label"], "status_type": "won"}
    return {"object": "opportunities", "count": 25, "changes": {**changes, "date_won": time.strftime("%Y-%m-%d")}}


def _old_mail(_: Client) -> Record:
    """Mail of last year, which a mailbox that was connected just now brings in."""
    return {"object": "emails", "count": 10, "dated": time.time() - _YEAR}


CLOSE = Crm(
    name="close",
    title="Close",
    extractor="tap-close",
    schema="close",
    server=(
        *("--leads", "5000", "--contacts", "7500", "--opportunities", "1500", "--tasks", "1500"),
        *("--activities", "10000", "--events", "1000", "--rate-limit", "0"),
    ),
    settings={"TAP_CLOSE_API_KEY": API_KEY, "TAP_CLOSE_REQUESTS_PER_MINUTE": "0"},
    tables={
        **{name: Table(("id",), truth_of(name), "date_updated") for name in (*_CHANGING, *_DATED_LISTS)},
        **{name: Table(("id",), truth_of(name), "updated_at") for name in ("playbooks", "comment_threads")},
        **{name: Table(("id",), truth_of(name)) for name in _LISTS},
        # The log does not tell of their edits, so an older version stays until the reconcile.
        "import_updates": Table(("id",), truth_of("import_updates")),
        "custom_fields": Table(("object_type", "id"), truth_of("custom_fields"), "date_updated"),
        "bulk_actions": Table(("action", "id"), _bulk_actions, "date_updated"),
        "unsubscribed_emails": Table(("email",), truth_of("unsubscribed_emails")),
    },
    changes=(
        Change("40 leads are edited", "edit", {"object": "leads", "count": 40}),
        Change("12 contacts are created", "create", {"object": "contacts", "count": 12}),
        Change("8 opportunities are created", "create", {"object": "opportunities", "count": 8}),
        Change("25 opportunities are won", "edit", _won),
        Change("30 calls are logged", "create", {"object": "calls", "count": 30}),
        Change("15 notes of the last three years are edited", "edit", {"object": "notes", "count": 15}),
        Change("a mailbox is connected: 10 mails of last year come in", "create", _old_mail),
        Change("3 leads are merged into others", "merge", {"count": 3}),
        Change("4 leads are deleted, with all that belongs to them", "delete", {"object": "leads", "count": 4}),
    ),
    deletions=(Change("3 templates of mails are deleted", "delete", {"object": "email_templates", "count": 3}),),
    # The log forgets after 30 days, and does not tell of `import_updates`, which go with their lead.
    gone="""
        SELECT object_id FROM close.events WHERE action = 'deleted'
        UNION ALL SELECT source_lead_id FROM close.lead_merges
        UNION ALL SELECT id FROM close.import_updates
        WHERE lead_id IN (SELECT object_id FROM close.events WHERE action = 'deleted')
        UNION ALL SELECT id FROM close.events
        WHERE date_updated < CAST(CURRENT_TIMESTAMP AS TIMESTAMP) - INTERVAL '29 days'
    """,
    stages="""
        SELECT coalesce(pipelines.name, 'no pipeline') AS pipeline,
               coalesce(statuses.label, 'no status') AS stage,
               count(*) AS deals,
               coalesce(median(opportunities.annualized_value), 0) / 100 AS amount  -- the column is in cents
        FROM close.opportunities AS opportunities
        LEFT JOIN close.opportunity_statuses AS statuses ON statuses.id = opportunities.status_id
        LEFT JOIN close.pipelines AS pipelines ON pipelines.id = statuses.pipeline_id
        WHERE opportunities.id NOT IN (SELECT object_id FROM close.events WHERE action = 'deleted')
        GROUP BY pipelines.id, pipelines.name, statuses.id, statuses.label, statuses.type
        ORDER BY pipelines.name, statuses.type = 'lost', statuses.type = 'won', statuses.label
    """,
    currency="USD a year",
)
