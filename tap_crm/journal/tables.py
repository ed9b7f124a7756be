"""The readable part of a journal: the tables that others than ``target-crm`` may rely on (docs/two-way.md)."""

from __future__ import annotations

import sqlalchemy as sa

#: Raised whenever a table changes its form.
VERSION = "1"
#: What is noted of a journal as a whole: its form, what tells it from all others, the CRM and the account (as a mark)
#: that it is of.
FORM, IDENTITY, PROVIDER, ACCOUNT = "version", "id", "provider", "account"

METADATA = sa.MetaData()
#: Whole numbers that SQLite counts by itself.
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

#: What holds for the journal as a whole.
FACTS = sa.Table(
    "target_crm_facts",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
#: One row for each record that was written, or may have been, in the order in which that was settled. Rows are added
#: and never changed; times are epoch seconds.
WRITES = sa.Table(
    "target_crm_writes",
    METADATA,
    sa.Column("sequence", NUMBER, primary_key=True, autoincrement=True),  # numbers are never given twice
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("crm_id", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),  # names, as a JSON list
    sa.Column("changed_before", sa.Float),  # the CRM's own time, as the next one
    sa.Column("changed", sa.Float),
    sa.Column("meant", sa.Float, nullable=False),
    sa.Column("settled", sa.Float, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
