"""A reconcile that is killed, terminated, or out of requests: the next run goes on, and marks nothing wrongly."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import Shape, copper_app
from sandbox.server import running
from tests.copper.conftest import FEW, PLAIN, SMALL, tap_for
from tests.copper.reconciling import Load
from tests.singer import Run
from tests.target import activated, versions

if TYPE_CHECKING:
    from sandbox.copper import CopperSandbox
    from tests.copper.conftest import Start

#: The same account each time, so that one first run is that of all tests.
SHAPE = {**PLAIN, **FEW, "people": 280, "now": int(time.time())}
PAGE = 20
#: A reconcile in windows of ten pages, of which that of these people has two; one without a limit reads all at once.
SMALL_WINDOWS: dict[str, Any] = {"reconcile": "true", "reconcile_max_requests": 1_000}
#: About as many answers as a reconcile of people has, behind the one that names the account.
ACCOUNT = 1
ANSWERS = 19


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return what a first run writes."""
    app = copper_app(Shape(**{**SMALL, **SHAPE}), rate_limit=0, page_cap=PAGE)
    with running(app) as url:
        return Load(app, tap_for(url, tmp_path_factory.mktemp("first")), "people").run()


@pytest.fixture
def load(start: Start, first: Run) -> Load:
    """Give an account of which the people were read once."""
    load = Load(*start(SHAPE, page_cap=PAGE), "people")
    load.took(first)
    return load


def change(app: CopperSandbox) -> set[int]:
    """Let something happen between two runs; gives the people that are gone."""
    account = app.account
    account.edit("people", count=6)
    account.create("people", count=2)
    lost = {lost for lost, _ in account.merge("people", count=1)}
    return lost | set(account.delete("people", count=4))


@pytest.mark.parametrize("place", range(10))
def test_a_killed_reconcile_marks_nothing_wrongly_and_the_next_run_completes_it(load: Load, place: int) -> None:
    """SIGKILL at ten places; what is changed, deleted and merged before and after arrives."""
    gone = change(load.app)
    killed = load.killed(ACCOUNT + 1 + place * ANSWERS // 10, **SMALL_WINDOWS)
    assert killed.code == -signal.SIGKILL
    read_to = load.kept("people").get("reconcile", {}).get("read_to")
    change(load.app)
    run = load.run(**SMALL_WINDOWS)
    assert read_to is not None or place < 8
    if read_to is not None:  # some windows were finished, and are not read again
        assert load.requests("people") < ANSWERS
        assert any("goes on" in note for note in run.audit()["people"]["notes"])
    assert set(activated(run)) == {"people"}
    assert load.targets.marked("people") >= {(number,) for number in gone}
    load.reconcile()
    assert load.differences() == {}


def test_what_a_killed_reconcile_wrote_is_marked_if_it_is_gone_by_the_next_one(load: Load) -> None:
    """It had come to no checkpoint: the next one begins anew, under a version that no row has yet."""
    edited = load.app.account.edit("people", count=6)
    killed = load.killed(ACCOUNT + 1 + ANSWERS // 2, **SMALL_WINDOWS)
    assert {row["id"] for row in killed.records("people")} >= set(edited)
    assert "read_to" not in load.kept("people")["reconcile"]
    load.app.account.delete("people", ids=edited)
    run = load.run(**SMALL_WINDOWS)
    assert load.differences() == {}
    assert any("begins anew" in note for note in run.audit()["people"]["notes"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_a_reconcile_leaves_a_state_to_go_on_from(load: Load, number: int) -> None:
    """The last line is that STATE."""
    gone = change(load.app)
    stopped = load.killed(16, number, **SMALL_WINDOWS)
    assert stopped.code == 128 + number
    assert stopped.messages[-1]["type"] == "STATE"
    assert activated(stopped) == {}
    load.run()  # an unfinished reconcile goes on though none is due
    assert load.requests("people") < ANSWERS
    assert load.targets.marked("people") == {(one,) for one in gone}
    assert load.differences() == {}


def test_a_run_without_reconcile_in_between_keeps_its_rows_under_the_unfinished_version(load: Load) -> None:
    """Else they would be marked when that is completed."""
    load.killed(16, **SMALL_WINDOWS)
    unfinished = load.kept("people")["reconcile"]["version"]
    ids = load.app.account.edit("people", count=3)
    between = load.run(reconcile="false")
    assert {number for (number,) in between.keys("people")} >= set(ids)
    assert versions(between, "people") == {unfinished}
    assert load.requests("people") == 1
    assert load.kept("people")["reconcile"]["version"] == unfinished
    assert activated(load.run()) == {"people": unfinished}
    assert load.targets.marked("people") == set()
    assert load.differences() == {}


def cut(run: Run, number: int) -> Run:
    """Return what a run would have written if it had been killed after so many of its STATE lines."""
    states = [at for at, one in enumerate(run.messages) if one["type"] == "STATE"]
    return Run(-signal.SIGKILL, run.log, run.messages[: states[number - 1] + 1])


@pytest.mark.parametrize("states", [1, 2, 3])
def test_a_first_run_that_was_cut_off_is_completed_under_its_version(start: Start, states: int) -> None:
    """Its rows are counted once, wherever it was cut off. Without a bookmark, it begins anew."""
    app, tap = start({**PLAIN, **FEW, "people": 540}, page_cap=PAGE)
    load = Load(app, tap, "people")
    first = load.took(cut(tap.sync(catalog=load.catalog), states))
    assert activated(first) == {}
    goes_on = "replication_key_value" in load.kept("people")
    new = app.account.create("people", count=3)
    run = load.run(reconcile="false")
    assert (versions(first, "people") == versions(run, "people")) is goes_on
    assert (len(run.keys("people")) < 500) is goes_on
    assert versions(run, "people") == set(activated(run).values())
    assert load.kept("people")["rows"] == 540 + len(new)
    assert load.differences() == {}


def test_a_cap_on_requests_spreads_a_reconcile_over_runs(start: Start) -> None:
    """Fifteen a run for thirty pages: each run gets on, the cap is kept but for a window, the end is right."""
    app, tap = start({**PLAIN, **FEW, "people": 600}, page_cap=PAGE)
    load = Load(app, tap, "people")
    load.run()
    gone = set(app.account.delete("people", count=20))
    reached = [""]
    for _ in range(4):
        run = load.run(reconcile="true" if len(reached) == 1 else "auto", reconcile_max_requests=15)
        assert load.requests("people") <= 15 + 12
        if activated(run):
            break
        reached.append(load.kept("people")["reconcile"]["read_to"])
        assert any("used up" in note for note in run.audit()["people"]["notes"])
        app.account.edit("people", count=5)
        app.account.delete("people", count=1)
    assert activated(run)
    assert 2 <= len(reached) <= 3
    assert reached == sorted(set(reached))
    assert load.targets.marked("people") >= {(number,) for number in gone}
    load.reconcile()
    assert load.differences() == {}


@pytest.mark.parametrize("cap", [1, 2])
def test_the_smallest_cap_gets_to_an_end(start: Start, cap: int) -> None:
    """One window a run at least; what is read to its end is concluded."""
    app, tap = start({**PLAIN, **FEW, "people": 45, "projects": 30}, page_cap=PAGE)
    load = Load(app, tap, "people", "projects")
    load.run()
    gone = {stream: app.account.delete(stream, count=5) for stream in load.streams}
    done: set[str] = set()
    for _ in range(3):
        load.age(*(set(load.streams) - done))
        done |= set(activated(load.run(reconcile_max_requests=cap)))
    assert done == set(load.streams)
    for stream, ids in gone.items():
        assert load.targets.marked(stream) == {(number,) for number in ids}
    assert load.differences() == {}


def test_edits_between_the_runs_of_a_reconcile_are_not_taken_for_more_rows(load: Load) -> None:
    """A third of the rows is read twice. Else the next reconcile would miss them, and stop."""
    load.run(reconcile="true", reconcile_max_requests=10)
    load.app.account.edit("people", count=90)
    assert activated(load.run())
    assert load.kept("people")["rows"] <= SHAPE["people"]
    run = load.reconcile()
    assert run.audit()["people"]["deletions"] == 0
    assert load.differences() == {}
