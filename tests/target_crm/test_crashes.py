"""Whatever dies, the same input again doubles nothing, loses nothing, and tells of each record once a run."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from target_crm.journal.journal import Journal
from tests.target_crm.copper_double import CopperDouble
from tests.target_crm.running import Bench, Killed, Outcome, records, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_crm.transport.question import Question

STREAMS: dict[str, Any] = {"people": {"match": ["key"], "external_id": "custom_our_key"}}
COUNT = 13
INPUT = [
    *records("people", *({"key": f"k{at}", "name": f"Person {at}", "title": "Head"} for at in range(COUNT))),
    state(1),
]


def account() -> CopperDouble:
    """Return an account that has two of the records, one of them as it is wanted."""
    crm = CopperDouble()
    for at, title in ((0, "Head"), (1, "Chief")):
        custom = [{"custom_field_definition_id": 901, "value": f"k{at}"}]
        crm.add("people", name=f"Person {at}", title=title, custom_fields=custom)
    return crm


def kill_at(number: int, seen: list[str]) -> Callable[[str], None]:
    """Return a step that ends the process at its n-th call, and notes what it was called with."""

    def step(name: str) -> None:
        seen.append(name)
        if len(seen) == number:
            raise Killed

    return step


def check(bench: Bench, crm: CopperDouble, again: Outcome, first: str) -> None:
    """Check what holds after any death and the same input again."""
    assert again.code == 0, (first, again.said)
    assert Counter(row["name"] for row in crm.rows("people")) == {f"Person {at}": 1 for at in range(COUNT)}, first
    assert {row["title"] for row in crm.rows("people")} == {"Head"}
    assert Counter(line["key"] for line in again.lines if line["run_id"] == again.target.run_id) == {
        f"k{at}": 1 for at in range(COUNT)
    }, first
    each = Counter((line["run_id"], line["key"]) for line in bench.lines())
    assert set(each.values()) == {1}, first
    made = Counter(line["key"] for line in bench.lines() if line["outcome"] == "created")
    assert made == {f"k{at}": 1 for at in range(2, COUNT)}, first
    assert again.states == [{"at": 1}]


def test_a_death_at_any_step_of_the_journal_doubles_and_loses_nothing(tmp_path: Path) -> None:
    steps: list[str] = []
    whole = Bench(tmp_path / "whole", account())
    whole.folder.mkdir()
    assert whole.run(INPUT, kill_at(0, steps), streams=STREAMS).code == 0
    assert {"before mean", "after mean", "before settle", "within settle", "after settle"} <= set(steps)
    for number in range(1, len(steps) + 1):
        crm = account()
        bench = Bench(tmp_path / str(number), crm)
        bench.folder.mkdir()
        first = bench.run(INPUT, kill_at(number, []), streams=STREAMS)
        assert first.code == -9
        check(bench, crm, bench.run(INPUT, streams=STREAMS), f"step {number}: {steps[number - 1]}")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_at_any_request_that_writes_doubles_and_loses_nothing(tmp_path: Path, when: str) -> None:
    for number in range(1, 4):
        crm = account()
        bench = Bench(tmp_path / f"{when}{number}", crm)
        bench.folder.mkdir()

        def die(_: Question, count: int, number: int = number) -> str | None:
            if count == number and when == "before":
                raise Killed
            return None

        def die_after(crm: CopperDouble = crm, number: int = number) -> None:
            if len(crm.writes) == number and when == "after":
                raise Killed

        crm.fault, crm.after_write = die, die_after
        first = bench.run(INPUT, streams=STREAMS)
        assert first.code == -9
        crm.fault, crm.after_write = (lambda _question, _count: None), (lambda: None)
        check(bench, crm, bench.run(INPUT, streams=STREAMS), f"request {number}")


@pytest.mark.parametrize("effect", ["before", "after", "half"])
@pytest.mark.parametrize("lag", [0, 90])
def test_timeouts_double_and_lose_nothing(bench: Bench, crm: CopperDouble, effect: str, lag: int) -> None:
    crm.lag = lag
    crm.fault = lambda _, number: effect if number % 3 == 1 else None
    rows = [{"key": f"k{at}", "name": f"Person {at}"} for at in range(60)]
    done = bench.run([*records("people", *rows), state(1)], streams=STREAMS, lookup_seconds=120)
    assert (done.code, done.outcomes) == (0, {"created": 60}), done.said
    assert crm.counted("people", "name") == {f"Person {at}": 1 for at in range(60)}
    assert done.states == [{"at": 1}]


def test_without_an_external_id_what_was_sent_is_unknown_and_not_sent_again(bench: Bench, crm: CopperDouble) -> None:
    crm.fault = lambda _, number: "after" if number == 1 else None
    rows = records("people", *({"id": at, "name": f"Person {at}"} for at in range(1, 13)))
    done = bench.run(rows)
    assert (done.code, done.outcomes) == (1, {"unknown": 10, "created": 2})
    assert len(crm.rows("people")) == 12
    crm.asked.clear()
    again = bench.run(rows)
    assert (again.code, again.outcomes) == (1, {"unknown": 10, "unchanged": 2})
    assert crm.writes == []


def test_people_are_found_by_their_address_too(bench: Bench, crm: CopperDouble) -> None:
    crm.fault = lambda _, number: "after" if number == 1 else None
    rows = [{"id": at, "name": f"Person {at}", "emails": [{"email": f"p{at}@example.com"}]} for at in range(1, 13)]
    done = bench.run(records("people", *rows))
    assert (done.code, done.outcomes) == (0, {"created": 12})
    assert len(crm.rows("people")) == 12


def test_a_lead_that_may_be_there_is_sent_again_by_upsert(bench: Bench, crm: CopperDouble) -> None:
    crm.fault = lambda _, number: "before" if number == 1 else None
    streams = {"leads": {"match": ["key"], "external_id": "custom_our_key"}}
    done = bench.run(records("leads", {"key": "k1", "name": "Lee"}), streams=streams)
    assert (done.code, done.outcomes) == (0, {"created": 1})
    assert crm.writes == [("POST", "/leads"), ("PUT", "/leads/upsert")]


def test_an_update_that_is_not_answered_is_looked_at_before_it_is_sent_again(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("tasks", name="Call")
    crm.fault = lambda _, number: "after" if number == 1 else None
    done = bench.run(records("tasks", {"id": held["id"], "details": "soon"}))
    assert (done.code, done.outcomes) == (0, {"updated": 1})
    assert crm.writes == [("PUT", f"/tasks/{held['id']}")]


def test_an_update_that_never_is_answered_ends_as_unknown(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("tasks", name="Call")
    crm.fault = lambda _question, _number: "before"
    done = bench.run(records("tasks", {"id": held["id"], "details": "soon"}))
    assert (done.code, done.outcomes) == (1, {"unknown": 1})
    assert len(crm.writes) == 3


def test_a_state_never_passes_a_record_that_is_not_settled(bench: Bench, crm: CopperDouble) -> None:
    messages: list[dict[str, Any]] = []
    for at in range(30):
        messages += [*records("people", {"key": f"k{at}", "name": f"Person {at}"})[at and 1 :], state(at + 1)]
    written_at: list[int] = []

    def step(name: str) -> None:
        if name == "after settle":
            written_at.append(len(crm.rows("people")))
        if len(written_at) == 3:
            raise Killed

    done = bench.run(messages, step, streams=STREAMS)
    assert done.code == -9
    assert all(one["at"] <= written_at[-1] for one in done.states)


def test_a_second_process_ends_with_one_line(bench: Bench) -> None:
    journal = Journal(str(bench.journal))
    other = bench.run(INPUT, streams=STREAMS)
    journal.close()
    assert other.code == 1
    assert "in use by another process" in other.said
    assert bench.run(INPUT, streams=STREAMS).code == 0
