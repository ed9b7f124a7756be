"""When a stream is read completely to find deletions, what the state and the records say of it, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.copper.conftest import PLAIN
from tests.copper.reconciling import INCREMENTAL, Load
from tests.target import activated, versions

if TYPE_CHECKING:
    from tests.copper.conftest import Start
    from tests.singer import Run

SHAPE = {**PLAIN, "people": 210, "companies": 40, "leads": 40, "opportunities": 40, "activities": 45}


def ends(run: Run, stream: str) -> bool:
    """Tell whether the activation comes after the stream's last record, and before a STATE."""
    kinds = [one["type"] for one in run.messages if one.get("stream") == stream or one["type"] == "STATE"]
    after = kinds[kinds.index("ACTIVATE_VERSION") + 1 :]
    return "RECORD" in kinds and "STATE" in after and "RECORD" not in after


def ago(**amount: float) -> str:
    """Return the moment so long ago."""
    return (datetime.now(UTC) - timedelta(**amount)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_first_run_ends_each_stream_with_the_activation_of_its_version(start: Start) -> None:
    """After the last record and before the final STATE, which has the version, the rows and the time."""
    load = Load(*start(SHAPE))
    run = load.run()
    for stream in INCREMENTAL:
        kept = load.kept(stream)
        assert versions(run, stream) == {activated(run)[stream]} == {kept["version"]}
        assert ends(run, stream)
        assert kept["rows"] == len(run.keys(stream))
        assert ago(minutes=5) < kept["reconciled_at"] <= ago(seconds=0)
        assert "reconcile" not in kept
    assert load.targets.both[0].markings
    assert load.differences() == {}


def test_between_reconciles_a_run_costs_one_request_a_stream_and_keeps_the_version(start: Start) -> None:
    """No more than before there were reconciles; what changed is written under the version that was activated."""
    app, tap = start(SHAPE)
    load = Load(app, tap)
    first = load.run()
    app.account.edit("people", count=7)
    app.account.create("leads", count=2)
    run = load.run()
    assert {stream: load.requests(stream) for stream in INCREMENTAL} == dict.fromkeys(INCREMENTAL, 1)
    assert activated(run) == {}
    for stream in ("people", "leads", "activities"):
        assert versions(run, stream) == {activated(first)[stream]}
        assert run.audit()[stream]["mode"] == "incremental"
    assert load.differences() == {}


def test_a_reconcile_writes_all_rows_under_a_greater_version_and_activates_it(start: Start) -> None:
    """Once `reconciled_at` is `reconcile_days` ago; only the streams of which that is true."""
    app, tap = start(SHAPE)
    load = Load(app, tap)
    first = load.run()
    load.age("people", "tasks")
    second = load.run()
    assert set(activated(second)) == {"people", "tasks"}
    for stream in ("people", "tasks"):
        assert versions(second, stream) == {activated(second)[stream]}
        assert activated(second)[stream] > activated(first)[stream]
        assert second.keys(stream) == first.keys(stream)
        assert ends(second, stream)
        audit = second.audit()[stream]
        assert (audit["mode"], audit["deletions"], audit["complete"]) == ("reconcile", 0, True)
        assert any(note.startswith("reconcile: ") for note in audit["notes"])
    assert activated(load.run()) == {}


@pytest.mark.parametrize(("days", "since", "is_due"), [(7, 6.9, False), (7, 7.1, True), (30, 29, False), (1, 2, True)])
def test_a_reconcile_is_due_after_reconcile_days(start: Start, days: float, since: float, *, is_due: bool) -> None:
    """To the hour."""
    load = Load(*start(SHAPE), "projects")
    load.run()
    load.kept("projects")["reconciled_at"] = ago(days=since)
    assert bool(activated(load.run(reconcile_days=days))) is is_due


def test_a_wish_overrules_the_calendar(start: Start) -> None:
    """`reconcile: true` reads completely in every run, `false` in none."""
    load = Load(*start(SHAPE), "projects")
    load.run()
    assert set(activated(load.run(reconcile="true"))) == {"projects"}
    load.age()
    assert activated(load.run(reconcile="false")) == {}
    assert load.requests("projects") == 1
    assert set(activated(load.run())) == {"projects"}


def test_a_state_with_only_a_bookmark_waits_reconcile_days_before_the_first_reconcile(start: Start) -> None:
    """It is from a version of the tap that knew none: not all streams of all users at once, on the day of an update."""
    app, tap = start(SHAPE)
    load = Load(app, tap, "projects")
    load.run()
    bookmark = {name: load.kept("projects")[name] for name in ("replication_key", "replication_key_value")}
    load.state = {"bookmarks": {"projects": bookmark}}
    app.account.edit("projects", count=3)
    run = load.run()
    assert activated(run) == {}
    assert versions(run, "projects") == {None}
    seen_first = load.kept("projects")["untold_since"]
    assert ago(minutes=5) < seen_first <= ago(seconds=0)
    assert activated(load.run(reconcile_days=1)) == {}
    assert load.kept("projects")["untold_since"] == seen_first
    load.kept("projects")["untold_since"] = ago(days=8)
    gone = app.account.delete("projects", count=2)
    assert set(activated(load.run())) == {"projects"}
    assert load.targets.marked("projects") == {(number,) for number in gone}
    assert "untold_since" not in load.kept("projects")
    assert load.differences() == {}


@pytest.mark.parametrize("junk", [None, 5, "x", [], {"version": "x"}, {"version": -1, "read_to": 3, "rows": "many"}])
def test_junk_in_the_state_is_harmless(start: Start, junk: object) -> None:
    """At worst a reconcile begins anew, or is due."""
    app, tap = start(SHAPE)
    load = Load(app, tap, "projects")
    load.run()
    gone = app.account.delete("projects", count=2)
    load.kept("projects").update(reconcile=junk, reconciled_at=junk, version=junk, rows=junk, rows_until=junk)
    load.run()
    load.reconcile()
    assert load.differences() == {}
    assert load.targets.marked("projects") == {(number,) for number in gone}


def test_what_merged_states_brought_back_of_a_finished_reconcile_is_not_taken_up(start: Start) -> None:
    """Some runners merge states key by key, so that what was removed from them stays."""
    app, tap = start(SHAPE)
    load = Load(app, tap, "projects")
    load.run()
    load.reconcile()
    kept = load.kept("projects")
    kept["reconcile"] = {"version": kept["version"], "read_to": ago(days=100), "rows": 10, "new": 0, "first": False}
    gone = app.account.delete("projects", count=2)
    assert activated(load.run()) == {}
    load.age()
    load.run()
    assert load.targets.marked("projects") == {(number,) for number in gone}
    assert load.differences() == {}
