"""The tap's stream of what the target has written: each record once, whatever happens to the journal meanwhile."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sandbox.client import Client
from sandbox.copper import API_KEY, USER_EMAIL, copper_app
from sandbox.server import running
from target_crm.journal.entries import Intent, Settled, Wrote
from target_crm.journal.journal import Journal
from tests.target_crm.crms import CRMS, Account
from tests.target_crm.journal_tap import JournalTap, catalog
from tests.target_crm.running import CREDENTIALS, Killed, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.singer import Record
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

KEYED: dict[str, Any] = {"people": {"match": ["key"], "external_id": "custom_our_key"}}


@pytest.fixture
def tap(bench: Bench) -> JournalTap:
    return JournalTap(bench.folder, str(bench.journal), **CREDENTIALS)


def person(at: int, **more: Any) -> Record:  # noqa: ANN401
    return {"key": f"k{at}", "name": f"Person {at}", **more}


def moment(value: float | str) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, (int, float)) else datetime.fromisoformat(value)


@pytest.fixture(params=CRMS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    with CRMS[request.param]() as crm:
        yield Account(crm, tmp_path)


def test_each_record_that_was_written_is_a_row_with_the_crms_times(account: Account) -> None:
    crm, bench = account.crm, account.bench
    settings: Record = {"streams": {crm.stream: {**account.keyed, "on_delete": "delete"}}}
    there = crm.put("k1", "A")
    before = {str(row.get("_id") or row["id"]): row[crm.changed] for row in crm.transport.rows(crm.stream)}
    given = [account.row(1, "secret-words"), account.row(2, "B"), crm.bad(account.row(3))]
    bench.run(records(crm.stream, *given), **settings)
    after = {str(row.get("_id") or row["id"]): row[crm.changed] for row in crm.transport.rows(crm.stream)}
    bench.run(records(crm.stream, *given[:2]), **settings)
    bench.run(records(crm.stream, {**given[1], "_sdc_deleted_at": "2026-11-01T00:00:00Z"}), **settings)

    run = JournalTap(account.folder, str(bench.journal), **crm.credentials).writes()
    rows = run.records("writes")
    for row in rows:
        jsonschema.validate(row, run.schemas["writes"]["schema"], format_checker=jsonschema.FormatChecker())
    told = [(row["key"], row["outcome"], row["stream"], row["object"]) for row in rows]
    at = (crm.stream, crm.stream)
    assert sorted(told[:2]) == [("k1", "updated", *at), ("k2", "created", *at)]
    assert told[2:] == [("k2", "deleted", *at)]
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    first, second = sorted(rows[:2], key=lambda row: str(row["key"]))
    assert (first["crm_id"], first["fields"]) == (there, [crm.text])
    assert {"name", crm.text} <= set(second["fields"])
    assert moment(first["changed_before"]) == moment(before[there])
    assert moment(first["changed_at"]) == moment(after[there]) > moment(before[there])
    assert (second["changed_before"], moment(second["changed_at"])) == (None, moment(after[second["crm_id"]]))
    assert all(row["meant_at"] <= row["settled_at"] for row in rows)
    assert {row["journal_id"] for row in rows} == {rows[0]["journal_id"]}
    assert {row["run_id"] for row in rows} <= {line["run_id"] for line in bench.lines()}
    assert "secret-words" not in json.dumps(rows)
    audit = run.audit()["writes"]
    assert [audit[name] for name in ("records", "distinct_ids", "mode", "complete", "requests")] == [
        3,
        3,
        "full",
        True,
        0,
    ]


def test_a_run_reads_what_was_settled_since_the_last_one(bench: Bench, tap: JournalTap) -> None:
    bench.run(records("people", person(1)), streams=KEYED)
    first = tap.writes()
    assert tap.writes(first.state).records("writes") == []
    bench.run(records("people", person(1, title="New"), person(2)), streams=KEYED)
    second = tap.writes(first.state)
    assert {row["key"]: row["outcome"] for row in second.records("writes")} == {"k1": "updated", "k2": "created"}
    assert second.state["bookmarks"]["writes"]["replication_key_value"] == 3
    assert second.audit()["writes"]["mode"] == "incremental"
    assert tap.writes(second.state).state["bookmarks"] == second.state["bookmarks"]


def test_a_bookmark_that_was_set_back_by_hand_counts_and_one_without_its_journal_does_not(
    bench: Bench, tap: JournalTap
) -> None:
    bench.run(records("people", *(person(at) for at in range(3))), streams=KEYED)
    kept = tap.writes().state["bookmarks"]["writes"]
    assert kept.keys() == {"replication_key", "replication_key_value", "journal"}
    state = {"bookmarks": {"writes": {**kept, "replication_key_value": 2}}}
    assert [row["sequence"] for row in tap.writes(state).records("writes")] == [3]
    state = {"bookmarks": {"writes": {"replication_key": "sequence", "replication_key_value": 2}}}
    assert [row["sequence"] for row in tap.writes(state).records("writes")] == [1, 2, 3]


def test_what_is_settled_late_is_a_later_row(bench: Bench, crm: CopperDouble, tap: JournalTap) -> None:
    """The time at which it was sent lies before the bookmark then; its number does not."""
    crm.fault = lambda _, number: "after" if number == 1 else None
    bench.run(records("people", person(1)), streams=KEYED, step=dies_before("settle", 1))
    crm.now += 60
    bench.run(records("people", person(2)), streams=KEYED)
    first = tap.writes()
    assert [row["key"] for row in first.records("writes")] == ["k2"]
    bench.run(records("people", person(1)), streams=KEYED)
    late = tap.writes(first.state).records("writes")
    assert [(row["key"], row["outcome"], row["sequence"]) for row in late] == [("k1", "created", 2)]
    assert late[0]["meant_at"] < first.records("writes")[0]["settled_at"]


def dies_before(step: str, at: int) -> Any:  # noqa: ANN401
    seen = 0

    def on_step(name: str) -> None:
        nonlocal seen
        seen += name == f"before {step}"
        if seen == at:
            raise Killed

    return on_step


def test_what_nobody_knows_is_told_and_told_again_when_it_is_known(
    bench: Bench, crm: CopperDouble, tap: JournalTap
) -> None:
    crm.fault = lambda _, number: "after" if number == 1 else None
    bench.run(records("tasks", {"id": 1, "name": "A"}))
    first = tap.writes()
    assert [(row["key"], row["outcome"], row["crm_id"]) for row in first.records("writes")] == [("1", "unknown", None)]


def test_a_field_that_the_crm_ignored_is_none_of_those_that_were_written(
    bench: Bench, crm: CopperDouble, tap: JournalTap
) -> None:
    held = crm.add("people", name="Ann", title="A")
    crm.ignores = frozenset({"title"})
    bench.run(records("people", {"id": held["id"], "title": "B", "details": "words"}))
    (row,) = tap.writes().records("writes")
    assert (row["outcome"], row["fields"]) == ("rejected", ["details"])
    bench.run(records("people", {"id": held["id"], "title": "C"}))
    assert tap.writes().count("writes") == 1, "nothing of the second record was written"


def test_a_dry_run_adds_nothing(bench: Bench, tap: JournalTap) -> None:
    bench.run(records("people", person(1)), streams=KEYED)
    bench.run(records("people", person(1, title="New"), person(2)), streams=KEYED, dry_run=True)
    assert tap.writes().count("writes") == 1


def test_a_new_journal_in_its_place_is_read_from_its_start(bench: Bench, crm: CopperDouble, tap: JournalTap) -> None:
    bench.run(records("people", person(1), person(2)), streams=KEYED)
    first = tap.writes()
    for path in bench.folder.glob("journal.sqlite*"):
        path.unlink()
    crm.tables["people"].clear()
    bench.run(records("people", person(3), person(4)), streams=KEYED)
    second = tap.writes(first.state)
    assert [row["key"] for row in second.records("writes")] == ["k3", "k4"]
    assert not first.keys("writes") & second.keys("writes"), "the rows of the old journal stay"
    assert "another one than in the last run" in second.log


def test_a_copy_that_took_the_journals_place_is_read_from_its_start(bench: Bench, tap: JournalTap) -> None:
    """Its next writes get numbers that are before the bookmark."""
    bench.run(records("people", person(1)), streams=KEYED)
    shutil.copy(bench.journal, bench.folder / "copy")
    bench.run(records("people", person(2), person(3)), streams=KEYED)
    first = tap.writes()
    for path in bench.folder.glob("journal.sqlite*"):
        path.unlink()
    shutil.copy(bench.folder / "copy", bench.journal)
    bench.run(records("people", person(4), person(5), person(6)), streams=KEYED)
    assert [row["key"] for row in tap.writes(first.state).records("writes")] == ["k1", "k4", "k5", "k6"]


def test_a_journal_is_read_while_a_run_writes_to_it(bench: Bench, tap: JournalTap) -> None:
    """What is not durable yet comes in the next run."""
    journal = Journal(str(bench.journal))
    journal.begin_run("one", "copper", None, 0)
    settle(journal, "k1")
    between: list[Any] = []

    def look(name: str) -> None:
        if name == "within settle":
            between.append(tap.writes())

    journal._step = look  # noqa: SLF001 - there is no other way to stand within a transaction
    settle(journal, "k2")
    journal._step = lambda _: None  # noqa: SLF001
    (first,) = between
    assert [row["key"] for row in first.records("writes")] == ["k1"]
    assert [row["key"] for row in tap.writes(first.state).records("writes")] == ["k2"]
    journal.close()


def settle(journal: Journal, *keys: str) -> None:
    intents = journal.mean([Intent("people", key, "people", "update", "1", "{}") for key in keys])
    journal.settle(
        [
            Settled("people", key, "people", "updated", crm_id="1", intents=[intent], wrote=Wrote(("title",), 1.0))
            for key, intent in zip(keys, intents, strict=True)
        ]
    )


def test_no_state_passes_a_row(bench: Bench, tap: JournalTap) -> None:
    journal = Journal(str(bench.journal))
    journal.begin_run("one", "copper", None, 0)
    journal.close()
    with sqlite3.connect(bench.journal) as connection:
        rows = [("people", f"k{at}", "people", "updated", "[]", 1.0, 2.0, "one") for at in range(1_200)]
        connection.executemany(
            "INSERT INTO target_crm_writes (stream, key, object, outcome, fields, meant, settled, run_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    connection.close()
    written, states = 0, []
    for message in tap.writes().messages:
        written += message.get("stream") == "writes" and message["type"] == "RECORD"
        kept = message["value"]["bookmarks"].get("writes") if message["type"] == "STATE" else None
        if kept is not None:
            states.append(kept["replication_key_value"])
            assert states[-1] <= written
    assert states[-1] == written == 1_200
    assert len(set(states)) >= 2


def test_times_keep_the_fractions_that_the_crm_tells(bench: Bench, tap: JournalTap) -> None:
    journal = Journal(str(bench.journal))
    journal.begin_run("one", "copper", None, 0)
    exact = datetime(2026, 11, 28, 12, 0, 1, 123457, UTC).timestamp()
    wrote = Wrote(("title",), exact, exact, exact)
    journal.settle([Settled("people", "k", "people", "updated", crm_id="1", intents=[1], wrote=wrote)])
    journal.close()
    (row,) = tap.writes().records("writes")
    assert {row[name] for name in ("changed_before", "changed_at", "meant_at")} == {"2026-11-28T12:00:01.123457Z"}


# What the setting may be


def not_a_database(path: Path) -> None:
    path.write_text("not a database, but long enough to be taken for the header of one" * 20)


def another_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (id INTEGER)")
    connection.close()


def another_form(path: Path) -> None:
    Journal(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE target_crm_facts SET value = '99' WHERE name = 'version'")
    connection.close()


def another_crm(path: Path) -> None:
    journal = Journal(str(path))
    journal.begin_run("one", "close", None, 0)
    journal.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: None, "there is no journal `{path}`"),
        (lambda path: path.mkdir(), "there is no journal `{path}`"),
        (not_a_database, "it cannot be opened: file is not a database"),
        (another_database, "names something that is no journal of target-crm"),
        (another_form, "the journal has the form 99"),
        (another_crm, "names one of `close`, and `copper` is read"),
    ],
)
def test_a_journal_that_cannot_be_used_is_one_line_before_any_request(
    bench: Bench,
    tap: JournalTap,
    make: Callable[[Path], object],
    said: str,
) -> None:
    make(bench.journal)
    app = copper_app()
    with running(app) as url:
        run = tap.sync(expect=1, api_url=url)
        found = tap.discover(expect=1, api_url=url)[1]
        client = Client(url)
        assert client.control("stats")["requests"] == 0
        client.close()
    for log in (run.log, found):
        assert said.format(path=bench.journal) in log.strip().splitlines()[-1]
        assert "Traceback" not in log
    assert run.messages == []


def test_without_the_setting_there_is_no_such_stream(bench: Bench, tap: JournalTap) -> None:
    bench.run(records("people", person(1)), streams=KEYED)
    with running(copper_app()) as url:
        account: Record = {"api_url": url, "api_key": API_KEY, "user_email": USER_EMAIL}
        names = {
            journal: {entry["tap_stream_id"] for entry in tap.discover(journal=journal, **account)[0]["streams"]}
            for journal in (str(bench.journal), "")
        }
    assert names[str(bench.journal)] - names[""] == {"writes"}
    run = tap.writes(expect=1, journal="")
    assert "the catalog selects the stream `writes`, which needs the setting `journal`" in run.log


def test_a_journal_that_was_named_before_and_is_not_any_more_is_remarked_on(bench: Bench, tap: JournalTap) -> None:
    bench.run(records("people", person(1)), streams=KEYED)
    state = tap.writes().state
    run = tap.sync(state=state, catalog=catalog("sync_audit"), journal="", expect=1)
    assert "the state has the stream `writes`, which is not there any more" in run.log


def test_what_stream_maps_make_of_rows_is_written(bench: Bench, tap: JournalTap) -> None:
    bench.run(records("people", person(1), person(2)), streams=KEYED)
    run = tap.writes(stream_maps={"writes": {"__filter__": "key == 'k2'", "fields": "__NULL__"}})
    assert [(row["key"], "fields" in row) for row in run.records("writes")] == [("k2", False)]
    assert run.state["bookmarks"]["writes"]["replication_key_value"] == 2


def test_what_stream_maps_take_out_is_not_read_and_keeps_its_bookmark(bench: Bench, tap: JournalTap) -> None:
    bench.run(records("people", person(1)), streams=KEYED)
    state = tap.writes().state
    bench.run(records("people", person(2)), streams=KEYED)
    run = tap.writes(state, expect=1, stream_maps={"writes": "__NULL__"})
    assert "writes: not read, since `stream_maps` takes it out" in run.log
    assert [row["key"] for row in tap.writes(state).records("writes")] == ["k2"]


def test_the_target_refuses_the_journal_of_another_crm(bench: Bench) -> None:
    """Its keys stand for ids of another CRM: records would be taken for what they are not."""
    another_crm(bench.journal)
    done = bench.run(records("people", person(1)), streams=KEYED)
    assert (done.code, done.lines) == (1, [])
    assert "the journal is of `close`, and `copper` is written to" in done.said
