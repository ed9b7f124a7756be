"""A dry run says what the same input then does, and does nothing."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import random
import tempfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crm.copper_double import CopperDouble
from tests.target_crm.running import Bench, Killed, Outcome, records, state

if TYPE_CHECKING:
    from pathlib import Path

DELETED = "2026-11-01T00:00:00Z"
SETTINGS: dict[str, Any] = {
    "people": {"match": ["key"], "external_id": "custom_our_key", "on_delete": "delete", "conflict": "skip"},
    "companies": {"mode": "create"},
    "tasks": {"nulls": "clear", "arrays": "union", "on_delete": "delete"},
}


def account(draw: random.Random) -> CopperDouble:
    crm = CopperDouble()
    for at in range(12):
        custom = [{"custom_field_definition_id": 901, "value": f"k{at}"}] if draw.random() < 0.7 else []
        crm.add("people", name=f"Person {at}", title=draw.choice(["A", "B", None]), custom_fields=custom)
        crm.add(
            "tasks", id=at + 1, name=f"Task {at}", tags=draw.sample(["x", "y", "z"], 2), details=draw.choice(["", "d"])
        )
    return crm


def given(draw: random.Random) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []
    for _ in range(25):
        at = draw.randrange(16)
        deleted = {"_sdc_deleted_at": DELETED} if draw.random() < 0.1 else {}
        company = {"company_id": draw.randrange(1, 4)} if draw.random() < 0.3 else {}
        title = {"title": draw.choice(["A", "B", None])} if draw.random() < 0.8 else {}
        person: dict[str, Any] = {"key": f"k{at}", "name": f"Person {at}"}
        people.append({**person, **title, **company, **deleted})
        odd = {"due_date": draw.choice(["2026-01-01T00:00:00Z", "soon"])} if draw.random() < 0.3 else {}
        tags = {"tags": draw.sample(["x", "y", "w"], 2)} if draw.random() < 0.5 else {}
        tasks.append(
            {"id": draw.randrange(1, 16), "name": f"Task {at}", "details": draw.choice([None, "d"]), **tags, **odd}
        )
    companies = [{"id": at, "name": f"Company {at}"} for at in range(1, 4)]
    return [*records("people", *people), *records("tasks", *tasks), *records("companies", *companies), state(1)]


def told(line: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a line says, without ids that only a run can know."""
    changes = {name: pair for name, pair in line["changes"].items() if name != "company_id"}
    moved = "company_id" in line["changes"]
    return line["stream"], str(line["key"]), line["outcome"], changes, moved, line["reason"]


def by_key(run: Outcome) -> dict[tuple[str, str], list[Any]]:
    """Return what a run tells of each key, in its order: different keys are written side by side."""
    found: dict[tuple[str, str], list[Any]] = {}
    for line in run.lines:
        found.setdefault((line["stream"], str(line["key"])), []).append(told(line))
    return found


@pytest.mark.parametrize("seed", range(14))
def test_a_dry_run_tells_what_the_run_does(tmp_path: Path, seed: int) -> None:
    messages = given(random.Random(seed))
    bench = Bench(tmp_path, account(random.Random(seed)))
    dry = bench.run(messages, streams=SETTINGS, dry_run=True)
    assert bench.crm.writes == []
    assert not bench.journal.exists()
    assert dry.states == []
    done = bench.run(messages, streams=SETTINGS)
    assert by_key(dry) == by_key(done)
    assert dry.code == done.code


def test_a_dry_run_leaves_a_journal_as_it_is(bench: Bench) -> None:
    bench.run(records("tasks", {"id": 1, "name": "A"}))
    before = bench.journal.read_bytes()
    given = [*records("tasks", {"id": 1, "name": "B"}, {"id": 2, "name": "C"}), state(1)]
    assert bench.run(given, dry_run=True).states == []
    assert bench.journal.read_bytes() == before


def test_a_dry_run_after_a_killed_one_tells_no_record_of_that_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, CopperDouble())

    def step(name: str) -> None:
        if name == "before forget_lines":
            raise Killed

    rows = records("people", {"key": "k1", "name": "A"}, {"key": "k2", "name": "B"})
    assert bench.run(rows, step, streams=SETTINGS).code == -9
    bench.run(rows, streams=SETTINGS, dry_run=True)
    bench.run(rows, streams=SETTINGS)
    told = Counter((line["run_id"], line["key"]) for line in bench.lines())
    assert (len(told), set(told.values())) == (6, {1})


def test_a_dry_run_leaves_no_copy_of_the_journal_for_others_to_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while it runs: a process that is killed tidies nothing up."""
    bench, folder = Bench(tmp_path, CopperDouble()), tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("SQLITE_TMPDIR", str(folder))
    rows = records("people", *({"key": f"k{at}", "name": "A" * 10_000} for at in range(300)))
    bench.run(rows, streams=SETTINGS)
    left: list[Path] = []
    done = bench.run(rows, lambda _: left.extend(folder.iterdir()), streams=SETTINGS, dry_run=True)
    assert (done.code, done.outcomes, left) == (0, {"unchanged": 300}, [])
