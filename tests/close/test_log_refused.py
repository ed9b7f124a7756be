"""The event log is refused in one run: its own place stays, and the next run hears of that time, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.close.truth import differences
from tests.singer import later
from tests.target import Target, told

if TYPE_CHECKING:
    from tests.close.conftest import Start

DAY = 86_400
SHAPE = {"leads": 20, "contacts": 3, "opportunities": 3, "tasks": 10, "activities": {"notes": 40}, "events": 20}
STREAMS = ("leads", "tasks", "notes")


def test_what_happened_while_the_log_was_refused_arrives_when_it_is_readable(start_some: Start) -> None:
    """An old note that was edited, and what was deleted: nothing else tells of either."""
    app, tap = start_some(STREAMS, SHAPE)
    first = tap.sync()
    gone = {stream: app.account.delete(stream, count=1)[0] for stream in STREAMS}
    old = [note["id"] for note in app.account.records("notes") if note["date_created"] < "2026-01-01"][:3]
    assert old
    app.account.edit("notes", ids=old)
    app.behaviour.forbidden = ["event"]
    later(app, tap, 900.0)  # else the overlap of five minutes would do
    second = tap.sync(state=first.state)
    app.behaviour.forbidden = []
    third = tap.sync(state=second.state)
    assert set(old) <= {record["id"] for record in third.records("notes")}
    for stream in STREAMS:
        assert gone[stream] in told(third, stream), stream
        assert third.audit()[stream]["deletions"] == len(told(third, stream)), stream
    target = Target(first, second, third)
    for stream in STREAMS:
        assert differences(app.account, stream, target.living(stream)) == {}, stream
    fourth = tap.sync(state=third.state)
    for stream in STREAMS:
        assert fourth.audit()[stream]["deletions"] == 0, stream


def test_a_log_that_is_refused_for_longer_than_it_reaches_makes_a_reconcile_due(start_some: Start) -> None:
    """What it does not tell any more, only a complete read finds."""
    app, tap = start_some(("leads",), SHAPE, forbidden=["event"])
    state = tap.sync(reconcile_days=90).state
    (gone,) = app.account.delete("leads", count=1)
    for days in (20, 40):
        later(app, tap, float(days * DAY))
        run = tap.sync(state=state, reconcile_days=90)
        state = run.state
    assert "its log was last readable longer ago than the CRM tells of deletions (30 days)" in run.log
    assert run.audit()["leads"]["deletions"] == 1
    assert gone not in {record["id"] for record in run.records("leads")}
    after = tap.sync(state=state, reconcile_days=90)
    assert after.audit()["leads"]["mode"] == "incremental"
