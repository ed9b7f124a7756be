"""A complete read now and then finds what is gone, marks nothing that lives, and concludes nothing from a part."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.behaviour import Churn
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tests.close.killing import killed
from tests.close.truth import ACTIVITIES, CHANGING, differences
from tests.singer import later
from tests.target import Target, told

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start
    from tests.singer import Key

ALL = (*CHANGING, *ACTIVITIES)
DAY = 86_400
#: A little of everything; what a test is about is larger.
SMALL = {
    "leads": 40,
    "contacts": 40,
    "opportunities": 40,
    "tasks": 40,
    "activities": {"emails": 40, "notes": 30, "meetings": 10},
    "events": 30,
    "custom_fields": 3,
    "custom_objects": 3,
    "comments": 3,
    "sequence_subscriptions": 4,
}
#: One of each way in which streams are read.
KINDS = (*CHANGING, "emails", "meetings")
#: So many that more than a hundred of them may be gone: fewer are believed whatever their part is.
MANY = 260
#: Small ones, so that a small account has many.
PAGES = {"activity": 10, "data/search": 20, "opportunity": 20, "task": 20}


def living_keys(app: CloseSandbox, stream: str) -> set[Key]:
    """Return the keys of what lives in the account."""
    return {(number,) for number in app.account.ids(stream)}


def wrongly_ended(app: CloseSandbox, target: Target, *streams: str) -> dict[str, set[Key]]:
    """Return the rows that an ACTIVATE_VERSION marked though they live; no id is ever used again."""
    found = {stream: target.ever_marked(stream) & living_keys(app, stream) for stream in streams}
    return {stream: keys for stream, keys in found.items() if keys}


def assert_equal(app: CloseSandbox, target: Target, *streams: str) -> None:
    """The rows that are not marked are the living truth, and nothing living is marked."""
    assert wrongly_ended(app, target, *streams) == {}
    for stream in streams:
        assert differences(app.account, stream, target.living(stream)) == {}, stream


def day(app: CloseSandbox, days_ago: float) -> str:
    """Return a moment as the setting ``start_date`` takes it."""
    return datetime.fromtimestamp(app.now() - days_ago * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_hundred_deletions_and_twenty_merges_are_found(start_some: Start) -> None:
    """With all that the leads had: the tables equal the living truth, what is gone is marked."""
    shape = {"leads": 200, "contacts": 80, "opportunities": 40, "tasks": 40, "activities": dict.fromkeys(ACTIVITIES, 8)}
    app, tap = start_some(ALL, {**SMALL, **shape}, limit_caps=PAGES)
    first = tap.sync()
    before = {stream: living_keys(app, stream) for stream in ALL}
    app.account.delete("leads", count=100)
    merged = app.account.merge(count=20)
    later(app, tap, BEHIND_THE_CLOCK + 1)  # a page of the last seconds would be left to a later run
    second = tap.sync(state=first.state, reconcile="true")
    target = Target(first, second)
    assert_equal(app, target, *ALL)
    for stream in ALL:
        assert target.marked(stream) == before[stream] - living_keys(app, stream), stream
        assert second.audit()[stream]["deletions"] == len(target.marked(stream)), stream
    assert {(number,) for number in merged} == target.ever_marked("leads")


@pytest.mark.parametrize("seed", range(2))
def test_a_reconcile_while_everything_changes_marks_nothing_that_lives(start_some: Start, seed: int) -> None:
    """Edits, deletions, creations and merges at every answer; after a quiet run the tables equal the truth."""
    shape = {"leads": 80, "contacts": 50, "opportunities": 50, "tasks": 60, "seed": seed}
    knobs = {"unstable_ties": seed == 1, "children_move_lead": seed == 1, "merge_deletes_source": True}
    app, tap = start_some(KINDS, {**SMALL, **shape}, limit_caps=PAGES, **knobs)
    first = tap.sync()
    app.account.delete("leads", count=6)
    app.behaviour.churn = Churn(edit=2, delete=1, create=1, merge=1, objects=[*KINDS])
    second = tap.sync(state=first.state, reconcile="true")
    target = Target(first, second)
    assert wrongly_ended(app, target, *KINDS) == {}
    app.behaviour.churn = Churn()
    target.take(tap.sync(state=second.state))
    assert_equal(app, target, *KINDS)
    assert all(target.activated(stream) for stream in KINDS)


# With a start date


def test_with_a_start_date_nothing_that_a_run_loaded_is_marked(start_some: Start) -> None:
    """Nor activities and tasks that were made before it and edited after it."""
    streams = ("leads", "opportunities", "tasks", "emails")
    app, tap = start_some(streams, {**SMALL, "activities": {"emails": 80}, "tasks": 80})
    tap.config["start_date"] = day(app, 400)
    first = tap.sync()
    for stream in streams:
        oldest = [str(record["id"]) for record in app.account.records(stream)[:10]]
        app.account.edit(stream, ids=oldest)
    gone = {stream: app.account.delete(stream, count=2) for stream in ("opportunities", "tasks")}
    second = tap.sync(state=first.state)
    third = tap.sync(state=second.state, reconcile="true")
    target = Target(first, second, third)
    assert wrongly_ended(app, target, *streams) == {}
    for stream in ("tasks", "opportunities"):
        assert not {(number,) for number in gone[stream]} & target.living(stream).keys(), stream
        assert target.activated(stream), stream
    fourth = tap.sync(state=third.state, reconcile="true")
    assert wrongly_ended(app, target.take(fourth), *streams) == {}


def test_a_look_back_that_reaches_behind_the_start_date_loads_nothing_that_is_marked_later(start_some: Start) -> None:
    """What a reconcile reads from the start date on, each run does."""
    app, tap = start_some(("notes", "meetings"), {**SMALL, "activities": {"notes": 60, "meetings": 20}})
    tap.config |= {"start_date": day(app, 200), "activity_lookback_days": 500}
    first = tap.sync()
    second = tap.sync(state=first.state)
    third = tap.sync(state=second.state, reconcile="true")
    target = Target(first, second, third)
    assert first.count("notes") > 0
    assert not target.ever_marked()
    assert second.keys("notes") <= first.keys("notes")


# Cut off, or spread


def test_a_killed_reconcile_marks_nothing_wrongly_and_the_next_run_completes_it(start_some: Start) -> None:
    """SIGKILL at six places, deletions and edits before each; half of the deletions are never told."""
    streams = ("leads", "tasks", "notes")
    shape = {"leads": 90, "tasks": 90, "activities": {"notes": 60}}
    caps = {"activity": 10, "data/search": 10, "task": 10}
    app, tap = start_some(streams, {**SMALL, **shape}, limit_caps=caps, deleted_missing=0.5)
    target, state = Target(run := tap.sync()), run.state
    unfinished = 0
    for place in range(6):
        for stream in streams:
            app.account.delete(stream, count=2)
            app.account.edit(stream, count=1)
        app.stats.reset()
        app.behaviour.latency_ms = 3
        cut_off = killed(tap, app, 5 + place * 5, state=state, reconcile="true")
        app.behaviour.latency_ms = 0
        assert wrongly_ended(app, target.take(cut_off), *streams) == {}
        state = cut_off.state or state
        unfinished += any("reconcile" in entry for entry in state["bookmarks"].values())
        run = tap.sync(state=state, reconcile="true")
        assert_equal(app, target.take(run), *streams)
        state = run.state
    assert unfinished > 2


def test_the_run_after_a_killed_reconcile_goes_on_with_it(start_some: Start) -> None:
    """Unasked, and from where it was: not all pages are asked for again."""
    app, tap = start_some(("leads",), {**SMALL, "leads": 180}, limit_caps={"data/search": 3}, deleted_missing=1.0)
    first = tap.sync()
    gone = app.account.delete("leads", count=8)
    app.stats.reset()
    app.behaviour.latency_ms = 3
    second = killed(tap, app, 55, state=first.state, reconcile="true")
    app.stats.reset()
    third = tap.sync(state=second.state)
    target = Target(first, second, third)
    assert "an earlier one was cut off, and goes on" in third.log
    assert target.ever_marked("leads") == {(number,) for number in gone}
    assert_equal(app, target, "leads")
    assert app.stats.requests < 60  # of pages alone there are so many


def test_a_budget_spreads_a_reconcile_over_runs(start_some: Start) -> None:
    """Each uses about as much as it may; nothing is marked before the last of them."""
    streams = ("leads", "tasks", "notes")
    app, tap = start_some(
        streams,
        {**SMALL, "leads": 120, "tasks": 120, "activities": {"notes": 120}},
        limit_caps={"data/search": 5, "task": 5, "activity": 5},
        deleted_missing=1.0,
    )
    first = tap.sync()
    gone = {stream: app.account.delete(stream, count=10) for stream in streams[1:]}
    gone["leads"] = app.account.delete("leads", count=1)
    target = Target(first)
    run, runs = first, 0
    spread: set[str] = set()
    while not all(len(target.activated(stream)) > 1 for stream in streams):
        app.stats.reset()
        run = tap.sync(state=run.state, reconcile="true", reconcile_max_requests=30)
        target.take(run)
        runs += 1
        goes_on = "reconcile: goes on in the next run, `reconcile_max_requests` is used up"
        spread |= {stream for stream, row in run.audit().items() if goes_on in row["notes"]}
        assert wrongly_ended(app, target, *streams) == {}
        assert app.stats.requests <= 30 + 3 * 14 + 10, app.stats.by_path
        assert runs < 20
    assert runs > 2
    assert spread == set(streams)
    for stream in streams:
        assert {(number,) for number in gone[stream]} <= target.ever_marked(stream), stream
    assert_equal(app, target, *streams)


def test_deletions_that_are_told_while_a_reconcile_is_spread_are_no_reason_to_stop(start_some: Start) -> None:
    """A part was counted before they were told, the rest after it."""
    streams = ("leads",)
    app, tap = start_some(streams, {**SMALL, "leads": MANY}, limit_caps={"data/search": 7})
    first = tap.sync()
    second = tap.sync(state=first.state, reconcile="true", reconcile_max_requests=10)
    app.account.delete("leads", count=120)
    third = tap.sync(state=second.state, reconcile="true", reconcile_max_requests=10)
    fourth = tap.sync(state=third.state, reconcile="true", reconcile_max_requests=1_000)
    fifth = tap.sync(state=fourth.state)
    assert_equal(app, Target(first, second, third, fourth, fifth), *streams)


# A lost permission


def test_leads_that_the_key_sees_no_more_are_not_marked(start_some: Start) -> None:
    """Half of them are gone from sight: exit code 1, the reason named, nothing concluded; seen again, all is well."""
    streams = ("leads", "contacts", "tasks")
    app, tap = start_some(streams, {**SMALL, "leads": MANY})
    first = tap.sync()
    app.behaviour.hidden = {"leads": 0.5}
    second = tap.sync(state=first.state, reconcile="true", expect=1)
    target = Target(first, second)
    assert not target.ever_marked()
    assert len(target.activated("leads")) == 1
    assert "leads: at least" in second.log
    assert "`max_deletions_percent` (20) allows" in second.log
    assert "streams are not complete: leads." in second.log
    audit = second.audit()
    assert "the key's user may no longer see them" in audit["leads"]["error"]
    assert audit["contacts"]["complete"]
    assert audit["tasks"]["complete"]
    app.behaviour.hidden = {}
    target.take(tap.sync(state=second.state, reconcile="true"))
    assert_equal(app, target, *streams)


def test_a_raised_limit_lets_them_be_marked(start_some: Start) -> None:
    """Whoever knows that they are gone says so."""
    app, tap = start_some(("leads",), {**SMALL, "leads": MANY})
    first = tap.sync()
    app.behaviour.hidden = {"leads": 0.5}
    second = tap.sync(state=first.state, reconcile="true", max_deletions_percent=60)
    target = Target(first, second)
    seen = {(str(one["id"]),) for one in app.account.visible("leads")}
    assert target.living("leads").keys() == seen
    assert second.audit()["leads"]["deletions"] == MANY - len(seen) > 100


@pytest.mark.parametrize("selected", [("leads",), ("leads", "emails")], ids=["the log of deletions", "the whole log"])
def test_many_deletions_that_the_log_told_of_do_not_stop_it(start_some: Start, selected: tuple[str, ...]) -> None:
    """40 % of the leads; also if the run that told of them was an earlier one."""
    app, tap = start_some(selected, {**SMALL, "leads": MANY})
    first = tap.sync()
    app.account.delete("leads", count=52)
    second = tap.sync(state=first.state)
    app.account.delete("leads", count=52)
    third = tap.sync(state=second.state, reconcile="true")
    target = Target(first, second, third)
    assert_equal(app, target, *selected)
    assert len(told(second, "leads")) == 52
    assert len(target.marked("leads")) == 104


def test_a_lost_permission_is_noticed_though_as_many_came_and_went_meanwhile(start_some: Start) -> None:
    """What was made and deleted since the last complete read was never among what it counted."""
    app, tap = start_some(("tasks",), {**SMALL, "tasks": MANY})
    first = tap.sync()
    later(app, tap, 60.0)
    passing = app.account.create("tasks", count=180)
    second = tap.sync(state=first.state)
    app.account.delete("tasks", ids=passing)
    third = tap.sync(state=second.state)
    app.behaviour.hidden = {"tasks": 0.5}
    fourth = tap.sync(state=third.state, reconcile="true", expect=1)
    assert "tasks: at least" in fourth.log
    target = Target(first, second, third, fourth)
    assert wrongly_ended(app, target, "tasks") == {}


def test_deletions_told_without_their_content_are_no_reason_to_stop_either(start_some: Start) -> None:
    """The log has said that they are gone."""
    app, tap = start_some(("contacts",), {**SMALL, "contacts": MANY}, admin_key=False)
    first = tap.sync()
    app.account.delete("contacts", count=104)
    later(app, tap, 7_200.0)
    second = tap.sync(state=first.state, reconcile="true")
    target = Target(first, second)
    assert len(target.ever_marked("contacts")) == 104
    assert_equal(app, target, "contacts")


def test_meetings_ahead_do_not_count_as_gone(start_some: Start) -> None:
    """They are dated by when they begin: later than whatever was counted."""
    app, tap = start_some(("meetings",), {**SMALL, "activities": {"meetings": MANY}, "future_meetings": 110})
    first = tap.sync()
    second = tap.sync(state=first.state, reconcile="true")
    assert second.audit()["meetings"]["deletions"] == 0
    app.account.delete("meetings", count=30)
    third = tap.sync(state=second.state, reconcile="true")
    assert_equal(app, Target(first, second, third), "meetings")


# A run that ends on its way


def test_a_deletion_is_told_by_the_next_run_if_this_one_dies_on_its_way(start_some: Start) -> None:
    """A bookmark that moves while pages come does not pass a deletion that comes after them."""
    app, tap = start_some(("leads",), {**SMALL, "leads": 300}, limit_caps={"data/search": 5})
    app.behaviour.clock_skew = -20_000.0
    first = tap.sync()
    (gone,) = app.account.delete("leads", count=1)
    deleted = app.now()
    for number in range(150):
        app.behaviour.clock_skew = -15_000.0 + 90 * number
        app.account.edit("leads", count=2)
    app.behaviour.clock_skew = 0.0
    app.stats.reset()
    app.behaviour.latency_ms = 15
    late = killed(tap, app, 25, state=first.state)
    moved = late.state["bookmarks"]["leads"]["replication_key_value"]
    assert told(late, "leads") == {}
    assert late.count("leads") > 20
    assert moved <= datetime.fromtimestamp(deleted + 300, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    third = tap.sync(state=late.state)
    assert (gone,) in Target(first, late, third).marked("leads")


# What is read completely by each run


def test_rows_that_leave_a_small_list_leave_the_target_by_the_next_run(start_some: Start) -> None:
    """Each run writes a version of its own; events stay."""
    streams = ("users", "email_templates", "custom_fields", "webhooks", "sequence_subscriptions", "outcomes")
    app, tap = start_some((*streams, "events"), SMALL)
    first = tap.sync()
    gone = {stream: _remove_one(app, stream) for stream in streams}
    second = tap.sync(state=first.state)
    target = Target(first, second)
    for stream in streams:
        assert target.ever_marked(stream) == {gone[stream]}, stream
        assert target.activated(stream) == sorted(set(target.activated(stream))), stream
        assert second.audit()[stream]["deletions"] == 1, stream
        assert differences(app.account, stream, target.living(stream)) == {}, stream
    assert not target.activated("events")
    assert not target.marked("events")


def _remove_one(app: CloseSandbox, stream: str) -> Key:
    record = app.account.lists[stream].pop()
    return (record["object_type"], record["id"]) if stream == "custom_fields" else (record["id"],)


def test_events_never_leave_the_target(start_some: Start) -> None:
    """Close forgets them after 30 days, a reconcile does not."""
    app, tap = start_some(("events", "leads"), SMALL)
    first = tap.sync()
    app.behaviour.event_reach = 86_400.0
    second = tap.sync(state=first.state, reconcile="true")
    target = Target(first, second)
    assert len(app.account.ids("events")) < first.count("events")
    assert not target.activated("events")
    assert not target.marked("events")
    assert not any("version" in message for message in second.messages if message.get("stream") == "events")


@pytest.mark.parametrize("selected", [("organization", "memberships"), ("memberships",)], ids=["both", "alone"])
def test_memberships_of_an_organization_that_is_not_readable_any_more_stay(
    start_some: Start, selected: tuple[str, ...]
) -> None:
    """The key's user belongs to two; one of them refuses for a while: nothing is concluded of it."""
    app, tap = start_some(selected, {**SMALL, "leads": 10})
    readable = [True]

    def second_organization(moment: Moment) -> None:
        answer, path = moment.answer, moment.request.path
        if answer is None:
            return
        if path == "me":
            me = json.loads(answer.body)
            answer.body = json.dumps({**me, "organizations": [*me["organizations"], {"id": "orga_two"}]}).encode()
        elif path == "organization/orga_two":
            other = {"id": "orga_two", "memberships": [{"id": "memb_two", "user_id": "user_two"}]}
            answer.status = 200 if readable[0] else 403
            answer.body = json.dumps(other if readable[0] else {"error": "no"}).encode()

    app.on_answer(second_organization)
    first = tap.sync()
    assert ("memb_two",) in first.keys("memberships")
    readable[0] = False
    second = tap.sync(state=first.state)
    target = Target(first, second)
    assert not target.ever_marked()
    for stream in selected:
        assert any("not readable with this key" in note for note in second.audit()[stream]["notes"]), stream
        assert len(target.activated(stream)) == 1, stream
    readable[0] = True
    target.take(tap.sync(state=second.state))
    assert all(len(target.activated(stream)) == 2 for stream in selected)


# Where Close does not do what it is asked


@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param({"ignored_filters": ["opportunity", "task", "activity"], "totals": "missing"}, id="no totals"),
        pytest.param({"ignored_filters": ["opportunity", "task"], "unstable_ties": True}, id="unstable"),
        pytest.param({"shortened_pages": 0.1}, id="shortened pages"),
        pytest.param({"empty_pages": 5}, id="empty pages"),
    ],
)
def test_a_reconcile_concludes_nothing_wrongly_where_filters_have_no_effect(
    start_some: Start, knobs: dict[str, Any]
) -> None:
    """A list that is read by position moves while it is read: what is deleted pulls others out of sight."""
    streams = ("opportunities", "tasks", "emails")
    shape = {"opportunities": 70, "tasks": 80, "activities": {"emails": 70}}
    app, tap = start_some(streams, {**SMALL, **shape}, **knobs)
    app.behaviour.limit_caps = {"activity": 8, "opportunity": 14, "task": 14}
    first = tap.sync()
    app.behaviour.churn = Churn(edit=1, delete=2, objects=[*streams])
    second = tap.sync(state=first.state, reconcile="true")
    app.behaviour.churn = Churn()
    third = tap.sync(state=second.state)
    assert_equal_or_more(app, Target(first, second, third), *streams)
    if "ignored_filters" in knobs:
        assert any("heeds no filter" in note for note in second.audit()["tasks"]["notes"])


def assert_equal_or_more(app: CloseSandbox, target: Target, *streams: str) -> None:
    """Nothing that lives is marked or differs; what is gone may be there still."""
    assert wrongly_ended(app, target, *streams) == {}
    for stream in streams:
        assert differences(app.account, stream, target.living(stream)).keys() <= {"surplus"}, stream
