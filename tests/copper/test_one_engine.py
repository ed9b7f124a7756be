"""What an account of Copper may hide behind its pages, counts and caps arrives, or ends the run by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.copper.truth import differences
from tests.singer import Run, merged

if TYPE_CHECKING:
    from sandbox.copper import CopperSandbox
    from tests.copper.conftest import Start


def visible(app: CopperSandbox, stream: str) -> set[tuple[int]]:
    """Return the keys of what a search gives."""
    never = set(app.behaviour.never_given.get(stream, ()))
    return {(int(number),) for number in app.account.ids(stream) if int(number) not in never}


def in_order(app: CopperSandbox, stream: str) -> list[int]:
    """Return the ids of a stream, in the order in which it is read."""
    time = "activity_date" if stream == "activities" else "date_modified"
    records = sorted(app.account.records(stream), key=lambda record: (record[time], record["id"]))
    ids = [record["id"] for record in records]
    return ids[::-1] if stream == "activities" else ids


def is_complete(run: Run, stream: str) -> bool:
    """Tell whether the run says so."""
    return bool(run.audit()[stream]["complete"])


@pytest.mark.parametrize("total", ["missing", "capped"])
def test_an_undocumented_cap_in_the_middle_of_a_page(start_some: Start, total: str) -> None:
    """500 of 1,100 people, of whom 300 share a second: nothing is missing."""
    app, tap = start_some(("people",), {"people": 1_100, "tie_block": 300}, search_cap=500, total=total)
    run = tap.sync()
    assert differences(app.account, "people", merged("people", run)) == {}


@pytest.mark.parametrize("gives", [20, 100, 199])
def test_fewer_rows_a_page_than_asked_for(start_some: Start, gives: int) -> None:
    """Of people and of activities."""
    app, tap = start_some(("people", "activities"), {"people": 450, "activities": 450, "tie_block": 60}, page_cap=gives)
    run = tap.sync()
    for stream in ("people", "activities"):
        assert differences(app.account, stream, merged(stream, run)) == {}, stream


def test_page_numbers_that_are_ignored(start_some: Start) -> None:
    """All arrives where each question begins at a time; a list without times fails by name."""
    app, tap = start_some(("people",), {"people": 450}, page_numbers="ignored")
    run = tap.sync()
    assert differences(app.account, "people", merged("people", run)) == {}


@pytest.mark.parametrize("total", ["exact", "missing"])
@pytest.mark.parametrize("stream", ["people", "activities"])
def test_hits_that_are_counted_but_never_given(start_some: Start, stream: str, total: str) -> None:
    """The first 200, and in a later run those before 50 edits: what can be seen arrives."""
    app, tap = start_some((stream,), {stream: 700}, total=total)
    app.behaviour.never_given = {stream: in_order(app, stream)[:200]}
    first = tap.sync(max_unexplained_percent=100)
    assert merged(stream, first).keys() == visible(app, stream)
    if total == "exact":
        assert first.audit()[stream]["unexplained"] == 200
    if stream == "people":
        changed = app.account.edit("people", count=250)
        order = [number for number in in_order(app, stream) if number in set(changed)]
        app.behaviour.never_given = {stream: order[:200]}
        second = tap.sync(state=first.state, max_unexplained_percent=100)
        assert {(number,) for number in order[200:]} <= merged(stream, second).keys()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("how", ["ignored", "refused"])
def test_edits_of_one_second_without_the_filter(start_some: Start, how: str, seed: int) -> None:
    """150 over two pages whose ties change places: no stale row stays."""
    app, tap = start_some(
        ("people",), {"people": 630, "seed": seed}, modified_filter={"people": how}, unstable_ties=True
    )
    first = tap.sync()
    app.account.edit("people", count=150)
    second = tap.sync(state=first.state)
    assert differences(app.account, "people", merged("people", first, second)) == {}


def test_activities_dated_in_the_future_let_a_reconcile_conclude(start_some: Start) -> None:
    """More than a page of them: what was deleted is told, and no note says that anything is restless."""
    app, tap = start_some(("activities",), {"activities": 700})
    _date_in_the_future(app, 260)
    first = tap.sync()
    app.account.delete("activities", count=5)
    second = tap.sync(state=first.state, reconcile="true")
    row = second.audit()["activities"]
    assert row["deletions"] == 5
    assert [message for message in second.messages if message["type"] == "ACTIVATE_VERSION"]
    assert row["notes"] == ["reconcile: `reconcile` is true"]


def _date_in_the_future(app: CopperSandbox, count: int) -> None:
    ids = in_order(app, "activities")[:count]
    now = max(record["activity_date"] for record in app.account.records("activities"))
    for place, number in enumerate(ids):
        app.account.edit("activities", ids=[number], changes={"activity_date": now + 86_400 * 30 + place})


def test_many_created_just_before_a_reconcile(start_some: Start) -> None:
    """650 in the last second: read once for the bookmark and once or twice more, and the reconcile concludes."""
    app, tap = start_some(("people",), {"people": 300})
    first = tap.sync()
    app.account.create("people", count=650)
    second = tap.sync(state=first.state, reconcile="true")
    row: dict[str, Any] = second.audit()["people"]
    assert [message for message in second.messages if message["type"] == "ACTIVATE_VERSION"]
    assert merged("people", second).keys() == visible(app, "people")
    assert second.count("people") <= 300 + 3 * 650
    assert row["requests"] <= 45
