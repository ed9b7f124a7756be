"""What is not answered doubles and loses nothing; a state never passes what is not settled."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING, Any

import pytest

from target_crm.journal.journal import Journal
from tests.target_crm.running import Killed, records, state

if TYPE_CHECKING:
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

KEYED: dict[str, Any] = {"match": ["key"], "external_id": "custom_our_key"}
STREAMS: dict[str, Any] = {"people": KEYED}
COUNT = 13
INPUT = [
    *records("people", *({"key": f"k{at}", "name": f"Person {at}", "title": "Head"} for at in range(COUNT))),
    state(1),
]


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


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_a_lost_answer_makes_no_second_record_though_the_clocks_differ(
    bench: Bench, crm: CopperDouble, ahead: int
) -> None:
    crm.clock.note(formatdate(time() + ahead))
    crm.fault = lambda _question, number: "after" if number == 1 else None
    done = bench.run(records("tasks", {"key": "k1", "name": "Call"}), streams={"tasks": KEYED})
    assert (done.outcomes, len(crm.rows("tasks"))) == ({"created": 1}, 1)


def test_what_was_sent_before_the_clock_was_set_back_is_not_waited_for_till_then(
    bench: Bench, crm: CopperDouble
) -> None:
    given = records("tasks", {"key": "k1", "name": "Call"})

    def die(step: str) -> None:
        if step == "before settle":
            raise Killed

    assert bench.run(given, die, streams={"tasks": KEYED}).code == -9
    crm.tables["tasks"].clear()
    crm.now -= 3600
    began = crm.now
    done = bench.run(given, streams={"tasks": KEYED}, lookup_seconds=30)
    assert (done.outcomes, crm.now - began < 60) == ({"created": 1}, True)


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
