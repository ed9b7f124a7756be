"""What a run remembers of each record is in a file, so that its memory does not grow with the records."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from target_crm.journal.entries import Settled
from target_crm.journal.history import History
from target_crm.journal.journal import Journal
from target_crm.journal.tables import INTENTS, RECORDS, REJECTS
from target_crm.sync.run_file import DELETIONS, HELD, RunFile, Waiting
from target_crm.sync.states import States
from tests.target_crm.running import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

MANY, MEGABYTE = 5_000, 1_000_000


def _wait(memory: RunFile, at: int) -> None:
    memory.wait(DELETIONS, Waiting("people", at, f"k{at}", f"k{at}", {"key": f"k{at}", "name": "n" * 300}, 0))


def _claim(memory: RunFile, at: int) -> None:
    memory.claim("people", str(at), f"k{at}" * 20)


def _count(memory: RunFile, at: int) -> None:
    memory.count("people", f"row:{at}" * 20)


@pytest.mark.parametrize("remember", [_wait, _claim, _count])
def test_what_is_remembered_of_each_record_takes_no_memory(remember: Callable[[RunFile, int], None]) -> None:
    memory = RunFile()
    remember(memory, 0)
    tracemalloc.start()
    for at in range(1, MANY):
        remember(memory, at)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    memory.close()
    assert grown < MEGABYTE / 10


def test_records_wait_in_their_order_by_stream_and_are_given_once() -> None:
    memory = RunFile()
    for at in range(6):
        name = "people" if at % 2 else "tasks"
        memory.wait(HELD, Waiting(name, at, f"k{at}", None, {"at": at}, 0))
    assert memory.waits(HELD, "people", "k1")
    assert not memory.waits(HELD, "tasks", "k1")
    assert not memory.waits(DELETIONS, "people", "k1")
    first = next(memory.rest(HELD, "people"))
    assert [first.number, *(one.number for one in memory.rest(HELD, "people"))] == [1, 3, 5]
    assert [one.number for one in memory.rest(HELD, "tasks")] == [0, 2, 4]
    assert list(memory.rest(HELD, "people")) == []
    memory.close()


def test_of_states_that_wait_for_the_end_only_the_last_is_kept() -> None:
    passed: list[Any] = []
    states = States(passed.append)
    first = states.record()
    states.state({"at": 0})
    states.settle(first)
    states.hold(states.record())
    tracemalloc.start()
    for at in range(1, MANY):
        number = states.record()
        states.state({"at": at, "streams": "s" * 300})
        states.settle(number)
        states.flush()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert passed == [{"at": 0}]
    states.release()
    states.flush()
    assert [one["at"] for one in passed] == [0, MANY - 1]
    assert grown < MEGABYTE


def _rejected(journal: Journal) -> Iterator[str]:
    return (one.key for one in journal.rejects("people"))


def _written(journal: Journal) -> Iterator[str]:
    return (one.key for one in History(journal).written())


@pytest.mark.parametrize("ask", [_rejected, _written])
def test_what_a_journal_keeps_is_read_page_by_page_though_it_is_settled_meanwhile(
    tmp_path: Path, ask: Callable[[Journal], Iterator[str]]
) -> None:
    journal, count = Journal(str(tmp_path / "journal.sqlite")), 1_100
    long = json.dumps({"details": (None, "d" * 8_000)})
    same: dict[str, Any] = {"stream": "people", "object": "people", "run_id": "first", "at": 0.0}
    with journal.transaction("earlier runs"):
        for table, columns in (
            (REJECTS, {"record": long, "properties": "{}", "reason": "", "tries": 1, "first": 0.0}),
            (RECORDS, {"crm_id": "1", "outcome": "created"}),
            (INTENTS, {"action": "create", "changes": long, "state": "settled", "outcome": "created"}),
        ):
            values = {name: value for name, value in {**same, **columns}.items() if name in table.c}
            journal.connection.execute(table.insert(), [{**values, "key": f"k{at:04}"} for at in range(count)])
    next(ask(journal))  # what is loaded once is none of it
    found = []
    tracemalloc.start()
    for key in ask(journal):
        found.append(key)
        if key == "k0400":
            journal.settle([Settled("people", one, "people", "deleted", crm_id="1") for one in found[-9:]])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    journal.close()
    assert found == [f"k{at:04}" for at in range(count)]
    assert most < 10 * MEGABYTE


def test_a_key_that_the_journal_knows_is_not_the_record_of_another_key_too(bench: Bench, crm: CopperDouble) -> None:
    mails = [{"email": "a@b.c", "category": "work"}, {"email": "d@e.f", "category": "work"}]
    crm.add("people", name="Ann", emails=mails)
    streams = {"people": {"match": ["email"], "fields": {"email": "emails"}, "arrays": "union"}}
    bench.run(records("people", {"email": "a@b.c", "title": "X"}), streams=streams)
    given = records("people", {"email": "a@b.c", "title": "X"}, {"email": "d@e.f", "title": "Y"})
    done = bench.run(given, streams=streams)
    assert done.outcomes == {"unchanged": 1, "rejected": 1}
    assert crm.rows("people")[0]["title"] == "X"
