"""The tables of the inbox, in SQLite and PostgreSQL. Times are microseconds since 1970."""

from __future__ import annotations

import sqlalchemy as sa

#: Raised whenever the tables change their form.
VERSION = 1

METADATA = sa.MetaData()
_WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, _WHOLE, nullable=False, default=0)


#: One row: the form of the tables, the last place that was given, and when a receiver last ran. Who appends holds its
#: lock until the commit.
PLACES = sa.Table(
    "tap_crm_inbox_places",
    METADATA,
    sa.Column("id", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("version", _WHOLE, nullable=False),
    sa.Column("last", _WHOLE, nullable=False),
    sa.Column("alive_at", _WHOLE),
)
#: One row: what tells this inbox from one that is made anew in its place; a copy of it has the same.
IDENTITIES = sa.Table(
    "tap_crm_inbox_identities",
    METADATA,
    sa.Column("id", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("identity", sa.Text, nullable=False),
)
#: What arrived and was not removed yet.
EVENTS = sa.Table(
    "tap_crm_inbox_events",
    METADATA,
    sa.Column("place", _WHOLE, primary_key=True, autoincrement=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("received_at", _WHOLE, nullable=False),
    sa.Column("stale", sa.Boolean, nullable=False),
    sa.Column("size", _WHOLE, nullable=False),
    sa.Column("reason", sa.Text),  # of a gap
    sa.Column("body", sa.LargeBinary, nullable=False),
)
sa.Index("tap_crm_inbox_events_by_provider", EVENTS.c.provider, EVENTS.c.place)
#: One row for each CRM: places that were reached, and counts since the inbox was made.
PROVIDERS = sa.Table(
    "tap_crm_inbox_providers",
    METADATA,
    sa.Column("provider", sa.Text, primary_key=True),
    _count("newest"),  # the last place of this CRM
    _count("confirmed"),  # up to here, events were used
    _count("removed"),  # the last place that was removed
    _count("bytes"),  # of the bodies that are kept
    _count("received"),
    _count("stale"),
    _count("gaps"),
    _count("refused"),
)
#: What the command subscribed to, so that it touches nothing else.
SUBSCRIPTIONS = sa.Table(
    "tap_crm_inbox_subscriptions",
    METADATA,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("signature_key", sa.Text),
    sa.Column("made_at", _WHOLE, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
)
