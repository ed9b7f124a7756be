"""The next run costs what changed: one request a stream where nothing did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.copper.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.copper.conftest import Start


def test_a_change_that_shows_late_in_the_index_is_caught_by_the_overlap(start_some: Start) -> None:
    """A search may show an edit minutes after its change time; each run re-reads that long before its bookmark."""
    app, tap = start_some(("people",))
    first = tap.sync()
    ids = app.account.edit("people", count=5, changes={"date_modified": int(app.now()) - 200, "name": "Late"})
    second = tap.sync(state=first.state)
    assert {record["id"] for record in second.records("people")} >= set(ids)
    without = tap.sync(state=first.state, overlap_seconds=0)
    assert not {record["id"] for record in without.records("people")} & set(ids)


def test_a_converted_lead_comes_again_as_converted(start_some: Start) -> None:
    """It is not gone: it has `converted_at` and knows its person."""
    app, tap = start_some(("leads",))
    first = tap.sync()
    open_leads = [lead["id"] for lead in app.account.records("leads") if not lead.get("converted_at")]
    app.account.convert(ids=open_leads[:3])
    second = tap.sync(state=first.state)
    again = {lead["id"]: lead for lead in second.records("leads")}
    assert set(again) == set(open_leads[:3])
    assert all(lead["converted_at"] and lead["converted_contact_id"] for lead in again.values())
    assert differences(app.account, "leads", merged("leads", first, second)) == {}


def test_late_and_future_activities_arrive(start_some: Start) -> None:
    """Edits and back-dated entries within the look-back; whatever lies in the future with every run."""
    app, tap = start_some(("activities",))
    first = tap.sync()
    future = {record["id"] for record in app.account.records("activities") if record["activity_date"] > app.now()}
    assert future <= {record["id"] for record in first.records("activities")}
    assert first.state["bookmarks"]["activities"]["replication_key_value"] <= _iso(int(app.now()))
    late = app.account.create("activities", changes={"activity_date": int(app.now()) - 20 * 3600})
    new = app.account.create("activities", count=3)
    later = app.account.create("activities", changes={"activity_date": int(app.now()) + 30 * 86_400})
    second = tap.sync(state=first.state)
    arrived = {record["id"] for record in second.records("activities")}
    assert arrived >= {*late, *new, *later, *future}


def test_a_wider_look_back_on_activities_catches_older_edits(start_some: Start) -> None:
    """`activity_lookback_days` says how far."""
    app, tap = start_some(("activities",))
    first = tap.sync()
    week = int(app.now()) - 6 * 86_400
    late = app.account.create("activities", changes={"activity_date": week})
    near = tap.sync(state=first.state)
    assert not set(late) & {record["id"] for record in near.records("activities")}
    far = tap.sync(state=first.state, activity_lookback_days=7)
    assert set(late) <= {record["id"] for record in far.records("activities")}


def _iso(seconds: int) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
