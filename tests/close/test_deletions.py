"""What the event log tells of deletions: each record once more, with its last content and the time of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema
import pytest

from sandbox.faults import FaultRule
from tests import measuring
from tests.close.truth import ACTIVITIES, CHANGING, CONTRACT, LEFT_OUT, differences, expected
from tests.singer import later, only
from tests.target import DELETED_AT, Target, told

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from tests.close.conftest import Start
    from tests.singer import Record, Run

#: Close documents no events of import updates.
TOLD = (*CHANGING, *(name for name in ACTIVITIES if name != "import_updates"))
#: One of each way in which streams are read.
KINDS = (*CHANGING, "emails", "meetings")
#: One of each way in which deletions are heard of: with a log of its own if it is alone, within a lead, by activity.
FEW_KINDS = ("leads", "tasks", "emails")
SHAPE: dict[str, Any] = {
    "leads": 60,
    "contacts": 40,
    "opportunities": 40,
    "tasks": 40,
    "activities": dict.fromkeys(ACTIVITIES, 12),
    "events": 20,
    "custom_fields": 6,
}
HOUR, DAY = 3_600, 86_400
#: Attempts that have room in the second that a run may ask anew.
ATTEMPTS_IN_A_SECOND = 8
WITH_CUSTOM_FIELDS = ("leads", "contacts", "opportunities", "custom_activities")


def ended_at(app: CloseSandbox) -> dict[str, str]:
    """Return when each object was deleted, to the second, as the log has it."""
    events = (event for event in app.account.records("events") if event["action"] == "deleted")
    return {event["object_id"]: f"{event['date_updated'][:19]}Z" for event in events}


def some(app: CloseSandbox, stream: str) -> str:
    """Return a record with custom fields, where the stream has them."""
    records = app.account.records(stream)
    if stream in WITH_CUSTOM_FIELDS:
        records = [one for one in records if any(name.startswith("custom.") for name in one)] or records
    return str(records[len(records) // 2]["id"])


def delete_one_of_each(app: CloseSandbox, streams: tuple[str, ...] = KINDS) -> dict[str, Record]:
    """Edit and delete a record of each stream, the lead last; returns what they were, as it should arrive."""
    last: dict[str, Record] = {}
    for stream in reversed(streams):
        number = some(app, stream)
        app.account.edit(stream, ids=[number], changes={"brand_new_field": [1, {"a": None}]})
        last[stream] = expected(app.account, stream)[(number,)]
        app.account.delete(stream, ids=[number])
    return last


def without_columns(stream: str, record: Record) -> Record:
    """Return a record without its columns of custom fields, and what is left out of searches."""
    (plain,) = CONTRACT.without_custom_columns(stream, {("",): record}).values()
    extra = {name: value for name, value in plain["_extra"].items() if name not in LEFT_OUT.get(stream, ())}
    return {**plain, "_extra": extra}


def columns_of(record: Record) -> Record:
    """Return the columns of custom fields."""
    return {name: value for name, value in record.items() if name.startswith("custom_") and value is not None}


class Deleted(NamedTuple):
    """An account of which a record of each stream was deleted, after a first run and before a second one."""

    app: CloseSandbox
    first: Run
    second: Run
    last: dict[str, Record]


@pytest.fixture(scope="module")
def deleted(start_once: Start) -> Deleted:
    """Return what the runs wrote; other records were edited meanwhile."""
    with measuring.switched(on=False):
        app, tap = start_once(SHAPE)
        tap = tap.given(only(tap.discover()[0], *TOLD, "sync_audit"))  # with the columns of this account
        first = tap.sync()
        last = delete_one_of_each(app, TOLD)
        for stream in TOLD:
            app.account.edit(stream, count=6)
        return Deleted(app, first, tap.sync(state=first.state), last)


@pytest.mark.usefixtures("unmeasured")
def test_a_deleted_record_comes_once_more_with_its_last_content(deleted: Deleted) -> None:
    """Of each stream that the log tells of: all of its fields, one that no schema knows, and when it was deleted."""
    app, first, second, last = deleted
    moments = ended_at(app)
    for stream, record in last.items():
        found = told(second, stream)[record["id"]]
        assert found[DELETED_AT] == moments[record["id"]], stream
        found = {name: value for name, value in found.items() if name not in (DELETED_AT, "merged_into")}
        assert without_columns(stream, found) == without_columns(stream, record), stream
        before = next(one for one in first.records(stream) if one["id"] == record["id"])
        assert columns_of(found) == columns_of(before), stream
        assert columns_of(found) or stream not in ("leads", "contacts", "opportunities"), stream
        assert second.audit()[stream]["deletions"] >= 1, stream


@pytest.mark.usefixtures("unmeasured")
def test_deleted_records_come_last_and_fit_the_schema(deleted: Deleted) -> None:
    """Pages may be older than the deletion: a target would take the row for alive."""
    for stream in TOLD:
        marks = [record.get(DELETED_AT) is not None for record in deleted.second.records(stream)]
        assert {True, False} == {*marks}, stream
        assert marks == sorted(marks), stream
        schema = deleted.second.schemas[stream]["schema"]
        check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        for record in told(deleted.second, stream).values():
            check.validate(record)


def test_what_belongs_to_a_deleted_lead_is_told_too(start_some: Start) -> None:
    """Its contacts, opportunities, tasks and activities; the tables equal the living truth."""
    app, tap = start_some(KINDS, SHAPE)
    first = tap.sync()
    gone = app.account.delete("leads", count=20)
    second = tap.sync(state=first.state)
    target = Target(first, second)
    for stream in KINDS:
        assert differences(app.account, stream, target.living(stream)) == {}, stream
    assert set(told(second, "leads")) == set(gone)
    for stream in (*CHANGING, "emails"):
        marked = [target.tables[stream][key].record for key in target.marked(stream)]
        assert marked, stream
        assert {record.get("lead_id", record["id"]) for record in marked} <= set(gone), stream
        assert second.audit()[stream]["deletions"] == len(marked), stream


def test_a_deletion_is_told_again_within_the_overlap_just_the_same(start_some: Start) -> None:
    """And no longer after that; it is counted once."""
    app, tap = start_some(FEW_KINDS, SHAPE)
    first = tap.sync()
    delete_one_of_each(app, FEW_KINDS)
    later(app, tap, 10.0)  # the bookmark stays so far behind the clock that these are behind it
    second = tap.sync(state=first.state)
    third = tap.sync(state=second.state)
    for stream in FEW_KINDS:
        assert told(third, stream) == told(second, stream) != {}, stream
    later(app, tap, 900.0)
    fourth = tap.sync(state=third.state)
    fifth = tap.sync(state=fourth.state)
    for stream in FEW_KINDS:
        assert told(fifth, stream) == {}, stream
        counted = [run.audit()[stream]["deletions"] for run in (second, third, fourth, fifth)]
        assert sum(counted) == len(told(second, stream)), stream


@pytest.mark.parametrize("selected", [FEW_KINDS, ("leads",), ("tasks",)], ids=["several", "leads only", "tasks only"])
def test_a_record_that_was_made_again_is_not_marked(start_some: Start, selected: tuple[str, ...]) -> None:
    """The log tells of its deletion, but what is listed later lives."""
    app, tap = start_some(selected, SHAPE)
    (childless,) = app.account.create("leads")
    first = tap.sync()
    chosen = {stream: childless if stream == "leads" else some(app, stream) for stream in selected}
    records = {stream: app.account.record(stream, number) for stream, number in chosen.items()}
    for stream, record in records.items():
        app.account.delete(stream, ids=[record["id"]])
    later(app, tap, 2.0)
    for stream, record in records.items():
        nested = ("contacts", "opportunities", "tasks", "date_updated", "activity_at")
        app.account.create(stream, changes={name: value for name, value in record.items() if name not in nested})
    second = tap.sync(state=first.state)
    target = Target(first, second)
    for stream, record in records.items():
        assert record["id"] not in told(second, stream), stream
        assert (record["id"],) in target.living(stream), stream
        assert differences(app.account, stream, target.living(stream)) == {}, stream


# Merges


@pytest.mark.parametrize("selected", [("leads", "emails"), ("leads",)], ids=["with others", "leads only"])
def test_a_merged_lead_names_the_one_that_is_left(start_some: Start, selected: tuple[str, ...]) -> None:
    """Where the log tells of its end; a lead that was deleted names none."""
    app, tap = start_some(selected, SHAPE, merge_deletes_source=True)
    first = tap.sync()
    deleted = app.account.delete("leads", count=3)
    merged = app.account.merge(count=5)
    second = tap.sync(state=first.state)
    into = {
        event["meta"]["merge_source_lead_id"]: event["meta"]["merge_destination_lead_id"]
        for event in app.account.records("events")
        if event["action"] == "merged"
    }
    found = {number: record.get("merged_into") for number, record in told(second, "leads").items()}
    assert found == {**dict.fromkeys(deleted), **{number: into[number] for number in merged}}
    assert all(found[number] in app.account.ids("leads") for number in merged)


def test_what_a_merged_lead_had_carries_the_id_of_the_other_one(start_some: Start) -> None:
    """The children live on; the source without an event of its end stays until the next reconcile."""
    app, tap = start_some(KINDS, SHAPE)
    first = tap.sync()
    merged = app.account.merge(count=10)
    second = tap.sync(state=first.state)
    target = Target(first, second)
    for stream in KINDS[1:]:
        assert differences(app.account, stream, target.living(stream)) == {}, stream
        assert not {record.get("lead_id") for record in target.living(stream).values()} & set(merged), stream
    assert set(differences(app.account, "leads", target.living("leads"))["surplus"]) <= {(one,) for one in merged}
    assert told(second, "leads") == {}
    third = tap.sync(state=second.state, reconcile="true")
    assert {number for (number,) in target.take(third).ever_marked("leads")} == set(merged)
    assert differences(app.account, "leads", target.living("leads")) == {}


# What the log does not tell


def test_a_deletion_without_content_makes_no_row_of_nulls(start_some: Start) -> None:
    """A key that is no admin's sees no content of events older than an hour: the audit says so, a reconcile marks."""
    app, tap = start_some(KINDS, SHAPE, admin_key=False)
    first = tap.sync()
    gone = delete_one_of_each(app)
    later(app, tap, 2.0 * HOUR)
    second = tap.sync(state=first.state)
    target = Target(first, second)
    for stream in KINDS:
        assert told(second, stream) == {}, stream
        assert any("told without the record" in note for note in second.audit()[stream]["notes"]), stream
        assert (gone[stream]["id"],) in target.living(stream), stream
    third = tap.sync(state=second.state, reconcile="true")
    target.take(third)
    for stream in KINDS:
        assert (gone[stream]["id"],) in target.ever_marked(stream), stream
        assert differences(app.account, stream, target.living(stream)) == {}, stream


def test_a_deletion_that_shows_late_in_the_log_is_told_by_the_run_after(start_some: Start) -> None:
    """It is dated as if it had been there: the overlap of five minutes has it."""
    app, tap = start_some(FEW_KINDS, SHAPE, deleted_late=1.0, deleted_delay=240.0)
    first = tap.sync()
    gone = delete_one_of_each(app, FEW_KINDS)
    second = tap.sync(state=first.state)
    app.account.log.table.settle(float("inf"))
    later(app, tap, 240.0)
    third = tap.sync(state=second.state)
    for stream in FEW_KINDS:
        assert told(second, stream) == {}, stream
        assert gone[stream]["id"] in told(third, stream), stream
    target = Target(first, second, third)
    for stream in FEW_KINDS:
        assert differences(app.account, stream, target.living(stream)) == {}, stream


def test_a_deletion_that_is_missing_in_the_log_is_found_by_the_reconcile(start_some: Start) -> None:
    """Of whatever stream."""
    app, tap = start_some((*KINDS, "import_updates"), SHAPE, deleted_missing=1.0)
    first = tap.sync()
    gone = delete_one_of_each(app)
    (import_update,) = app.account.delete("import_updates", count=1)
    second = tap.sync(state=first.state)
    third = tap.sync(state=second.state, reconcile="true")
    target = Target(first, second, third)
    for stream in KINDS:
        assert told(second, stream) == {}, stream
        assert (gone[stream]["id"],) in target.ever_marked(stream), stream
        assert third.audit()[stream]["deletions"] == len(target.ever_marked(stream)), stream
    assert target.ever_marked("import_updates") == {(import_update,)}
    for stream in (*KINDS, "import_updates"):
        assert differences(app.account, stream, target.living(stream)) == {}, stream


def test_a_pause_longer_than_the_log_reaches_makes_a_reconcile_due(start_some: Start) -> None:
    """The log line says why; the rows that nothing told of are marked."""
    app, tap = start_some(FEW_KINDS, SHAPE)
    first = tap.sync()
    gone = delete_one_of_each(app, FEW_KINDS)
    state = first.state
    later(app, tap, 31.0 * DAY)
    for stream in FEW_KINDS:
        state["bookmarks"][stream]["reconciled_at"] = "2999-01-01T00:00:00Z"  # not due for its age
    second = tap.sync(state=state)
    target = Target(first, second)
    for stream in FEW_KINDS:
        why = "the last run was longer ago than the CRM tells of deletions (30 days)"
        assert f"{stream}: complete read to find deletions, beside the bookmark: {why}" in second.log
        assert second.audit()[stream]["mode"] == "reconcile", stream
        assert (gone[stream]["id"],) in target.ever_marked(stream), stream
        assert differences(app.account, stream, target.living(stream)) == {}, stream


def test_a_key_that_may_not_read_the_log_finds_deletions_by_the_reconcile(start_some: Start) -> None:
    """Everything else works, and the audit says so."""
    app, tap = start_some((*KINDS, "users"), SHAPE, forbidden=["event"])
    first = tap.sync()
    gone = delete_one_of_each(app)
    new = {stream: app.account.create(stream, count=3) for stream in KINDS}
    second = tap.sync(state=first.state)
    target = Target(first, second)
    for stream in KINDS:
        notes = second.audit()[stream]["notes"]
        assert any("deletions are found by the reconcile only" in note and "403" in note for note in notes), stream
        assert {(number,) for number in new[stream]} <= target.living(stream).keys(), stream
        assert (gone[stream]["id"],) in target.living(stream), stream
    target.take(tap.sync(state=second.state, reconcile="true"))
    for stream in KINDS:
        assert (gone[stream]["id"],) in target.ever_marked(stream), stream
        assert not target.ever_marked(stream) & {(number,) for number in app.account.ids(stream)}, stream


def bookmarks(run: Run) -> dict[str, Any]:
    """Return the bookmark of each stream."""
    return {name: entry.get("replication_key_value") for name, entry in run.state["bookmarks"].items()}


def test_a_log_that_stays_broken_ends_the_streams_that_need_it_and_the_next_run_catches_up(start_some: Start) -> None:
    """By name, their bookmarks kept: a bookmark that moved on would pass the deletions. Lists are complete."""
    app, tap = start_some((*KINDS, "import_updates", "users", "dialers"), SHAPE)
    first = tap.sync()
    gone = delete_one_of_each(app)
    edited = app.account.edit("emails", count=6)
    app.behaviour.faults = [FaultRule(["500"], every=1, path="event")]
    second = tap.sync(state=first.state, expect=1, retry_seconds=1)
    assert app.stats.faults.keys() == {"500"}
    assert app.stats.faults["500"] <= ATTEMPTS_IN_A_SECOND  # not so many for each stream
    failed = {stream for stream, row in second.audit().items() if not row["complete"]}
    assert failed == {*KINDS, "import_updates"}
    for stream in failed:
        assert bookmarks(second)[stream] == bookmarks(first)[stream], stream
        assert f"`{stream}` is not complete" in second.log, stream
    app.behaviour.faults = []
    third = tap.sync(state=second.state)
    assert {record["id"] for record in third.records("emails")} >= set(edited)
    target = Target(first, second, third)
    for stream in KINDS:
        assert gone[stream]["id"] in told(third, stream), stream
        assert differences(app.account, stream, target.living(stream)) == {}, stream
