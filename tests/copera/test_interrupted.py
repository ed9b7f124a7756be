"""Killed, terminated or shut out: what was written is whole, and no table is given up that was not read whole."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from sandbox.copera import PAT
from tap_crm.contract.signals import REFUSED
from tap_crm.sync.read_ahead import STREAMS_AT_ONCE
from tap_crm.sync.run import LANES_WITHOUT_LIMIT
from tests.close.killing import whole_lines
from tests.copera.conftest import activated, choosing, table_streams
from tests.copera.truth import FIXED, differences, table_differences
from tests.singer import Run, Tap, environment, parse, together
from tests.target import Target
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from sandbox.copera import CoperaSandbox
    from sandbox.simulator import Moment
    from tests.copera.conftest import KnownOf, Start, StartRead

SHAPE = {"boards": 2, "tables": 7, "rows": 350}


def assert_complete(app: CoperaSandbox, *runs: Run) -> None:
    """A target that took all the runs holds the truth, in every table and every other stream."""
    target = Target(*runs)
    assert table_differences(app.account, together(*runs), target) == {}
    for stream in FIXED:
        assert differences(app.account, stream, together(*runs), target) == {}, stream


def stopped(tap: Tap, lines: int, command: list[str], number: int = signal.SIGKILL) -> Run:
    """Read so many lines of a run, then send a signal, and take what it had written by then."""
    reading, writing = os.pipe()
    with (tap.folder / "stopped.log").open("wb") as log, os.fdopen(reading, "rb") as output:
        run = WarmRun(command, environment(measured=False), writing, log.fileno())
        os.close(writing)
        text = b"".join(output.readline() for _ in range(lines))
        run.send_signal(number)
        text += output.read()
        run.shown(text)
        code = run.wait(20)
        run.close()
    return parse(whole_lines(text), code, (tap.folder / "stopped.log").read_text())


@pytest.mark.parametrize("lines", [1, 200, 400])
def test_a_killed_first_run_and_the_next_one_load_everything(start: Start, lines: int) -> None:
    """SIGKILL at several places; the target has what was written, the state is the last STATE in it."""
    app, tap = start(SHAPE)
    first = stopped(tap, lines, tap.command())
    assert first.code == -signal.SIGKILL
    for stream in set(activated(first)):
        at = [one["type"] for one in first.messages if one.get("stream") == stream]
        assert at[-1] == "ACTIVATE_VERSION"
    assert_complete(app, first, tap.sync(state=first.state))


@pytest.mark.parametrize("lines", [250])
def test_what_a_killed_run_wrote_does_not_outlive_what_was_undone_since(start: Start, lines: int) -> None:
    """A row that it wrote and that is gone by the next run, and one that is again as it was before.

    For the next run, by what it remembers, neither has changed.
    """
    app, tap = start(SHAPE)
    account = app.account
    first = tap.sync()
    tables = [table for table in account.tables.values() if table.rows]
    before = {row.id: (table, row.raw, row.tail) for table in tables for row in table.rows.values()}
    for table in tables:
        account.edit(table.id, count=30, changes={table.columns[0].id: "for a moment"})
        account.create(table.id, count=3)
    second = stopped(tap, lines, tap.command(state=first.state))
    for table in tables:
        for key in set(table.rows) - set(before):
            del table.rows[key], account.rows[key]
        for row in table.rows.values():
            row.raw, row.tail = before[row.id][1:]
    third = tap.sync(state=second.state or first.state)
    assert_complete(app, first, second, third)
    fourth = tap.sync(state=third.state)
    assert not any(fourth.count(stream) for stream in table_streams(fourth))


@pytest.mark.parametrize("lines", [250])
def test_a_run_that_is_terminated_while_it_writes_a_table_activates_nothing_of_it(
    start_read: StartRead, lines: int
) -> None:
    """Not the new version of a table that lost rows either."""
    app, tap, first = start_read(SHAPE)
    for table in app.account.tables.values():
        app.account.delete(table.id, count=5)
    second = stopped(tap, lines, tap.command(state=first.state), signal.SIGTERM)
    assert second.code in (0, 143)
    last = second.messages[-2:]
    assert last[-1]["type"] == "STATE"
    assert_complete(app, first, second, tap.sync(state=second.state))


@pytest.mark.parametrize("after", [0, 4, 15])
def test_a_token_that_expires_ends_the_run_and_the_next_one_completes(start: Start, after: int) -> None:
    """An exit code of its own at once, nothing more is asked; a good token and the state bring the rest."""
    app, tap = start(SHAPE)
    app.revoke(PAT, after=after)
    first = tap.sync(expect=REFUSED)
    assert "refused the credentials (401)" in first.log
    assert "Traceback" not in first.log
    assert PAT not in first.log
    under_way = STREAMS_AT_ONCE * LANES_WITHOUT_LIMIT  # at most: how many are, the machine decides
    assert sum(one.status == 401 for one in app.stats.log) <= under_way
    assert not [line for line in first.log.splitlines() if "attempt" in line]
    unread = {stream for stream in table_streams(first) if not first.audit().get(stream, {}).get("complete")}
    assert not unread & set(activated(first))
    app.restore()
    assert_complete(app, first, tap.sync(state=first.state))


def test_a_token_that_is_expired_from_the_start_is_one_line(start: Start) -> None:
    """Whoever reads the log sees what to do, and nothing else."""
    app, tap = start(SHAPE, token_expires_after=0)
    for discovers in (False, True):
        app.stats.reset()
        log = tap.discover(expect=REFUSED)[1] if discovers else tap.sync(expect=REFUSED).log
        errors = [line for line in log.splitlines() if "ERROR" in line]
        assert len(errors) == 1
        assert "401" in errors[0]
        assert app.stats.requests == 1


def test_a_forbidden_board_is_named_and_left_out(start: Start) -> None:
    """The other boards' tables are complete; the audit says so too."""
    app, tap = start()
    board = app.account.table_named("Leads").board
    app.behaviour.forbidden_boards = [board]
    run = tap.sync()
    assert f"board {board}" in run.log
    assert "left out" in run.log
    assert any(board in note for note in run.audit()["tables"]["notes"])
    assert not [stream for stream in run.schemas if stream.startswith("sales__")]
    seen = [table for table in app.account.tables.values() if table.board != board]
    assert len(table_streams(run)) == len(seen)
    assert all(run.audit()[stream]["complete"] for stream in table_streams(run))
    catalog, log = tap.discover()
    assert f"board {board}" in log
    assert not [name for name in table_streams(catalog) if name.startswith("sales__")]


def test_a_forbidden_board_whose_tables_the_catalog_selects_fails_by_name(start: Start, known: KnownOf) -> None:
    """Exit code 1: what was asked for is not there."""
    app, tap = start()
    catalog = choosing(known({}), "sales__leads", "projects__roadmap")
    app.behaviour.forbidden_boards = [app.account.table_named("Leads").board]
    run = tap.sync(catalog=catalog, expect=1)
    assert "sales__leads" in run.log.splitlines()[-1]
    assert "Traceback" not in run.log


def test_rows_that_become_forbidden_after_discovery_fail_or_leave_out_their_stream(
    start: Start, known: KnownOf
) -> None:
    """By name, if the catalog selects it."""
    app, tap = start()
    catalog = choosing(known({}), "sales__leads", "sales__people", "projects__roadmap")

    def forbid(moment: Moment) -> None:
        if moment.when == "before" and moment.request.path.endswith(f"{app.account.table_named('Leads').id}/rows"):
            app.behaviour.forbidden_boards = [app.account.table_named("Leads").board]

    app.on_answer(forbid)
    run = tap.sync(catalog=catalog, expect=1)
    assert "streams are not complete: sales__leads" in run.log
    assert "403" in run.audit()["sales__leads"]["error"]
    assert run.audit()["projects__roadmap"]["complete"]
    assert "sales__leads" not in activated(run)
    app.behaviour.forbidden_boards = []
    left_out = tap.sync()
    assert "stream `sales__leads` is left out" in left_out.log
    assert "sales__leads" not in activated(left_out)
