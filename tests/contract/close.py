"""Close, as the contract's tests see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.close import API_KEY, SECOND_KEY, CloseSandbox, Shape, close_app
from sandbox.close.small_lists import LISTS
from tests.close import truth
from tests.contract.crm import Crm, Knobs, living
from tests.copies import app_of

if TYPE_CHECKING:
    from tests.singer import Key, Run

#: Requests of a stream of which nothing changed, and of the log of deletions.
LOGGED = 9


class Close(Crm):
    """Searches by change time, lists by position, a log of changes."""

    name = "close"
    config: ClassVar[dict[str, Any]] = {"api_key": API_KEY}
    shape: ClassVar[dict[str, Any]] = {
        "leads": 70,
        "contacts": 60,
        "opportunities": 60,
        "tasks": 60,
        "activities": {"emails": 40, "notes": 40},
        "events": 40,
        "custom_fields": 3,
    }
    everything: ClassVar[dict[str, Any]] = {"activities": 150}
    # Small pages, so that a small account has many.
    knobs: ClassVar[Knobs] = {
        "limit_caps": {"data/search": 40, "opportunity": 25, "task": 25, "activity": 25, "event": 20}
    }
    default = truth.ALL
    unselected = (*truth.PER_PARENT, *truth.DETAILS)
    whole = truth.ALL
    streams = (
        *("leads", "contacts", "opportunities", "tasks", "emails", "notes", "events"),
        *("memberships", "sequence_subscriptions", "organization", "groups", "users", "outcomes"),
    )
    keys: ClassVar[dict[str, tuple[str, ...]]] = truth.KEYS
    replication: ClassVar[dict[str, str]] = {
        **dict.fromkeys((*truth.CHANGING, "events"), "date_updated"),
        **dict.fromkeys(truth.ACTIVITIES, "date_created"),
    }
    # The log of deletions is one request; that of tasks, of which there are many types, is the log of everything.
    edited: ClassVar[dict[str, int]] = {"leads": 9, "contacts": 9, "opportunities": 9, "tasks": 9}
    changed: ClassVar[dict[str, str]] = dict.fromkeys(truth.CHANGING, "date_updated")
    listed = ("outcomes", "lead_statuses")
    broken = ("opportunities", "opportunity")
    slow = ("data/search", "event", "opportunity", "activity/email")
    endless_doubt = frozenset({"empty_page"})
    tells_deletions = True
    left_out: ClassVar[dict[str, tuple[Knobs, tuple[str, ...]]]] = {
        "many": (
            {
                "forbidden": [
                    *("webhook", "export", "event", "data/search", "activity/sms", "role", "bulk_action"),
                    *("organization", "dialer"),
                ]
            },
            (
                *("webhooks", "exports", "events", "leads", "contacts", "sms", "roles", "bulk_actions"),
                *("organization", "memberships", "dialers"),
            ),
        ),
        "organization": ({"forbidden": ["organization"]}, ("organization", "memberships")),
        "me": ({"forbidden": ["me"]}, ("organization", "memberships")),
    }
    nothing: ClassVar[Knobs | None] = {
        "forbidden": [
            *LISTS,
            "custom_field_schema",
            "me",
            "organization",
            "data",
            "opportunity",
            "task",
            "event",
            "activity",
        ]
    }
    wrong = (
        ({"api_key": ""}, ("`api_key` is missing", "oauth")),
        ({"activity_lookback_days": -1}, ("`activity_lookback_days`",)),
    )
    no_effect = ("date_order", "dmy")
    alone = ("notes", frozenset({"activity/note", "me"}))
    deselected = ("leads.addresses", "leads.custom_fields", "notes.note_html", "webhooks.signature_key", "tasks._extra")
    forgotten: ClassVar[dict[str, str]] = {"contacts": "title", "notes": "note"}
    idle: ClassVar[dict[str, int]] = {
        **dict.fromkeys((*truth.CHANGING, *truth.ACTIVITIES, "events", "outcomes"), LOGGED),
        "organization": 2,
        "memberships": 2,
        "groups": 4,
        "sequence_subscriptions": 5,
    }

    def app(self, shape: dict[str, Any], **knobs: Any) -> CloseSandbox:  # noqa: ANN401
        """Return the server of an organization."""
        return app_of(close_app, Shape, shape, **knobs)

    def differences(self, app: CloseSandbox, stream: str, *runs: Run) -> dict[str, Any]:
        """Compare all values; those of custom fields as they come."""
        return truth.differences(app.account, stream, living(stream, *runs))

    def other_key(self, app: CloseSandbox) -> dict[str, Any]:  # noqa: ARG002
        """Return the second key."""
        return {"api_key": SECOND_KEY}

    def add_unknown(self, app: CloseSandbox) -> dict[str, Any]:
        """Put a field into the records that are kept as text, and into a list; searches give only what is asked for."""
        for stream in ("notes", "opportunities", "tasks"):
            for row in app.account.tables[stream]:
                row.raw = row.raw[:-1] + b',"brand_new":{"a":1.50}}'
        for record in app.account.lists["outcomes"]:
            record["brand_new"] = [1]
        return {"notes": {"a": 1.5}, "opportunities": {"a": 1.5}, "tasks": {"a": 1.5}, "outcomes": [1]}

    def drop(self, app: CloseSandbox, stream: str) -> set[Key]:
        """Take the last record out of a list."""
        return {(app.account.lists[stream].pop()["id"],)}
