"""What a record becomes: created, updated, unchanged, skipped, rejected."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.target_crm.running import records, state

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
