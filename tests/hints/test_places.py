"""The place in the inbox: it moves with the rows, stream by stream, so that no event is passed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tap_crm.inbox.spool import Spool
from tests.singer import Run, later, only, selecting
from tests.target import Target

if TYPE_CHECKING:
    from tests.contract.conftest import CatalogOf
    from tests.hints.conftest import StartTold
    from tests.hints.tellers import Teller


def place_of(state: dict[str, Any], stream: str) -> int:
    """Return the place that a state has."""
    place: int = state["bookmarks"].get(stream, {}).get("inbox", {}).get("place", 0)
    return place


def test_whoever_dies_anywhere_passes_no_event(teller: Teller, start_told: StartTold) -> None:
    """A state with an event's place stands behind its row; from any other state, the next run heeds it."""
    app, tap, told = start_told(**teller.logless)
    first = tap.sync()
    app.behaviour.index_lag = 3_600  # so that events alone bring the rows
    happened: dict[str, set[Any]] = {}
    for stream in teller.streams:
        made, gone = app.account.create(stream, count=3), app.account.delete(stream, count=2)
        told.tell([*teller.events(app, stream, made, "new"), *teller.events(app, stream, gone, "delete")])
        happened[stream] = {*made, *gone}
    newest = told.spool.newest(teller.crm.name)
    second = tap.sync(state=first.state)
    assert {stream: second.keys(stream) >= {(key,) for key in keys} for stream, keys in happened.items()} == (
        dict.fromkeys(happened, True)
    )
    told_by: dict[str, set[Any]] = {stream: set() for stream in happened}
    moved = 0
    for message in second.messages:
        if message["type"] == "RECORD" and message["stream"] in told_by:
            told_by[message["stream"]].add(message["record"]["id"])
        elif message["type"] == "STATE":
            for stream, keys in happened.items():
                if place_of(message["value"], stream) >= newest:
                    assert told_by[stream] >= keys, "the place stands before a row"
                    moved += 1
    assert moved >= len(happened)
    states = [at for at, message in enumerate(second.messages) if message["type"] == "STATE"]
    for cut in (states[0], states[len(states) // 2], states[-1] - 1):
        dead = Run(-9, "", second.messages[: cut + 1])
        next_one = tap.sync(state=dead.state or first.state)
        target = Target(first, dead, next_one)
        for stream, keys in happened.items():
            assert target.living(stream).keys() | target.marked(stream) >= {(key,) for key in keys}


def test_a_stream_that_is_not_read_keeps_its_place(
    teller: Teller, start_told: StartTold, catalog_of: CatalogOf
) -> None:
    """Its events wait; what the others have used is not removed before it is used by all that a run reads."""
    app, tap, told = start_told(**teller.logless)
    one, other = teller.streams
    first = tap.sync()
    gone = {stream: app.account.delete(stream, count=1) for stream in teller.streams}
    for stream, keys in gone.items():
        told.tell(teller.events(app, stream, keys, "delete"))
    known = only(catalog_of(teller.crm), *teller.streams, "sync_audit")
    second = tap.sync(state=first.state, catalog=selecting(known, one, "sync_audit"))
    assert place_of(second.state, one) > place_of(second.state, other) == place_of(first.state, other)
    third = tap.sync(state=second.state)
    assert Target(first, second, third).marked(other) == {(key,) for key in gone[other]}
    assert third.audit()[one]["hints"] == 0


def test_a_stream_that_fails_gets_its_events_again(teller: Teller, start_told: StartTold) -> None:
    """The others go on."""
    failing, path = teller.crm.broken
    fine = teller.streams[0]
    app, tap, told = start_told(fine, failing)
    first = tap.sync()
    for stream in (fine, failing):
        told.tell(teller.events(app, stream, app.account.edit(stream, count=1)))
    app.behaviour.faults = [FaultRule(["500"], every=1, path=path)]
    second = tap.sync(state=first.state, expect=1, retry_seconds=1)
    assert place_of(second.state, fine) > place_of(second.state, failing) == place_of(first.state, failing)
    app.behaviour.faults = []
    third = tap.sync(state=second.state)
    assert (third.audit()[failing]["hints"], third.audit()[fine]["hints"]) == (1, 0)


def test_events_are_confirmed_by_the_state_that_a_run_is_given(teller: Teller, start_told: StartTold) -> None:
    """Not by the one that it writes: no target has confirmed that yet."""
    app, tap, told = start_told(teller.streams[0])
    stream = teller.streams[0]
    first = tap.sync()
    told.tell(teller.events(app, stream, app.account.edit(stream, count=3)))
    second = tap.sync(state=first.state)
    assert told.spool.counters(teller.crm.name)["waiting"] == 3
    tap.sync(state=second.state)
    assert told.spool.counters(teller.crm.name)["waiting"] == 0


def test_a_stream_that_was_loaded_before_there_was_an_inbox_heeds_all_that_waits(
    teller: Teller, start_told: StartTold
) -> None:
    """Nothing is missed by events of which nobody had told."""
    app, tap, told = start_told(teller.streams[0], **teller.logless)
    stream = teller.streams[0]
    first = tap.sync(inbox=None)
    gone = app.account.delete(stream, count=1)
    told.tell(teller.events(app, stream, gone, "delete"))
    second = tap.sync(state=first.state)
    assert Target(first, second).marked(stream) == {(key,) for key in gone}
    assert second.audit()[stream]["missed_by_events"] is None


def test_after_the_inbox_was_made_anew_everything_is_looked_at_once(teller: Teller, start_told: StartTold) -> None:
    """Not by each run until the first event comes, which may be never."""
    app, tap, told = start_told(teller.streams[0], **teller.logless)
    stream = teller.streams[0]
    told.tell(teller.events(app, stream, app.account.ids(stream)[:1]))
    first = tap.sync()
    gone = app.account.delete(stream, count=2)
    Spool.open(anew := str(tap.folder / "anew.sqlite")).close()
    runs = [first]
    for seconds in (60.0, 120.0, 180.0):  # within a second, no bookmark passes the log that was not readable
        later(app, tap, seconds)
        runs.append(tap.sync(state=runs[-1].state, inbox=anew))
    assert Target(*runs).marked(stream) == {(key,) for key in gone}
    modes = [run.audit()[stream]["mode"] for run in runs[1:]]
    assert modes.count("reconcile") == 1, modes


def test_an_inbox_made_anew_at_the_same_path_passes_no_event(teller: Teller, start_told: StartTold) -> None:
    """Its clock may be behind that of the old one, so that its places begin below the one in the state."""
    app, tap, told = start_told(teller.streams[0], **teller.logless)
    stream = teller.streams[0]
    first = tap.sync()
    told.tell(teller.events(app, stream, app.account.ids(stream)[:1]))
    second = tap.sync(state=first.state)
    gone, untold = app.account.delete(stream, count=1), app.account.delete(stream, count=1)
    told.tell(teller.events(app, stream, untold, "delete"))  # goes with the file
    told.make_anew(behind=timedelta(days=1))
    told.tell(teller.events(app, stream, gone, "delete"))
    told.make_good()
    told.tell(teller.events(app, stream, app.account.ids(stream)[:1]))
    runs = [first, second]
    for seconds in (60.0, 120.0):  # within a second, no bookmark passes the log that was not readable
        later(app, tap, seconds)
        runs.append(tap.sync(state=runs[-1].state))
    third, fourth = runs[2:]
    assert third.audit()[stream]["hints"] == 2
    assert "the inbox is another one than the state knows" in third.log
    assert Target(*runs).marked(stream) == {(key,) for key in [*gone, *untold]}
    assert [run.audit()[stream]["mode"] for run in (third, fourth)].count("reconcile") == 1
    assert fourth.audit()[stream]["hints"] == 0


@pytest.mark.parametrize("reason", ["a gap was noted", "events were removed"])
def test_after_a_gap_everything_is_looked_at(teller: Teller, start_told: StartTold, reason: str) -> None:
    """By a reconcile, or by the CRM's own log of changes, which every run reads; once."""
    app, tap, told = start_told(teller.streams[0])
    stream, crm = teller.streams[0], teller.crm.name
    told.tell(teller.events(app, stream, app.account.ids(stream)[:1]))
    first = tap.sync()
    gone = app.account.delete(stream, count=2)
    if reason == "a gap was noted":
        told.spool.note_gap(crm, datetime.now(UTC) - timedelta(hours=1), "the receiver was down")
    else:
        told.spool.confirm(crm, told.tell(teller.events(app, stream, gone, "delete")))
        assert told.spool.retain(0, 0) == 3  # the first one, too, which a full read needed not to heed
    second = tap.sync(state=first.state)
    assert second.audit()[stream]["mode"] == ("incremental" if crm == "close" else "reconcile")
    assert Target(first, second).marked(stream) == {(key,) for key in gone}
    third = tap.sync(state=second.state)
    assert third.audit()[stream]["mode"] == "incremental"


def test_a_run_that_ends_by_itself_leaves_to_the_next_one_what_it_has_not_looked_up(
    teller: Teller, start_told: StartTold
) -> None:
    """Not all of it: however little a run may ask for, all events are heeded by some."""
    stream = teller.streams[0]
    app, tap, told = start_told(stream, **teller.logless)
    runs = [tap.sync()]
    gone = app.account.delete(stream, count=9)
    told.tell(teller.events(app, stream, gone, "delete"))
    places = [place_of(runs[0].state, stream)]
    app.behaviour.latency_ms = 50  # time to see that the limit is reached
    for _ in range(6):
        runs.append(tap.sync(state=runs[-1].state, max_run_requests=10))
        places.append(place_of(runs[-1].state, stream))
        if places[-1] == told.spool.newest(teller.crm.name):
            break
    assert Target(*runs).marked(stream) == {(key,) for key in gone}
    assert places == sorted(places)
    assert places[1] < places[-1] == told.spool.newest(teller.crm.name), "it took more than one run"
