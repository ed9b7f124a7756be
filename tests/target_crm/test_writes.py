"""What a record becomes: created, updated, unchanged, skipped, rejected."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.transport.question import Question
from tests.target_crm.running import records, state
from tests.unit.loopback import Answer, serving, transport_to

if TYPE_CHECKING:
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

EXTERNAL: dict[str, Any] = {"people": {"match": ["key"], "external_id": "custom_our_key"}}


def people(count: int, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [{"key": f"k{at}", "name": f"Person {at}", "title": "Chief", **more} for at in range(count)]


def test_new_records_are_created_in_bulk(bench: Bench, crm: CopperDouble) -> None:
    done = bench.run([*records("people", *people(25)), state(1)], streams=EXTERNAL)
    assert (done.code, done.outcomes) == (0, {"created": 25})
    assert crm.writes == [("POST", "/people/bulk_create")] * 3
    assert done.states == [{"at": 1}]
    assert sorted(crm.counted("people", "name")) == sorted(f"Person {at}" for at in range(25))


def test_the_same_input_again_sends_no_write(bench: Bench, crm: CopperDouble) -> None:
    bench.run(records("people", *people(25)), streams=EXTERNAL)
    crm.asked.clear()
    again = bench.run(records("people", *people(25)), streams=EXTERNAL)
    assert (again.code, again.outcomes) == (0, {"unchanged": 25})
    assert crm.writes == []


def test_only_the_difference_is_sent(bench: Bench, crm: CopperDouble) -> None:
    held = crm.add("people", name="Ann", title="Chief", details="long")
    done = bench.run(records("people", {"id": held["id"], "name": "Ann", "title": "Head", "details": "long"}))
    assert done.outcomes == {"updated": 1}
    assert done.lines[0]["changes"] == {"title": ["Chief", "Head"]}
    assert crm.bodies[-1] == {"title": "Head"}


@pytest.mark.parametrize("changed", [1, 30])
def test_companies_are_read_though_no_search_takes_their_ids(bench: Bench, crm: CopperDouble, changed: int) -> None:
    crm.without_ids = frozenset({"companies"})
    held = [crm.add("companies", name=f"C{at}") for at in range(250)]
    rows = [{"id": one["id"], "details": "new"} for one in held[:changed]]
    done = bench.run(records("companies", *rows))
    assert (done.code, done.outcomes) == (0, {"updated": changed})
    assert crm.reads() < 25


def test_each_line_of_the_report_is_one_line_to_every_program(bench: Bench) -> None:
    bench.run(records("tasks", {"id": 1, "name": "a\u2028b\u2029c\x85d"}))
    lines = bench.report.read_text("utf-8").splitlines()
    assert [json.loads(line)["changes"]["name"] for line in lines] == [[None, "a\u2028b\u2029c\x85d"]]


def test_a_409_refuses_a_write_for_good() -> None:
    answer = Answer(status=409, body=b'{"message": "Email has already been taken"}')
    question = Question("POST", "/people", "people", body={"name": "Ann"}, writes=True)
    with serving(answer) as server:
        transport = transport_to(server)
        with pytest.raises(errors.Refused, match="already been taken"):
            transport.ask(question, lambda _: None, Ledger())
