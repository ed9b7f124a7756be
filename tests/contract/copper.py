"""Copper, as the contract's tests see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.copper import API_KEY, SECOND_KEY, USER_EMAIL, CopperSandbox, Shape, copper_app
from tests.contract.crm import Crm, Knobs, living
from tests.copies import app_of
from tests.copper import truth

if TYPE_CHECKING:
    from tests.singer import Key, Run


class Copper(Crm):
    """Searches by change time, lists in one answer, tags in parts."""

    name = "copper"
    config: ClassVar[dict[str, Any]] = {"api_key": API_KEY, "user_email": USER_EMAIL}
    shape: ClassVar[dict[str, Any]] = {
        "people": 210,
        "companies": 60,
        "opportunities": 12,
        "leads": 60,
        "projects": 12,
        "tasks": 12,
        "activities": 210,
        "custom_fields": 1,
        "tags": 30,
    }
    knobs: ClassVar[Knobs] = {"tags_page": 10}
    default = (*truth.SEARCHED, *truth.LISTED)
    unselected = ("related_items", "related_links", "files")
    # Webhooks are masked, and layouts have no list of their own: these have tests of their own.
    whole = tuple(name for name in default if name not in ("webhooks", "field_layouts"))
    streams = (
        *("account", "tags", "people", "companies", "leads", "activities", "users", "activity_types"),
        *("customer_sources", "loss_reasons"),
    )
    keys: ClassVar[dict[str, tuple[str, ...]]] = {
        "activity_types": ("id", "category"),
        "tags": ("name",),
        "field_layouts": ("entity", "pipeline_id", "field_id"),
        "related_items": ("parent_type", "parent_id", "type", "id"),
        "files": ("parent_type", "parent_id", "id"),
    }
    replication: ClassVar[dict[str, str]] = {
        **dict.fromkeys(truth.SEARCHED, "date_modified"),
        "activities": "activity_date",
    }
    edited: ClassVar[dict[str, int]] = {"people": 1, "companies": 1, "leads": 1}
    changed: ClassVar[dict[str, str]] = {"people": "date_modified", "companies": "date_modified"}
    listed = ("loss_reasons", "customer_sources")
    broken = ("companies", "companies/search")
    counted = "search"
    slow = ("people/search", "companies/search")
    left_out: ClassVar[dict[str, tuple[Knobs, tuple[str, ...]]]] = {
        "leads switched off, a list forbidden": (
            {"leads_enabled": False, "forbidden": ["pipeline_stages"]},
            ("leads", "lead_statuses", "pipeline_stages"),
        )
    }
    wrong = (
        ({"api_key": ""}, ("`api_key` is missing",)),
        ({"user_email": "nobody@example.com"}, ("401", "user")),
        ({"user_email": None}, ("user_email",)),
        ({"date_order": "ymd"}, ("date_order",)),
    )
    no_effect = ("tables", [{"board": "Sales", "table": "Deals", "stream": "deals"}])
    alone = ("companies", frozenset({"companies/search", "account"}))
    deselected = ("people.emails", "people.details", "tags.count")
    forgotten: ClassVar[dict[str, str]] = {"people": "title"}
    idle: ClassVar[dict[str, int]] = {"tags": 3, "field_layouts": 20}

    def app(self, shape: dict[str, Any], **knobs: Any) -> CopperSandbox:  # noqa: ANN401
        """Return the server of an account."""
        return app_of(copper_app, Shape, shape, **knobs)

    def differences(self, app: CopperSandbox, stream: str, *runs: Run) -> dict[str, Any]:
        """Compare all values; those of custom fields as they come."""
        return truth.differences(app.account, stream, living(stream, *runs), self.key_of(stream))

    def other_key(self, app: CopperSandbox) -> dict[str, Any]:  # noqa: ARG002
        """Return the second key."""
        return {"api_key": SECOND_KEY}

    def add_unknown(self, app: CopperSandbox) -> dict[str, Any]:
        """Let each answer have a field more."""
        values = {name: {"brand_new": [1.5]} for name in ("people", "companies", "leads")}
        app.behaviour.extra_fields = values
        return {name: value["brand_new"] for name, value in values.items()}

    def drop(self, app: CopperSandbox, stream: str) -> set[Key]:
        """Take the last record out of a list."""
        return {(app.account.lists[stream].pop()["id"],)}
