"""The small lists: all of their rows, in pages or without, by their own keys, and none of their secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import DETAILS, LISTED, PER_PARENT, differences
from tests.singer import merged

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

TINY = {"leads": 5, "contacts": 5, "opportunities": 3, "tasks": 3, "activities": 30, "events": 5, "custom_fields": 4}
LONG = {
    **TINY,
    "users": 105,
    "inactive_users": 20,
    "small_lists": 105,
    "custom_fields": 105,
    "sequences": 8,
    "sequence_subscriptions": 60,
    "comments": 120,
}


@pytest.mark.parametrize(
    ("has_more", "streams"),
    [("missing", LISTED), ("shown", ("outcomes", "webhooks", "pipelines", "groups", "phone_numbers"))],
    ids=["missing", "shown"],
)
def test_lists_of_more_than_a_page_arrive_whole(start_some: Start, has_more: str, streams: tuple[str, ...]) -> None:
    """Those that come in pages of 100, and those that come all at once."""
    app, tap = start_some(streams, LONG, unpaged_has_more=has_more)
    run = tap.sync()
    for stream in streams:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
        assert run.count(stream) == len(run.keys(stream))
    audit = run.audit()
    assert all(row["complete"] for row in audit.values())
    assert audit["outcomes"]["requests"] == 2
    assert audit["webhooks"]["requests"] == 1


def test_a_parent_with_more_children_than_a_page(start_some: Start) -> None:
    """150 subscriptions of one sequence, none of another."""
    app, tap = start_some(("sequence_subscriptions",), {**TINY, "sequences": 3, "sequence_subscriptions": 150})
    first = app.account.lists["sequences"][0]["id"]
    for subscription in app.account.lists["sequence_subscriptions"]:
        subscription["sequence_id"] = first
    run = tap.sync()
    stream = "sequence_subscriptions"
    assert differences(app.account, stream, merged(stream, run)) == {}
    assert run.audit()[stream]["distinct_ids"] == 150


def test_empty_lists_are_believed(start_some: Start) -> None:
    """An account in which hardly anything was set up."""
    shape = {"small_lists": 0, "sequences": 0, "comments": 0, "custom_fields": 0, "inactive_users": 0}
    app, tap = start_some(LISTED, {**TINY, **shape})
    run = tap.sync()
    for stream in LISTED:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] for row in run.audit().values())


def test_secrets_that_close_hands_out_never_leave_the_tap(start_some: Start) -> None:
    """Their fields arrive masked, so that one sees what is set; what is not set is null."""
    app, tap = start_some(("webhooks", "exports", "connected_accounts", "send_as", "integration_links", "events"), TINY)
    app.account.lists["exports"][0]["download_url"] = "https://files.example/secret-link"
    account = app.account.lists["connected_accounts"][0]
    account |= {
        "imap": {"host": "imap.example.com", "password": "secret-imap"},
        "smtp": {"host": "smtp.example.com", "password": "secret-smtp"},
        "access_token": "secret-token",
        "refresh_token": {"value": "secret-refresh"},
    }
    keys = [hook["signature_key"] for hook in app.account.lists["webhooks"]]
    run = tap.sync()
    output = json.dumps(run.messages, default=str) + run.log
    assert "secret-" not in output
    assert len(keys) > 3
    assert not any(key in output for key in keys)
    assert tap.config["api_key"] not in output
    assert {hook["signature_key"] for hook in run.records("webhooks")} == {"********"}
    links = {export["id"]: export["download_url"] for export in run.records("exports")}
    assert set(links.values()) == {"********", None}
    (arrived,) = [one for one in run.records("connected_accounts") if one["id"] == account["id"]]
    assert arrived["imap"] == {"host": "imap.example.com", "password": "********"}
    assert arrived["smtp"] == {"host": "smtp.example.com", "password": "********"}
    assert arrived["_extra"] == {"access_token": "********", "refresh_token": {"value": "********"}}


def test_smart_views_of_all_types_arrive(start_some: Start) -> None:
    """Without being asked, Close lists those of leads only."""
    app, tap = start_some(("smart_views",), TINY)
    run = tap.sync()
    assert differences(app.account, "smart_views", merged("smart_views", run)) == {}
    assert {view["type"] for view in run.records("smart_views")} > {"lead", "contact", "email", "call"}
    assert run.audit()["smart_views"]["requests"] == 1


def test_smart_views_where_several_types_at_once_are_refused(start_some: Start) -> None:
    """Then each type is asked for, which the audit notes."""
    app, tap = start_some(("smart_views",), TINY)

    def unknown(moment: Moment) -> None:
        query = moment.request.query
        if moment.when == "before" and "type__in" in query:
            query["unheard_of"] = query.pop("type__in")

    app.on_answer(unknown)
    run = tap.sync()
    assert differences(app.account, "smart_views", merged("smart_views", run)) == {}
    row = run.audit()["smart_views"]
    assert row["complete"]
    assert "type__in" in "".join(row["notes"])


@pytest.mark.parametrize(
    ("stream", "path", "column"),
    [("custom_fields", "custom_field/shared", "object_type"), ("bulk_actions", "bulk_action/delete", "action")],
)
def test_a_kind_that_the_key_may_not_read_is_noted(start_some: Start, stream: str, path: str, column: str) -> None:
    """The plan or the role may lack one; the other kinds arrive."""
    app, tap = start_some((stream,), TINY, forbidden=[path])
    run = tap.sync()
    kind = path.partition("/")[2]
    assert differences(app.account, stream, merged(stream, run)).keys() == {"missing"}
    others = [one for one in app.account.records(stream) if one.get("kind", one.get("object_type")) != kind]
    assert run.count(stream) == len(others) > 0
    assert kind not in {record[column] for record in run.records(stream)}
    assert f"{column} {kind} is not readable with this key" in run.audit()[stream]["notes"]


def test_former_members_are_told_from_present_ones(start_some: Start) -> None:
    """Users are present members only, so owners of old records are found in memberships alone."""
    app, tap = start_some(("users", "memberships"), TINY)
    run = tap.sync()
    users = {user["id"] for user in run.records("users")}
    members = {one["user_id"]: one["is_active"] for one in run.records("memberships")}
    assert {user for user, active in members.items() if active} == users
    assert len(members) - len(users) == app.account.shape.inactive_users > 0


def test_lists_that_need_a_parent_are_complete_where_they_are_selected(start_some: Start) -> None:
    """Comments for each thread, custom objects for each lead: a request for each, so not by default."""
    app, tap = start_some(PER_PARENT, {**TINY, "leads": 12, "custom_objects": 130, "comments": 20})
    for record in app.account.lists["custom_objects"][:110]:
        record["lead_id"] = app.account.lists["custom_objects"][0]["lead_id"]
    run = tap.sync()
    for stream in PER_PARENT:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    audit = run.audit()
    assert all(row["complete"] for row in audit.values())
    assert audit["custom_objects"]["requests"] <= 12 + 6
    assert "costs a request for each lead" in run.log


def test_they_are_not_asked_for_otherwise(start: Start) -> None:
    """No SCHEMA, no request."""
    app, tap = start(TINY)
    run = tap.sync()
    assert not {*PER_PARENT, *DETAILS} & run.schemas.keys()
    assert not {"comment", "custom_object"} & _paths(app.stats.log)


def _paths(log: Any) -> set[str]:  # noqa: ANN401
    return {one.path for one in log}
