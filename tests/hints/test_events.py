"""Events lead to rows that are right, whatever they say and however they come; without one, the poll brings the row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tap_crm.sync import hinting
from tests.contract.crm import living
from tests.singer import later
from tests.target import Target

if TYPE_CHECKING:
    import pytest

    from tests.hints.conftest import StartTold
    from tests.hints.tellers import Teller
    from tests.singer import Run


def place_of(run: Run, stream: str) -> int:
    """Return the place in the inbox that a state has."""
    place: int = run.state["bookmarks"][stream]["inbox"]["place"]
    return place


def test_what_the_search_does_not_show_yet_arrives_by_its_event(teller: Teller, start_told: StartTold) -> None:
    """A new record is read where the CRM keeps it; the audit counts it as hinted."""
    app, tap, told = start_told()
    stream = teller.streams[0]
    first = tap.sync()
    app.behaviour.index_lag = 3_600
    (key,) = app.account.create(stream, count=1)
    (other,) = app.account.create(stream, count=1)
    told.tell(teller.events(app, stream, [key], "new"))
    second = tap.sync(state=first.state)
    assert second.keys(stream) == {(key,)}, "the event's record, and not the other one"
    row = second.audit()[stream]
    assert (row["hints"], row["hinted_rows"], row["missed_by_events"]) == (1, 1, 0)
    app.behaviour.index_lag = 0
    told.tell(teller.events(app, stream, [other], "new"))
    third = tap.sync(state=second.state)
    teller.crm.assert_complete(app, first, second, third, streams=[stream])


def test_a_deletion_that_the_crm_confirms_marks_the_row(teller: Teller, start_told: StartTold) -> None:
    """In the next run, without a complete read; what the events do not tell of waits for one."""
    app, tap, told = start_told(**teller.logless)
    stream = teller.streams[0]
    first = tap.sync()
    gone = app.account.delete(stream, count=3)
    told.tell(teller.events(app, stream, gone[:2], "delete"))
    second = tap.sync(state=first.state)
    target = Target(first, second)
    assert target.marked(stream) == {(key,) for key in gone[:2]}
    row = second.audit()[stream]
    assert (row["mode"], row["hints"], row["hinted_rows"], row["deletions"]) == ("incremental", 2, 2, 2)
    third = tap.sync(state=second.state, reconcile="true")
    assert Target(first, second, third).marked(stream) >= {(key,) for key in gone}
    teller.crm.assert_complete(app, first, second, third, streams=[stream])


def test_a_deletion_that_is_only_claimed_changes_nothing(teller: Teller, start_told: StartTold) -> None:
    """The record is there: it arrives once more, and is not marked."""
    app, tap, told = start_told()
    stream = teller.streams[0]
    first = tap.sync()
    key = app.account.ids(stream)[0]
    told.tell(teller.events(app, stream, [key], "delete"))
    second = tap.sync(state=first.state)
    assert Target(first, second).marked(stream) == set()
    assert second.audit()[stream]["deletions"] == 0
    teller.crm.assert_complete(app, first, second, streams=[stream])


def test_events_in_any_order_twice_forged_or_broken_do_no_harm(teller: Teller, start_told: StartTold) -> None:
    """Nor do those of streams that are not read, and those of other CRMs."""
    app, tap, told = start_told(teller.streams[0])
    stream, other = teller.streams
    first = tap.sync()
    edited = app.account.edit(stream, count=5)
    bodies = teller.events(app, stream, edited)
    junk = [b"", b"{", b"[]", b"null", b'{"ids": "x"}', b'{"event": {"object_type": 1}}', b"\xff\xfe", b"[" * 10_000]
    told.tell([*reversed(bodies), *junk, *bodies, *teller.events(app, other, app.account.ids(other)[:2])])
    told.tell(bodies, provider="copera")
    told.tell([*teller.events(app, stream, [teller.forged(1)]), *bodies[:1]])
    second = tap.sync(state=first.state)
    row = second.audit()[stream]
    assert row["hints"] == 6
    assert row["complete"]
    assert "events in the inbox are not of the documented form" in second.log
    assert second.keys(stream) - {(teller.forged(1),)} == {(key,) for key in edited}
    assert other not in second.schemas
    teller.crm.assert_complete(app, first, second, streams=[stream])
    third = tap.sync(state=second.state)
    assert third.audit()[stream]["hints"] == 0


def test_a_hint_advances_no_bookmark_and_hides_no_missing_row(teller: Teller, start_told: StartTold) -> None:
    """A reconcile in the same run finds what is gone; the next run reads from the same time as without events."""
    app, tap, told = start_told(**teller.logless)
    stream = teller.streams[0]
    first = tap.sync()
    gone = app.account.delete(stream, count=4)
    told.tell(teller.events(app, stream, app.account.ids(stream)[:8]))
    second = tap.sync(state=first.state, reconcile="true")
    assert Target(first, second).marked(stream) == {(key,) for key in gone}
    kept = second.state["bookmarks"][stream]
    rows = len(app.account.ids(stream))
    assert (kept["rows"], second.audit()[stream]["deletions"]) == (rows, 4)
    app.account.edit(stream, ids=app.account.ids(stream)[:1])
    told.tell(teller.events(app, stream, app.account.ids(stream)[:1]))
    third = tap.sync(state=second.state)
    without = tap.sync(state=second.state, inbox=None)
    at = [run.state["bookmarks"][stream]["replication_key_value"] for run in (third, without)]
    assert at[0] <= at[1]


def test_without_an_inbox_nothing_changes(teller: Teller, start_told: StartTold) -> None:
    """No place in the state, no counts, no further request."""
    app, tap, _ = start_told(teller.streams[0])
    stream = teller.streams[0]
    first, with_one = tap.sync(inbox=None), tap.sync()
    row = first.audit()[stream]
    assert (row["hints"], row["hinted_rows"], row["missed_by_events"]) == (None, None, None)
    assert "inbox" not in first.state["bookmarks"][stream]
    assert row["requests"] == with_one.audit()[stream]["requests"]
    assert living(stream, first) == living(stream, with_one)
    del app


def test_an_inbox_that_cannot_be_read_costs_freshness_only(teller: Teller, start_told: StartTold) -> None:
    """One line says so; everything is polled, and the place stays."""
    app, tap, told = start_told(teller.streams[0])
    stream = teller.streams[0]
    first = tap.sync()
    edited = app.account.edit(stream, count=2)
    told.tell(teller.events(app, stream, edited))
    second = tap.sync(state=first.state, inbox=str(tap.folder / "nowhere.sqlite"))
    assert second.keys(stream) == {(key,) for key in edited}
    assert place_of(second, stream) == place_of(first, stream)
    lines = [line for line in second.log.splitlines() if "inbox" in line and "WARNING" in line]
    assert len(lines) == 1
    assert "everything is polled" in lines[0]
    assert second.audit()[stream]["hints"] is None
    assert not (tap.folder / "nowhere.sqlite").exists()
    third = tap.sync(state=second.state)
    assert third.audit()[stream]["hints"] == 2


def test_more_hints_than_it_pays_to_read_are_dropped_and_polled(teller: Teller, start_told: StartTold) -> None:
    """Thousands of forged ids cost no request; what changed arrives all the same, and deletions by a complete read."""
    app, tap, told = start_told(teller.streams[0], **teller.logless)
    stream = teller.streams[0]
    first = tap.sync()
    edited = app.account.edit(stream, count=5)
    gone = app.account.delete(stream, count=2)
    forged = [teller.forged(number) for number in range(9_000)]
    told.tell(
        [
            *teller.events(app, stream, gone, "delete"),
            *teller.events(app, stream, forged),
            *teller.events(app, stream, edited),
        ]
    )
    later(app, tap, 60.0)
    second = tap.sync(state=first.state)
    row = second.audit()[stream]
    assert (row["hints"], row["hinted_rows"]) == (9_007, 0)
    assert row["requests"] < 20
    assert second.keys(stream) >= {(key,) for key in edited}
    later(app, tap, 120.0)
    third = tap.sync(state=second.state)
    # That a log of the CRM's own is not readable, a run finds out by reading: the next one looks at everything.
    modes = [run.audit()[stream]["mode"] for run in (second, third)]
    assert modes == (["incremental", "reconcile"] if teller.logless else ["reconcile", "incremental"])
    assert Target(first, second, third).marked(stream) == {(key,) for key in gone}
    teller.crm.assert_complete(app, first, second, third, streams=[stream])
    fourth = tap.sync(state=third.state)
    assert (fourth.audit()[stream]["hints"], fourth.audit()[stream]["mode"]) == (0, "incremental")


def test_what_is_still_asked_for_is_not_forgotten_by_a_flood(teller: Teller, start_told: StartTold) -> None:
    """An event may have said that it is deleted: a complete read finds it."""
    app, tap, told = start_told(teller.streams[0], **teller.logless)
    stream = teller.streams[0]
    first = tap.sync()
    (gone,) = app.account.delete(stream, count=1)
    first.state["bookmarks"][stream]["inbox"]["again"] = [[gone, datetime.now(UTC).isoformat()]]
    told.tell(teller.events(app, stream, [teller.forged(number) for number in range(4_100)]))
    runs = [first]
    for seconds in (60.0, 120.0):  # within a second, no bookmark passes the place in the log that was not readable
        later(app, tap, seconds)
        runs.append(tap.sync(state=runs[-1].state))
    assert runs[1].audit()[stream]["hinted_rows"] == 0
    assert Target(*runs).marked(stream) == {(gone,)}


def test_of_more_told_records_than_are_kept_none_is_called_missed(
    teller: Teller, start_told: StartTold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run's poll finds them as changed, and does not know of which of them an event has told."""
    monkeypatch.setattr(hinting, "MOST_KEPT", 2)
    app, tap, told = start_told(teller.streams[0])
    stream = teller.streams[0]
    first = tap.sync()
    told.tell(teller.events(app, stream, app.account.edit(stream, count=4)))
    second = tap.sync(state=first.state)
    third = tap.sync(state=second.state)
    assert [run.audit()[stream]["missed_by_events"] for run in (second, third)] == [0, None]


def test_what_no_event_told_of_is_counted_and_there_all_the_same(teller: Teller, start_told: StartTold) -> None:
    """Two of ten events are lost: so many rows are missed by events, and none by the poll."""
    app, tap, told = start_told(teller.streams[0])
    stream = teller.streams[0]
    app.behaviour.clock_skew = -2 * teller.delay
    first = tap.sync()
    edited = app.account.edit(stream, count=10)
    app.behaviour.clock_skew = 0
    fresh = app.account.create(stream, count=1)
    told.tell(teller.events(app, stream, edited[:8]))
    second = tap.sync(state=first.state)
    row = second.audit()[stream]
    assert (row["hints"], row["missed_by_events"]) == (8, 2)
    assert second.keys(stream) == {(key,) for key in [*edited, *fresh]}
    third = tap.sync(state=second.state)  # reads what lies in the overlap again
    assert third.audit()[stream]["missed_by_events"] == 0
    teller.crm.assert_complete(app, first, second, third, streams=[stream])
