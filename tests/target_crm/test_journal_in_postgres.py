"""The journal in a PostgreSQL database: the same promises as in a file."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import make_url

from target_crm.journal.journal import Journal
from tests.postgres import Server, serving
from tests.target_crm.journal_tap import JournalTap
from tests.target_crm.running import CREDENTIALS, Killed, records, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

KEYED: dict[str, Any] = {"people": {"match": ["key"], "external_id": "custom_our_key"}}
PEOPLE = [*records("people", *({"key": f"k{at}", "name": f"Person {at}"} for at in range(25))), state(1)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as given:
        yield given


@pytest.fixture
def journal(server: Server) -> str:
    return make_url(server.create()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def test_what_was_written_is_unchanged_for_the_next_run(bench: Bench, crm: CopperDouble, journal: str) -> None:
    assert bench.run(PEOPLE, journal=journal, streams=KEYED).outcomes == {"created": 25}
    again = bench.run(PEOPLE, journal=journal, streams=KEYED)
    assert (again.outcomes, again.states) == ({"unchanged": 25}, [{"at": 1}])
    assert len(crm.rows("people")) == 25


def test_a_death_at_any_step_doubles_and_loses_nothing(bench: Bench, crm: CopperDouble, journal: str) -> None:
    """The connection ends as that of a process that is killed: its transaction is undone."""
    steps = 0

    def count(_: str) -> None:
        nonlocal steps
        steps += 1
        if steps in deaths:
            raise Killed

    deaths = {3, 8, 14, 21, 29}
    killed = [bench.run(PEOPLE, count, journal=journal, streams=KEYED) for _ in deaths]
    assert {(one.code, len(one.states)) for one in killed} == {(-9, 0)}
    done = bench.run(PEOPLE, journal=journal, streams=KEYED)
    assert (done.code, len(done.lines), done.states) == (0, 25, [{"at": 1}])
    assert sorted(row["name"] for row in crm.rows("people")) == sorted(f"Person {at}" for at in range(25))


def test_a_dry_run_leaves_nothing_in_it(bench: Bench, crm: CopperDouble, journal: str) -> None:
    dry = bench.run(PEOPLE, journal=journal, streams=KEYED, dry_run=True)
    assert (dry.outcomes, crm.rows("people")) == ({"created": 25}, [])
    assert bench.run(PEOPLE, journal=journal, streams=KEYED).outcomes == {"created": 25}


def test_a_second_run_at_once_says_so(bench: Bench, journal: str) -> None:
    first = Journal(journal)
    try:
        refused = bench.run(PEOPLE, journal=journal, streams=KEYED)
    finally:
        first.close()
    assert refused.code == 1
    assert "the journal is in use by another process" in refused.said


def test_the_tap_reads_it_while_a_run_holds_it(bench: Bench, journal: str) -> None:
    bench.run(PEOPLE, journal=journal, streams=KEYED)
    tap = JournalTap(bench.folder, journal, **CREDENTIALS)
    held = Journal(journal)
    try:
        first = tap.writes()
    finally:
        held.close()
    bench.run(records("people", {"key": "k1", "name": "Other"}), journal=journal, streams=KEYED)
    second = tap.writes(first.state)
    assert (first.count("writes"), second.count("writes")) == (25, 1)
    assert second.state["bookmarks"]["writes"]["replication_key_value"] == 26


@pytest.mark.parametrize("is_there", [True, False])
def test_the_tap_refuses_a_database_without_a_journal_in_one_line(bench: Bench, server: Server, is_there: bool) -> None:
    address = make_url(server.create()).set(drivername="postgresql+psycopg")
    away = "postgresql+psycopg://u:se%21cret@127.0.0.1:1/x"
    journal = address.render_as_string(hide_password=False) if is_there else away
    run = JournalTap(bench.folder, journal, **CREDENTIALS).writes(expect=1)
    said = "names something that is no journal" if is_there else "it cannot be opened: connection failed"
    assert said in run.log.strip().splitlines()[-1]
    assert "Traceback" not in run.log
    assert "cret" not in run.log


def test_a_database_out_of_reach_is_one_line_without_the_password(bench: Bench) -> None:
    refused = bench.run(PEOPLE, journal="postgresql+psycopg://u:se%21cret@127.0.0.1:1/x", streams=KEYED)
    assert refused.code == 1
    assert "the journal cannot be opened" in refused.said
    assert "cret" not in refused.said
