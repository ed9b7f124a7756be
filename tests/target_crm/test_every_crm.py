"""What holds for every CRM that is written to: nothing doubled, lost or overwritten, and each record's end told."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import random
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from target_crm.journal.history import History
from target_crm.journal.journal import Journal
from target_crm.sync.verify import Verification
from tests.target_crm.crms import CRMS, Account, CopperCrm
from tests.target_crm.running import Killed, records, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DELETED = "2026-11-01T00:00:00Z"


@pytest.fixture(params=CRMS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    """An account of a CRM."""
    with CRMS[request.param]() as crm:
        yield Account(crm, tmp_path)


def test_what_is_written_once_is_unchanged_the_next_time(account: Account) -> None:
    crm = account.crm
    given = [*records(crm.stream, *(account.row(at) for at in range(12))), state(1)]
    done = account.bench.run(given, streams={crm.stream: account.keyed})
    assert (done.code, done.outcomes, done.states) == (0, {"created": 12}, [{"at": 1}])
    assert crm.names() == {f"Name k{at}": 1 for at in range(12)}
    before = account.door.writes, account.door.count
    again = account.bench.run(given, streams={crm.stream: account.keyed})
    assert (again.code, again.outcomes, again.states) == (0, {"unchanged": 12}, [{"at": 1}])
    assert account.door.writes == before[0]
    assert account.door.count - before[1] < 10, "unchanged records are read together"


def test_without_the_journal_the_external_id_finds_what_is_there(account: Account) -> None:
    crm = account.crm
    crm.put("k1", "B")
    done = account.bench.run(records(crm.stream, account.row(1), account.row(2)), streams={crm.stream: account.keyed})
    assert {key: line["outcome"] for key, line in done.by_key().items()} == {"k1": "updated", "k2": "created"}
    assert done.by_key()["k1"]["changes"] == {crm.text: ["B", "A"]}
    assert crm.texts() == {"Name k1": "A", "Name k2": "A"}


def test_an_edit_of_the_present_record_is_no_conflict_and_one_of_an_older_is(account: Account) -> None:
    """The CRM's own time, as it tells it, with whatever fractions of a second."""
    crm = account.crm
    there = crm.put("k1", "A")
    (held,) = crm.transport.rows(crm.stream)
    key = {"_id" if "_id" in held else "id": there}
    streams = {crm.stream: {"conflict": "fail", "mode": "update"}}
    edit = {**key, crm.text: "B", crm.changed: held[crm.changed]}
    assert account.bench.run(records(crm.stream, edit), streams=streams).outcomes == {"updated": 1}
    account.bench.journal.unlink()  # which knows that the last change is its own
    assert account.bench.run(records(crm.stream, {**edit, crm.text: "C"}), streams=streams).outcomes == {"conflict": 1}


@pytest.mark.parametrize("effect", ["before", "after"])
def test_no_answer_to_every_seventh_create_doubles_and_loses_nothing(account: Account, effect: str) -> None:
    crm = account.crm
    account.door.lost = lambda number: effect if number % 7 == 0 or number == 1 else None
    given = [*records(crm.stream, *(account.row(at) for at in range(22))), state(1)]
    done = account.bench.run(given, streams={crm.stream: account.keyed}, lookup_seconds=120)
    assert (done.code, done.outcomes, done.states) == (0, {"created": 22}, [{"at": 1}]), done.said
    assert crm.names() == {f"Name k{at}": 1 for at in range(22)}


@dataclass
class Death:
    """A small run that dies, and the same input again: new records of the same account each time."""

    account: Account
    at: int
    size: int = 4

    def __post_init__(self) -> None:
        """Make two of the records, one of them as it is wanted."""
        folder = self.account.folder / str(self.at)
        folder.mkdir()
        self.account = Account(self.account.crm, folder)
        self.keys = [f"k{100 * self.at + number}" for number in range(self.size)]
        for key, text in zip(self.keys, "AB", strict=False):
            self.account.crm.put(key, text)
        crm = self.account.crm
        self.given = [*records(crm.stream, *(self.account.row(int(key[1:])) for key in self.keys)), state(1)]
        self.settings: dict[str, Any] = {"streams": {crm.stream: self.account.keyed}}

    def run(self, step: Callable[[str], None] | None = None) -> bool:
        """Tell whether the run died; if so, give the same input again, and check what holds then."""
        first = self.account.bench.run(self.given, step, **self.settings)
        if first.code == 0:
            return False
        assert first.code == -9
        later = self.account.reopened()
        again = later.bench.run(self.given, **self.settings)
        assert (again.code, again.states) == (0, [{"at": 1}]), (self.at, again.said)
        names = {f"Name {key}" for key in self.keys}
        assert {name: text for name, text in later.crm.texts().items() if name in names} == dict.fromkeys(names, "A")
        assert {name: count for name, count in later.crm.names().items() if name in names} == dict.fromkeys(names, 1)
        each = Counter((line["run_id"], line["key"]) for line in later.bench.lines())
        assert set(each.values()) == {1}
        assert {key for run, key in each if run == again.target.run_id} == set(self.keys)
        made = Counter(line["key"] for line in later.bench.lines() if line["outcome"] == "created")
        assert made == dict.fromkeys(self.keys[2:], 1)
        return True


@pytest.mark.parametrize(("when", "most"), [("before", 5), ("after", 1)])
def test_a_death_at_any_request_doubles_and_loses_nothing(account: Account, when: str, most: int) -> None:
    for at in count(1):
        death = Death(account, at)
        death.account.door.dies = (at, when)
        if not death.run():
            break
    assert at > most, "the run asks more than that"


def test_a_death_at_any_step_of_the_journal_doubles_and_loses_nothing(account: Account) -> None:
    """Within a transaction all is as before it; and before one as after another, or as before or after a request."""
    moments = ("before", "after") if isinstance(account.crm, CopperCrm) else ("after",)
    seen: set[str] = set()
    for at in count(1):
        left = [at]

        def step(name: str, left: list[int] = left) -> None:
            left[0] -= name.startswith(moments)
            if left[0] == 0:
                seen.add(name)
                raise Killed

        if not Death(account, at, size=3).run(step):
            break
    assert {f"{moment} {name}" for moment in moments for name in ("mean", "settle")} <= seen


def test_one_bad_of_many_stops_no_other(account: Account) -> None:
    """Two hundred where many are sent at once."""
    crm = account.crm
    size = 200 if isinstance(crm, CopperCrm) else 40
    rows = [account.row(at) for at in range(size)]
    rows[27] = crm.bad(rows[27])
    done = account.bench.run([*records(crm.stream, *rows), state(1)], streams={crm.stream: account.keyed})
    assert (done.code, done.outcomes) == (1, {"created": size - 1, "rejected": 1})
    assert crm.unanswerable in done.by_key()["k27"]["reason"]
    assert done.states == [{"at": 1}]


@pytest.mark.parametrize(
    ("policy", "outcome", "code", "text"),
    [("overwrite", "updated", 0, "Ours"), ("skip", "skipped", 0, "Theirs"), ("fail", "conflict", 1, "Theirs")],
)
def test_a_later_change_by_somebody_else_is_decided_by_the_setting(
    account: Account, policy: str, outcome: str, code: int, text: str
) -> None:
    crm = account.crm
    crm.put("k1", "Theirs")
    given = records(crm.stream, account.row(1, "Ours", **{crm.changed: "2020-01-01T00:00:00Z"}))
    done = account.bench.run(given, streams={crm.stream: {**account.keyed, "conflict": policy}})
    assert (done.code, done.outcomes) == (code, {outcome: 1})
    assert crm.texts() == {"Name k1": text}


def test_our_own_last_change_is_no_conflict(account: Account) -> None:
    crm = account.crm
    streams = {crm.stream: {**account.keyed, "conflict": "fail"}}
    for text, outcome in (("A", "created"), ("B", "updated"), ("C", "updated")):
        row = account.row(1, text, **{crm.changed: "2020-01-01T00:00:00Z"})
        done = account.bench.run(records(crm.stream, row), streams=streams)
        assert (done.code, done.outcomes) == (0, {outcome: 1})


def test_deletions_of_half_the_records_are_held_back_unless_so_many_are_allowed(account: Account) -> None:
    crm = account.crm
    settings: dict[str, Any] = {"streams": {crm.stream: {**account.keyed, "on_delete": "delete"}}}
    account.bench.run(records(crm.stream, *(account.row(at) for at in range(40))), **settings)
    rest = records(crm.stream, *(account.row(at) for at in range(20, 40)))
    gone = records(crm.stream, *(account.row(at, _sdc_deleted_at=DELETED) for at in range(20)))
    given = [*rest, state(1), *gone, state(2)]
    done = account.bench.run(given, **settings)
    assert (done.code, done.states) == (1, [{"at": 1}])
    assert "deletions held back" in done.said
    assert done.outcomes == {"unchanged": 20, "skipped": 20}
    assert crm.names().total() == 40
    meant = account.bench.run(given, **settings, max_deletions_percent=50)
    assert (meant.code, meant.outcomes) == (0, {"unchanged": 20, "deleted": 20})
    assert set(crm.names()) == {f"Name k{at}" for at in range(20, 40)}


def test_deletions_are_done_where_they_are_asked_for(account: Account) -> None:
    crm = account.crm
    streams = {crm.stream: {**account.keyed, "on_delete": "delete"}}
    account.bench.run(records(crm.stream, *(account.row(at) for at in range(3))), streams=streams)
    given = [*records(crm.stream, account.row(1, _sdc_deleted_at=DELETED), account.row(2)), state(1)]
    done = account.bench.run(given, streams=streams)
    assert (done.code, done.outcomes, done.states) == (0, {"deleted": 1, "unchanged": 1}, [{"at": 1}])
    assert set(crm.names()) == {"Name k0", "Name k2"}


@pytest.mark.parametrize("seed", range(2))
def test_a_dry_run_tells_what_the_run_does_and_writes_nothing(account: Account, seed: int) -> None:
    crm, draw = account.crm, random.Random(seed)
    for at in range(8):
        if draw.random() < 0.7:
            crm.put(f"k{at}", draw.choice("ABC"))
    rows: list[dict[str, Any]] = []
    for at in (draw.randrange(12) for _ in range(14)):  # a key may come more than once
        row = account.row(at, draw.choice("ABC"))
        odd = [row, row, row, {**row, crm.text: None}, {**row, "colour": "red"}, {**row, "_sdc_deleted_at": DELETED}]
        rows.append(draw.choice(odd))
    given = records(crm.stream, *rows)
    settings: dict[str, Any] = {"streams": {crm.stream: {**account.keyed, "on_delete": "delete", "nulls": "clear"}}}
    dry = account.bench.run(given, **settings, dry_run=True)
    assert (account.door.writes, account.bench.journal.exists()) == (0, False)
    done = account.bench.run(given, **settings)

    def told(lines: list[dict[str, Any]]) -> list[Any]:
        return sorted(((line["key"], line["outcome"], line["changes"], line["reason"]) for line in lines), key=str)

    assert (told(dry.lines), dry.code) == (told(done.lines), done.code)
    assert len(done.lines) == len(rows)


def test_verify_tells_what_was_changed_or_deleted_since(account: Account) -> None:
    crm = account.crm
    streams = {crm.stream: {**account.keyed, "on_delete": "delete"}}
    account.bench.run(records(crm.stream, *(account.row(at) for at in range(4))), streams=streams)
    account.bench.run(records(crm.stream, account.row(3, _sdc_deleted_at=DELETED)), streams=streams)
    ids = {line["key"]: line["crm_id"] for line in account.bench.lines() if line["outcome"] == "created"}
    crm.change(ids["k1"], "Theirs")
    crm.remove(ids["k2"])
    target = account.bench.target(streams=streams)
    verification = Verification(target.make_writer())
    with closing(Journal(str(account.bench.journal), exclusive=False)) as journal:
        found = verification.differences(History(journal).written(), target.settings.stream)
        told = [(one.key, one.field, one.written, one.present) for one in found]
    assert sorted(told, key=str) == [("k1", crm.text, "A", "Theirs"), ("k2", None, None, None)]
    assert verification.compared == 3
