"""A lost permission looks like a mass deletion: nothing is marked, and the run says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.copper.conftest import FEW, PLAIN
from tests.copper.reconciling import Load
from tests.singer import later
from tests.target import activated

if TYPE_CHECKING:
    from tests.copper.conftest import Start

SHAPE = {**PLAIN, **FEW, "people": 300, "companies": 30}


@pytest.mark.parametrize(("total", "requests"), [("exact", 4), ("capped", 4), ("missing", 20)])
def test_half_of_the_people_hidden_marks_nothing_and_fails_by_name(start: Start, total: str, requests: int) -> None:
    """In this run and the next; at once where the CRM counts. The other streams are complete."""
    app, tap = start(SHAPE, total=total)
    load = Load(app, tap, "people", "companies")
    load.run()
    app.behaviour.hidden = {"people": 0.5}
    later(app, tap, 30)
    gone = app.account.delete("companies", count=3)
    load.age()
    for _ in range(2):
        run = load.run(expect=1)
        assert load.targets.marked("people") == set()
        assert "people" not in activated(run)
        assert load.requests("people") <= requests
        audit = run.audit()["people"]
        assert not audit["complete"]
        assert "max_deletions_percent" in audit["error"]
        assert "may no longer see them" in run.log
        assert "1 of 2 streams are not complete: people." in run.log
        assert "Traceback" not in run.log
        assert run.audit()["companies"]["complete"]
    assert load.targets.marked("companies") == {(number,) for number in gone}


def test_rights_that_come_back_end_the_matter(start: Start) -> None:
    """Changes arrived meanwhile, as far as the key saw them; then the reconcile is made up for."""
    app, tap = start(SHAPE)
    load = Load(app, tap, "people")
    load.run()
    app.behaviour.hidden = {"people": 0.5}
    app.account.edit("people", count=50)
    gone = app.account.delete("people", count=30)
    load.age()
    load.run(expect=1)
    app.behaviour.hidden = {}
    run = load.run()
    assert set(activated(run)) == {"people"}
    assert run.audit()["people"]["deletions"] == 30
    assert load.targets.marked("people") == {(number,) for number in gone}
    load.app.account.edit("people", count=270)
    load.run()
    assert load.differences() == {}


def test_a_raised_limit_lets_the_rows_go_and_they_come_back_when_they_are_seen(start: Start) -> None:
    """For one run; it is the user who says that they are gone."""
    app, tap = start(SHAPE)
    load = Load(app, tap, "people")
    load.run()
    app.behaviour.hidden = {"people": 0.5}
    load.reconcile(expect=1)
    run = load.reconcile(max_deletions_percent=60)
    seen = app.account.visible("people")
    assert run.audit()["people"]["deletions"] == SHAPE["people"] - len(seen) == len(load.targets.marked("people"))
    assert load.differences_from_what_is_seen() == {}
    load.reconcile()
    app.behaviour.hidden = {}
    load.targets.forget_markings()
    load.reconcile()
    assert load.targets.marked("people") == set()
    assert load.differences() == {}


@pytest.mark.parametrize(("gone", "code"), [(99, 0), (100, 1)])
def test_fewer_than_a_hundred_rows_never_stop_a_stream(start: Start, gone: int, code: int) -> None:
    """In small streams, a few rows are many percent."""
    app, tap = start({**SHAPE, "projects": 150})
    load = Load(app, tap, "projects")
    load.run()
    app.account.delete("projects", count=gone)
    load.reconcile(expect=code)
    assert len(load.targets.marked("projects")) == (gone if code == 0 else 0)


def test_new_rows_do_not_hide_that_the_others_are_gone(start: Start) -> None:
    """As many as are hidden: the count alone is the same."""
    app, tap = start(SHAPE)
    load = Load(app, tap, "people")
    load.run()
    later(app, tap, 60)
    app.behaviour.hidden = {"people": [int(number) for number in app.account.ids("people")[:150]]}
    app.account.create("people", count=150)
    run = load.reconcile(expect=1)
    assert "at least 150 of 300" in run.log
    assert load.targets.marked("people") == set()


def test_a_list_that_each_run_reads_completely_stops_too(start: Start) -> None:
    """A few users that are gone leave the target by the next run; most of them do not."""
    app, tap = start({**SHAPE, "users": 220})
    load = Load(app, tap, "users", "companies")
    load.run()
    gone = app.account.delete("users", count=5)
    run = load.run()
    assert load.targets.marked("users") == {(number,) for number in gone}
    assert run.audit()["users"]["deletions"] == 5
    more = app.account.delete("users", count=150)
    run = load.run(expect=1)
    assert "at least 150 of 215" in run.audit()["users"]["error"]
    assert run.audit()["companies"]["complete"]
    assert load.targets.marked("users") == {(number,) for number in gone}
    load.run(max_deletions_percent=90)
    assert load.targets.marked("users") == {(number,) for number in [*gone, *more]}
