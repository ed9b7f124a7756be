"""The journal's tables, but for those that others may read.

A key is text: the value of a single field, or a JSON list of several.
"""

from __future__ import annotations

import sqlalchemy as sa

from tap_crm.journal.tables import METADATA, NUMBER

#: States of an intent: sent or about to be; with a known end; certainly never sent; given up by a person.
OPEN, SETTLED, VOID, DROPPED = "open", "settled", "void", "dropped"

#: One row a run.
RUNS = sa.Table(
    "target_crm_runs",
    METADATA,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("began", sa.Float, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("end", sa.Text),
    sa.Column("report", sa.Text),
    sa.Column("report_size", NUMBER),
)
#: The last known end of each key, and the CRM's id of it.
RECORDS = sa.Table(
    "target_crm_records",
    METADATA,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("crm_id", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("changed", sa.Float),  # the CRM's own time of our last write
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
sa.Index("target_crm_records_by_object", RECORDS.c.object, RECORDS.c.key)
#: Each write that was meant, before it is sent, and what became of it.
INTENTS = sa.Table(
    "target_crm_intents",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("crm_id", sa.Text),
    sa.Column("changes", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("settled", sa.Float),
)
sa.Index("target_crm_intents_by_key", INTENTS.c.stream, INTENTS.c.key)
sa.Index("target_crm_intents_by_state", INTENTS.c.state)
#: Records that the CRM or the target refused, kept to be tried again.
REJECTS = sa.Table(
    "target_crm_rejects",
    METADATA,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("properties", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("first", sa.Float, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
)
sa.Index("target_crm_rejects_by_first", REJECTS.c.stream, REJECTS.c.first, REJECTS.c.key)
#: Lines of the report, until it is certain that they are in it.
LINES = sa.Table(
    "target_crm_lines",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
)
