"""What holds for every CRM that is written to: nothing doubled, lost or overwritten, and each record's end told."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from target_crm.journal.history import History
from target_crm.journal.journal import Journal
from target_crm.sync.verify import Verification
from tests.target_crm.crms import CRMS, Account
from tests.target_crm.running import records, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Opened = Callable[[str], Account]
DELETED = "2026-11-01T00:00:00Z"


@pytest.fixture(params=CRMS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Return what opens an account of a CRM, with a folder of this name."""
    with ExitStack() as stack:

        def open_one(name: str = "one") -> Account:
            folder = tmp_path / name
            folder.mkdir()
            return Account(stack.enter_context(CRMS[request.param]()), folder)

        yield open_one


@pytest.fixture
def account(opened: Opened) -> Account:
    """An account of a CRM."""
    return opened("one")


def test_what_is_written_once_is_unchanged_the_next_time(account: Account) -> None:
    crm = account.crm
    given = [*records(crm.stream, *(account.row(at) for at in range(30))), state(1)]
    done = account.bench.run(given, streams={crm.stream: account.keyed})
    assert (done.code, done.outcomes, done.states) == (0, {"created": 30}, [{"at": 1}])
    assert crm.names() == {f"Name k{at}": 1 for at in range(30)}
    before = account.door.writes, account.door.count
    again = account.bench.run(given, streams={crm.stream: account.keyed})
    assert (again.code, again.outcomes, again.states) == (0, {"unchanged": 30}, [{"at": 1}])
    assert account.door.writes == before[0]
    assert account.door.count - before[1] < 10, "unchanged records are read together"


def test_without_the_journal_the_external_id_finds_what_is_there(account: Account) -> None:
    crm = account.crm
    crm.put("k1", "B")
    done = account.bench.run(records(crm.stream, account.row(1), account.row(2)), streams={crm.stream: account.keyed})
    assert {key: line["outcome"] for key, line in done.by_key().items()} == {"k1": "updated", "k2": "created"}
    assert done.by_key()["k1"]["changes"] == {crm.text: ["B", "A"]}
    assert crm.texts() == {"Name k1": "A", "Name k2": "A"}


@pytest.mark.parametrize("effect", ["before", "after"])
def test_no_answer_to_every_seventh_create_doubles_and_loses_nothing(account: Account, effect: str) -> None:
    crm = account.crm
    account.door.lost = lambda number: effect if number % 7 == 0 or number == 1 else None
    given = [*records(crm.stream, *(account.row(at) for at in range(22))), state(1)]
    done = account.bench.run(given, streams={crm.stream: account.keyed}, lookup_seconds=120)
    assert (done.code, done.outcomes, done.states) == (0, {"created": 22}, [{"at": 1}]), done.said
    assert crm.names() == {f"Name k{at}": 1 for at in range(22)}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_at_any_request_doubles_and_loses_nothing(opened: Opened, when: str) -> None:
    at = 0
    while True:
        at += 1
        account = opened(f"{when} {at}")
        crm = account.crm
        crm.put("k0", "A")
        crm.put("k1", "B")
        given = [*records(crm.stream, *(account.row(number) for number in range(5))), state(1)]
        account.door.dies = (at, when)
        first = account.bench.run(given, streams={crm.stream: account.keyed})
        if first.code == 0:
            break
        assert (first.code, first.states) == (-9, [])
        later = account.reopened()
        again = later.bench.run(given, streams={crm.stream: account.keyed})
        assert (again.code, again.states) == (0, [{"at": 1}]), (at, again.said)
        assert crm.texts() == {f"Name k{number}": "A" for number in range(5)}
        assert crm.names().total() == 5, f"request {at}"
        each = Counter((line["run_id"], line["key"]) for line in later.bench.lines())
        assert set(each.values()) == {1}
        assert {key for run, key in each if run == again.target.run_id} == {f"k{number}" for number in range(5)}
    assert at > 5, "the run asks more than that"


def test_one_bad_of_two_hundred_stops_no_other(account: Account) -> None:
    crm = account.crm
    rows = [account.row(at) for at in range(200)]
    rows[77] = crm.bad(rows[77])
    done = account.bench.run([*records(crm.stream, *rows), state(1)], streams={crm.stream: account.keyed})
    assert (done.code, done.outcomes) == (1, {"created": 199, "rejected": 1})
    assert crm.unanswerable in done.by_key()["k77"]["reason"]
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


def test_too_many_deletions_are_not_done(account: Account) -> None:
    crm = account.crm
    streams = {crm.stream: {**account.keyed, "on_delete": "delete"}}
    account.bench.run(records(crm.stream, *(account.row(at) for at in range(40))), streams=streams)
    gone = [account.row(at, _sdc_deleted_at=DELETED) for at in range(20)]
    rest = [account.row(at) for at in range(20, 40)]
    done = account.bench.run([*records(crm.stream, *rest, *gone), state(1)], streams=streams)
    assert (done.code, done.states) == (1, [])
    assert done.outcomes == {"unchanged": 20, "skipped": 20}
    assert crm.names().total() == 40


def test_deletions_are_done_where_they_are_asked_for(account: Account) -> None:
    crm = account.crm
    streams = {crm.stream: {**account.keyed, "on_delete": "delete"}}
    account.bench.run(records(crm.stream, *(account.row(at) for at in range(3))), streams=streams)
    given = [*records(crm.stream, account.row(1, _sdc_deleted_at=DELETED), account.row(2)), state(1)]
    done = account.bench.run(given, streams=streams)
    assert (done.code, done.outcomes, done.states) == (0, {"deleted": 1, "unchanged": 1}, [{"at": 1}])
    assert set(crm.names()) == {"Name k0", "Name k2"}


def test_a_dry_run_tells_what_the_run_does_and_writes_nothing(account: Account) -> None:
    crm = account.crm
    crm.put("k1", "B")
    crm.put("k2", "A")
    given = records(crm.stream, *(account.row(at) for at in range(4)), account.row(5, colour="red"))
    dry = account.bench.run(given, streams={crm.stream: account.keyed}, dry_run=True)
    assert account.door.writes == 0
    done = account.bench.run(given, streams={crm.stream: account.keyed})

    def told(lines: list[dict[str, object]]) -> dict[object, object]:
        return {line["key"]: (line["outcome"], line["changes"], line["reason"]) for line in lines}

    assert told(dry.lines) == told(done.lines)
    assert done.outcomes == {"created": 2, "updated": 1, "unchanged": 1, "rejected": 1}


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
