"""Activities can be asked for by their creation only; the event log tells what else became of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import ACTIVITIES, differences
from tests.singer import merged
from tests.target import told

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start
    from tests.singer import Run

DAY = 86_400
WITHOUT_THE_LOG = ("leads", "notes", "calls", "emails")
WITH_IT = (*WITHOUT_THE_LOG, "events")
SHAPE: dict[str, Any] = {
    "leads": 12,
    "contacts": 5,
    "opportunities": 5,
    "tasks": 5,
    "activities": {"notes": 60, "calls": 30, "emails": 30, "meetings": 12},
    "events": 60,
    "custom_fields": 2,
}


def old(app: CloseSandbox, stream: str, count: int = 1) -> list[str]:
    """Return activities that lie before every look-back."""
    before = app.now() - 40 * DAY
    records = [one for one in app.account.records(stream) if app_time(one["date_created"]) < before]
    return [str(one["id"]) for one in records[:count]]


def app_time(text: str) -> float:
    """Return epoch seconds."""
    from datetime import datetime  # noqa: PLC0415

    return datetime.fromisoformat(text).timestamp()


def change_all(app: CloseSandbox) -> dict[str, list[str]]:
    """Edit an old note and an old call, date an e-mail back by three years, delete a note."""
    note, gone = old(app, "notes", 2)
    changed = {
        "notes": app.account.edit("notes", ids=[note]),
        "calls": app.account.edit("calls", ids=old(app, "calls")),
        "emails": app.account.create("emails", dated=app.now() - 3 * 365 * DAY),
    }
    app.account.delete("notes", ids=[gone])
    return {**changed, "gone": [gone]}


def ids(run: Run, stream: str) -> set[Any]:
    """Return the ids that came."""
    return {record["id"] for record in run.records(stream)}


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"id_in": "refused"},
        {"id_in": "ignored"},
        {"event_bounds": "first_page"},
        {"totals": "missing", "unstable_ties": True},
        {"limit_caps": {"event": 7, "activity": 10}},
        {"ignored_filters": ["activity"]},
    ],
    ids=["usual", "id__in refused", "id__in ignored", "bounds on the first page", "ties", "short pages", "no filters"],
)
def test_what_became_of_old_activities_arrives_by_the_next_run(start_some: Start, knobs: dict[str, Any]) -> None:
    """An edit, an entry with a date years ago; what was deleted is an event, and comes once more, marked."""
    app, tap = start_some(WITH_IT, SHAPE, **knobs)
    first = tap.sync()
    changed = change_all(app)
    second = tap.sync(state=first.state)
    for stream in ("notes", "calls", "emails"):
        assert ids(second, stream) >= set(changed[stream]), stream
        table = {key: one for key, one in merged(stream, first, second).items() if key[0] not in changed["gone"]}
        assert differences(app.account, stream, table) == {}, stream
    deleted = {event["object_id"] for event in second.records("events") if event["action"] == "deleted"}
    assert set(changed["gone"]) <= deleted
    assert set(told(second, "notes")) == set(changed["gone"])


def test_the_log_is_read_though_its_stream_is_not_selected(start_some: Start) -> None:
    """And nothing of it is written."""
    app, tap = start_some(WITHOUT_THE_LOG, SHAPE)
    first = tap.sync()
    changed = change_all(app)
    second = tap.sync(state=first.state)
    for stream in ("notes", "calls", "emails"):
        assert ids(second, stream) >= set(changed[stream]), stream
    assert second.count("events") == 0


def test_the_log_is_read_once_for_all_streams(start_some: Start) -> None:
    """Fifteen streams of activities and the stream of events ask for one log."""
    app, tap = start_some((*ACTIVITIES, "events"), SHAPE)
    first = tap.sync()
    change_all(app)
    app.stats.reset()
    tap.sync(state=first.state)
    assert app.stats.by_path["event"] <= 2


def test_without_the_log_only_the_look_back_is_read_again(start_some: Start) -> None:
    """The audit says so; a longer look-back reaches further."""
    app, tap = start_some(WITHOUT_THE_LOG, SHAPE, forbidden=["event"])
    first = tap.sync()
    recent = app.account.create("notes", dated=app.now() - 3 * 3600)
    changed = change_all(app)
    second = tap.sync(state=first.state)
    assert ids(second, "notes") >= set(recent)
    assert not ids(second, "notes") & set(changed["notes"])
    for stream in ("notes", "calls", "emails"):
        assert any("look-back" in note for note in second.audit()[stream]["notes"]), stream
    far = tap.sync(state=first.state, activity_lookback_days=4 * 365)
    for stream in ("notes", "calls", "emails"):
        assert ids(far, stream) >= set(changed[stream]), stream


def test_events_that_become_visible_late_are_caught_by_the_run_after(start_some: Start) -> None:
    """The bookmark stays behind what the log may not show yet."""
    app, tap = start_some(WITH_IT, SHAPE, event_lag=6.0)
    first = tap.sync()
    changed = change_all(app)
    second = tap.sync(state=first.state)
    app.behaviour.event_lag = 0.0
    app.account.log.table.settle(float("inf"))
    third = tap.sync(state=second.state)
    for stream in ("notes", "calls", "emails"):
        assert ids(second, stream) | ids(third, stream) >= set(changed[stream]), stream
    deleted = {event["object_id"] for run in (second, third) for event in run.records("events") if not event["data"]}
    assert set(changed["gone"]) <= deleted


@pytest.mark.parametrize("knobs", [{}, {"event_bounds": "first_page"}])
def test_edits_cost_a_request_for_every_thirty(start_some: Start, knobs: dict[str, Any]) -> None:
    """And the pages of the log that tell of them."""
    app, tap = start_some(("notes", "events"), {**SHAPE, "activities": {"notes": 180}}, **knobs)
    first = tap.sync()
    edited = app.account.edit("notes", ids=old(app, "notes", 150))
    app.stats.reset()
    second = tap.sync(state=first.state)
    assert len(edited) == 150
    assert ids(second, "notes") >= set(edited)
    assert differences(app.account, "notes", merged("notes", first, second)) == {}
    log = app.stats.by_path["event"]
    assert log <= 150 / 50 + 2
    assert app.stats.by_path["activity/note"] <= 150 / 30 + 2
    assert second.count("notes") <= 150 + 5


def test_a_stream_that_is_read_for_the_first_time_while_others_have_bookmarks(start_some: Start) -> None:
    """It is read whole; the others only what changed."""
    app, tap = start_some(WITH_IT, SHAPE)
    first = tap.sync()
    state = {"bookmarks": {name: value for name, value in first.state["bookmarks"].items() if name != "emails"}}
    changed = change_all(app)
    second = tap.sync(state=state)
    assert differences(app.account, "emails", merged("emails", second)) == {}
    assert second.state["bookmarks"]["emails"]["replication_key_value"]
    assert ids(second, "notes") >= set(changed["notes"])
    assert second.count("notes") < 15


def test_a_log_that_does_not_reach_back_to_the_last_run_is_said(start_some: Start) -> None:
    """Close keeps events for 30 days: older edits cannot be told."""
    _, tap = start_some(WITH_IT, SHAPE)
    first = tap.sync()
    state = first.state
    state["bookmarks"]["notes"]["replication_key_value"] = "2020-01-01T00:00:00Z"
    second = tap.sync(state=state)
    assert any("longer ago than the event log reaches" in note for note in second.audit()["notes"]["notes"])
    assert not any("longer ago" in note for note in second.audit()["calls"]["notes"])


def test_an_activity_that_is_edited_and_then_deleted_is_not_asked_for(start_some: Start) -> None:
    """Nor is it an error if it goes between the log and the question."""
    app, tap = start_some(WITH_IT, SHAPE)
    first = tap.sync()
    (note, other) = old(app, "notes", 2)
    app.account.edit("notes", ids=[note, other])
    app.account.delete("notes", ids=[note])

    def delete_the_other(moment: Any) -> None:  # noqa: ANN401
        if moment.when == "after" and moment.request.path == "event" and other in app.account.ids("notes"):
            app.account.delete("notes", ids=[other])

    app.on_answer(delete_the_other)
    second = tap.sync(state=first.state)
    assert set(told(second, "notes")) == ids(second, "notes") & {note, other} == {note}
    asked = [one.query.get("id__in", "") for one in app.stats.log if one.path == "activity/note"]
    assert not any(note in ids_asked for ids_asked in asked)


def test_an_event_log_that_leads_back_fails_by_name_and_ends(start_some: Start) -> None:
    """A cursor that was used before would be followed for ever; what does not need the log is read all the same."""
    app, tap = start_some(WITH_IT, SHAPE, limit_caps={"event": 10})
    first: list[str] = []

    def lead_back(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path == "event":
            body = json.loads(moment.answer.body)
            if body.get("cursor_next"):
                first.append(body["cursor_next"])
                body["cursor_next"] = first[0]
                moment.answer.body = json.dumps(body).encode()

    app.on_answer(lead_back)
    run = tap.sync(expect=1)
    assert "events: the CRM's cursors lead back" in run.log
    audit = run.audit()
    assert not audit["events"]["complete"]
    assert audit["notes"]["complete"]
