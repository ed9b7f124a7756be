"""A filter that Close ignores or refuses must cost requests, not records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

SHAPE: dict[str, Any] = {
    "leads": 15,
    "contacts": 10,
    "opportunities": 50,
    "tasks": 70,
    "activities": {"emails": 45, "notes": 36, "custom_activities": 33, "calls": 10},
    "events": 20,
    "custom_fields": 3,
}
STREAMS = ("opportunities", "tasks", "emails", "notes", "custom_activities", "calls")
#: Small ones, so that a small account has many.
PAGES = {"opportunity": 8, "task": 12, "activity": 6}


@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param({"ignored_filters": ["opportunity", "task", "activity"]}, id="all"),
        pytest.param({"ignored_filters": ["activity/email", "activity/custom"]}, id="some types of activity"),
        pytest.param({"ignored_filters": ["opportunity", "task", "activity"], "totals": "missing"}, id="no totals"),
        pytest.param({"ignored_filters": ["opportunity", "task", "activity"], "unstable_ties": True}, id="unstable"),
    ],
)
def test_every_record_arrives_where_filters_have_no_effect(start_some: Start, knobs: dict[str, Any]) -> None:
    """The list is read whole instead, and the audit says so."""
    streams = ("leads", *STREAMS)
    app, tap = start_some(streams, SHAPE, limit_caps=PAGES, **knobs)
    run = tap.sync()
    for stream in streams:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    audit = run.audit()
    assert all(row["complete"] for row in audit.values())
    big = [stream for stream in STREAMS if _ignored(stream, knobs) and audit[stream]["records"] > 15]
    assert big
    assert [stream for stream in big if not any("ignored by the CRM" in note for note in audit[stream]["notes"])] == []


def _ignored(stream: str, knobs: dict[str, Any]) -> bool:
    paths = {
        "opportunities": "opportunity",
        "tasks": "task",
        "emails": "activity/email",
        "custom_activities": "activity/custom",
    }
    path = paths.get(stream, "activity/other")
    return any(path.startswith(one) for one in knobs["ignored_filters"])


def test_a_later_run_brings_what_changed(start_some: Start) -> None:
    """Unchanged records are read, and left out."""
    app, tap = start_some(("opportunities", "tasks"), SHAPE, ignored_filters=["opportunity", "task"], limit_caps=PAGES)
    first = tap.sync()
    changed = {stream: set(app.account.edit(stream, count=7)) for stream in ("opportunities", "tasks")}
    second = tap.sync(state=first.state)
    for stream, ids in changed.items():
        assert {record["id"] for record in second.records(stream)} >= ids
        assert second.count(stream) < 20
        assert differences(app.account, stream, merged(stream, first, second)) == {}, stream


def test_a_list_that_cannot_be_bounded_and_is_longer_than_the_skip_cap_is_an_error(start_some: Start) -> None:
    """By name, exit code 1; the others are complete."""
    streams = ("leads", "opportunities", "tasks", "emails", "outcomes")
    knobs = {"ignored_filters": ["opportunity"], "skip_caps": {"opportunity": 30}, "totals": "missing"}
    app, tap = start_some(streams, {**SHAPE, "opportunities": 85}, limit_caps=PAGES, **knobs)
    run = tap.sync(expect=1)
    assert "`opportunities` is not complete" in run.log
    assert "Traceback" not in run.log
    audit = run.audit()
    assert not audit["opportunities"]["complete"]
    for stream in streams:
        if stream != "opportunities":
            assert differences(app.account, stream, merged(stream, run)) == {}, stream
            assert audit[stream]["complete"]
    assert "replication_key_value" not in run.state["bookmarks"].get("opportunities", {})


@pytest.mark.parametrize("stream", ["leads", "contacts"])
@pytest.mark.parametrize("often", ["once", "ever"])
def test_a_search_that_gives_ids_only_loads_no_rows_of_nulls(start_some: Start, stream: str, often: str) -> None:
    """Without `_fields` a search has nothing but ids: it is asked again, and named where that does not help."""
    app, tap = start_some((stream,), SHAPE)
    spoiled: list[str] = []

    def ignore(moment: Any) -> None:  # noqa: ANN401 - a moment
        body = json.loads(moment.request.body or b"{}")
        if moment.when == "before" and "_fields" in body and (often == "ever" or not spoiled):
            spoiled.append(moment.request.path)
            del body["_fields"]
            moment.request.body = json.dumps(body).encode()

    app.on_answer(ignore)
    run = tap.sync(expect=int(often == "ever"), retry_seconds=1 if often == "ever" else 60)
    assert spoiled
    if often == "once":
        assert differences(app.account, stream, merged(stream, run)) == {}
    else:
        assert run.records(stream) == []
        assert stream in run.log.splitlines()[-1]
