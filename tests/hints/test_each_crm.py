"""What only one CRM has: stubs, converted leads and a late index in Copper, merges in Close, bookings in Copera."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tap_crm.sync import hinting
from tests.contract.crms import CRMS
from tests.hints.tellers import TELLERS, Teller, Told
from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.conftest import Start
    from tests.contract.crm import Crm
    from tests.hints.conftest import StartTold

copper = pytest.mark.parametrize("teller", [TELLERS["copper"]], ids=["copper"])
close = pytest.mark.parametrize("teller", [TELLERS["close"]], ids=["close"])


def delete_behind_a_late_index(app: Any, teller: Teller, told: Told, key: int) -> None:  # noqa: ANN401
    """Delete a person, and tell of that, while searches still show it for an hour."""
    app.behaviour.index_lag = 3_600
    app.account.delete("people", ids=[key])
    told.tell(teller.events(app, "people", [key], "delete"))


@copper
def test_a_deleted_person_stays_marked_while_the_index_still_shows_it(teller: Teller, start_told: StartTold) -> None:
    """The next run's poll finds it once more, as if it were there: it is asked for again."""
    app, tap, told = start_told("people")
    first = tap.sync()
    (key,) = app.account.edit("people", count=1)
    delete_behind_a_late_index(app, teller, told, key)
    second = tap.sync(state=first.state)
    third = tap.sync(state=second.state)
    assert (key,) in third.keys("people"), "the index shows it"
    assert Target(first, second, third).marked("people") == {(key,)}


@copper
@pytest.mark.parametrize("shown_by", ["a late event", "a reconcile"])
def test_a_deleted_person_stays_marked_whatever_shows_it(teller: Teller, start_told: StartTold, shown_by: str) -> None:
    """Out of an index that is late: the poll shows it no more, and what else does is no proof that it is there."""
    app, tap, told = start_told("people")
    first = tap.sync(overlap_seconds=0)
    key = app.account.ids("people")[0]
    delete_behind_a_late_index(app, teller, told, key)
    second = tap.sync(state=first.state, overlap_seconds=0)
    assert Target(first, second).marked("people") == {(key,)}
    if shown_by == "a late event":
        told.tell(teller.events(app, "people", [key]))
    third = tap.sync(state=second.state, overlap_seconds=0, reconcile="true" if shown_by == "a reconcile" else "false")
    assert (key,) in third.keys("people")
    assert Target(first, second, third).marked("people") == {(key,)}


@copper
@pytest.mark.usefixtures("teller")
def test_a_complete_read_that_began_before_a_gap_does_not_settle_it(start_told: StartTold) -> None:
    """What it has read already may have been deleted since: another one is due after it."""
    app, tap, told = start_told("people")
    first = tap.sync()
    kept = first.state["bookmarks"]["people"]
    kept["reconcile"] = {
        "version": kept["version"] + 1,
        "started": kept["reconciled_at"],
        "read_to": kept["reconciled_at"],
        "written_from": kept["reconciled_at"],
        "first": False,
        "since": None,
        "rows": 40,
        "new": 0,
        "again": 0,
    }
    oldest = min(app.account.records("people"), key=lambda one: one["date_modified"])["id"]
    app.account.delete("people", ids=[oldest])
    told.spool.note_gap("copper", datetime.now(UTC), "a test")
    runs = [first]
    for _ in range(3):
        runs.append(tap.sync(state=runs[-1].state))
    assert "goes on" in str(runs[1].audit()["people"]["notes"])
    modes = [run.audit()["people"]["mode"] for run in runs[1:]]
    assert modes == ["reconcile", "reconcile", "incremental"]
    assert (oldest,) not in Target(*runs).living("people")


@copper
def test_an_activity_that_is_deleted_arrives_as_its_stub(teller: Teller, start_told: StartTold) -> None:
    """Copper keeps its id; there is no search by ids."""
    app, tap, told = start_told("activities")
    first = tap.sync()
    gone = app.account.delete("activities", count=1)
    told.tell(teller.events(app, "activities", gone, "delete"))
    second = tap.sync(state=first.state)
    assert Target(first, second).marked("activities") == {(key,) for key in gone}


@copper
@pytest.mark.parametrize("by_id", ["shown", "removed"])
def test_a_converted_lead_is_not_deleted(teller: Teller, start_told: StartTold, by_id: str) -> None:
    """Searches show it where they are asked to; its own address may deny it."""
    app, tap, told = start_told("leads", converted_by_id=by_id)
    first = tap.sync()
    converted = app.account.convert(count=2)
    told.tell([*teller.events(app, "leads", converted), *teller.events(app, "leads", converted, "delete")])
    second = tap.sync(state=first.state)
    assert Target(first, second).marked("leads") == set()
    teller.crm.assert_complete(app, first, second, streams=["leads"])


@copper
def test_what_the_index_still_shows_of_denied_leads_is_believed_when_it_is_not_late_any_more(
    teller: Teller, start_told: StartTold
) -> None:
    """One was converted just now, one was deleted, and one was deleted that had been converted before."""
    app, tap, told = start_told("leads", converted_by_id="removed")
    leads = {one["id"]: one["converted_at"] is not None for one in app.account.visible("leads")}
    old = next(key for key, is_converted in leads.items() if is_converted)
    new, gone = [key for key, is_converted in leads.items() if not is_converted][:2]
    first = tap.sync(overlap_seconds=0)
    app.behaviour.index_lag = 3_600
    app.account.convert(ids=[new])
    app.account.delete("leads", ids=[old, gone])
    told.tell(teller.events(app, "leads", [old, new, gone], "delete"))
    second = tap.sync(state=first.state, overlap_seconds=0)
    third = tap.sync(state=second.state, overlap_seconds=0)
    assert Target(first, second, third).marked("leads") == set()
    app.account.tables["leads"].settle(time.monotonic() + 3_601)
    fourth = tap.sync(state=third.state, overlap_seconds=0)
    assert Target(first, second, third, fourth).marked("leads") == {(old,), (gone,)}
    teller.crm.assert_complete(app, first, second, third, fourth, streams=["leads"])


@copper
def test_a_deletion_that_could_not_be_looked_up_is_not_forgotten_for_what_a_late_index_shows(
    teller: Teller, start_told: StartTold
) -> None:
    """A record that was said to be deleted is asked for at its own address, however often."""
    app, tap, told = start_told("people")
    first = tap.sync(overlap_seconds=0)
    key = app.account.ids("people")[0]
    delete_behind_a_late_index(app, teller, told, key)
    app.behaviour.faults = [FaultRule(["503"], every=1, path=f"people/{key}")]
    second = tap.sync(state=first.state, overlap_seconds=0, retry_seconds=0)
    assert Target(first, second).marked("people") == set(), "nothing is known yet"
    app.behaviour.faults = []
    third = tap.sync(state=second.state, overlap_seconds=0)
    assert Target(first, second, third).marked("people") == {(key,)}


@copper
def test_a_notification_of_more_records_than_a_run_may_ask_for_is_heeded_by_some_runs(
    teller: Teller, start_told: StartTold
) -> None:
    """Each run goes on with those of which the last one did not come to ask."""
    app, tap, told = start_told("people")
    runs = [tap.sync()]
    gone = app.account.delete("people", count=9)
    (one, *_) = teller.events(app, "people", gone, "delete")
    told.tell([json.dumps({**json.loads(one), "ids": gone}).encode()])
    app.behaviour.latency_ms = 50
    marked = []
    for _ in range(8):
        runs.append(tap.sync(state=runs[-1].state, max_run_requests=10))
        marked.append(len(Target(*runs).marked("people")))
        if marked[-1] == len(gone):
            break
    assert 0 < marked[0] < marked[-1] == len(gone)
    assert Target(*runs).marked("people") == {(key,) for key in gone}


@close
def test_a_deletion_that_could_not_be_looked_up_has_its_content_when_it_can(
    teller: Teller, start_told: StartTold
) -> None:
    """Its event is still in the inbox; the log may not be read."""
    app, tap, told = start_told("contacts", **teller.logless)
    first = tap.sync()
    (key,) = app.account.delete("contacts", count=1)
    told.tell(teller.events(app, "contacts", [key], "delete"))
    told.tell(teller.events(app, "contacts", app.account.edit("contacts", count=1)))
    app.behaviour.faults = [FaultRule(["503"], every=1, path=f"contact/{key}")]
    second = tap.sync(state=first.state, retry_seconds=0)
    assert Target(first, second).marked("contacts") == set(), "nothing is known yet"
    app.behaviour.faults = []
    third = tap.sync(state=second.state)
    (row,) = [one for one in third.records("contacts") if one["id"] == key]
    assert row["_sdc_deleted_at"]
    assert row["date_created"]


@close
def test_a_merge_is_told_by_its_events_without_a_log(teller: Teller, start_told: StartTold) -> None:
    """The lead that it ended has its last content, and says into which other one it went."""
    app, tap, told = start_told("leads", merge_deletes_source=True, **teller.logless)
    first = tap.sync()
    (source,) = app.account.merge(count=1)
    told.tell(teller.events(app, "leads", [source], "delete"))
    second = tap.sync(state=first.state)
    (row,) = [one for one in second.records("leads") if one["id"] == source]
    assert row["_sdc_deleted_at"]
    assert row["merged_into"] in app.account.ids("leads")
    assert row["date_created"]
    teller.crm.assert_complete(app, first, second, streams=["leads"])


@close
def test_activities_are_read_by_their_own_addresses(teller: Teller, start_told: StartTold) -> None:
    """An old note that is edited arrives without the log."""
    app, tap, told = start_told("notes", **teller.logless)
    first = tap.sync()
    old = min(app.account.records("notes"), key=lambda one: one["date_created"])["id"]
    app.account.edit("notes", ids=[old])
    told.tell(teller.events(app, "notes", [old]))
    second = tap.sync(state=first.state)
    assert (old,) in second.keys("notes")
    teller.crm.assert_complete(app, first, second, streams=["notes"])


class TestBookings:
    """Bookings are read whole by each run: an event says that it is worth one."""

    @pytest.fixture
    def crm(self) -> Crm:
        """Return Copera."""
        return CRMS["copera"]

    @pytest.fixture
    def told(self, tmp_path: Path) -> Iterator[Told]:
        """Return an inbox."""
        told = Told(tmp_path, "copera")
        yield told
        told.spool.close()

    def test_events_are_counted_and_passed(self, start: Start, told: Told) -> None:
        """Once each."""
        _, tap = start("bookings")
        first = tap.sync(inbox=told.path)
        told.tell([json.dumps({"event": "booking.created", "data": {"uid": "b1"}}).encode()])
        second = tap.sync(state=first.state, inbox=told.path)
        third = tap.sync(state=second.state, inbox=told.path)
        assert [run.audit()["bookings"]["hints"] for run in (first, second, third)] == [0, 1, 0]


@copper
def test_what_was_looked_up_is_kept_when_of_the_rest_too_much_is_open(
    teller: Teller, start_told: StartTold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place does not go back in a run."""
    monkeypatch.setattr(hinting, "MOST_KEPT", 1)
    monkeypatch.setattr(hinting, "REQUESTS_AT_ONCE", 4)
    app, tap, told = start_told("people")
    first = tap.sync()
    gone = app.account.delete("people", count=4)
    told.tell(teller.events(app, "people", gone, "delete"))
    app.behaviour.faults = [FaultRule(["503"], every=1, path=f"people/{gone[2]}")]
    second = tap.sync(state=first.state, retry_seconds=0)
    app.behaviour.faults = []
    third = tap.sync(state=second.state)
    assert Target(first, second).marked("people") == {(key,) for key in gone[:2]}
    assert third.audit()["people"]["hints"] == 2
    assert Target(first, second, third).marked("people") == {(key,) for key in gone}
