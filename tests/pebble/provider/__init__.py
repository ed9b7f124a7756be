"""Pebble: credentials, limit, streams."""

from __future__ import annotations

from pathlib import Path

from tap_crm.contract.stream import CustomFields, Identity, Provider, StreamSpec
from tests.pebble.provider.contacts import Contacts
from tests.pebble.provider.credentials import authenticate
from tests.pebble.provider.hashed import Hashed
from tests.pebble.provider.lists import OneAnswer, account_ids, fields_of

STREAMS = (
    StreamSpec("account", ("id",), OneAnswer("/me", "me")),
    StreamSpec(
        "contacts",
        ("id",),
        Contacts(),
        replication_key="updated_at",
        created="created_at",
        changed="updated_at",
        custom=CustomFields(Hashed(), fields_of),
        caught="new and edited records by the next run; deleted ones by the next reconcile",
    ),
    StreamSpec("labels", ("id",), OneAnswer("/labels", "labels")),
    StreamSpec("custom_fields", ("key",), OneAnswer("/contact_fields", "fields")),
)

PROVIDER = Provider(
    name="pebble",
    title="Pebble",
    base_url="https://api.pebble.example/v1",
    requests_per_minute=600,
    streams=STREAMS,
    authenticate=authenticate,
    unused=frozenset({"date_order", "activity_lookback_days"}),
    identity=Identity("account", account_ids),
    schemas=Path(__file__).parents[1] / "schemas",
)
