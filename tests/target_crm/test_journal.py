"""What a journal tells, and what can be done with it; and that it is nobody else's to read."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from target_crm import journal_command
from target_crm.journal.entries import key_text
from target_crm.journal.journal import Journal
from target_crm.report import Report
from tests.target_crm.running import records

if TYPE_CHECKING:
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

KEYED: dict[str, Any] = {"people": {"match": ["key"], "external_id": "custom_our_key"}}


@pytest.fixture
def ask(bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401
    """Return a function that runs the command, and returns its exit code, what it wrote, and what it said."""
    config = bench.folder / "config.json"
    config.write_text(json.dumps(bench.config(streams=KEYED)))
    monkeypatch.setattr(journal_command, "TargetCRM", lambda config: bench.target(**config))

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            journal_command.main([words[0], "--config", str(config), *words[1:]])
        out, said = capsys.readouterr()
        return int(end.value.code or 0), out, said

    return run


def people(count: int, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return records("people", *({"key": f"k{at}", "name": f"Person {at}", **more} for at in range(count)))


def test_show_tells_runs_and_ends_and_open_writes(bench: Bench, crm: CopperDouble, ask: Any) -> None:  # noqa: ANN401
    crm.fault = lambda _, number: "after" if number == 1 else None
    bench.run(records("tasks", {"id": 1, "name": "A"}))
    code, out, _ = ask("show", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(row["kind"], row.get("key")) for row in rows] == [("runs", None), ("open writes", "1")]
    assert "open writes: 1" in ask("show")[1]


def test_rejects_are_listed_with_their_reasons(bench: Bench, crm: CopperDouble, ask: Any) -> None:  # noqa: ANN401
    crm.refuses = lambda _: "Title: is too long"
    bench.run(people(2), streams=KEYED)
    _, out, _ = ask("rejects")
    assert "rejects: 2" in out
    assert "Title: is too long" in out
    assert "rejects: none" in ask("rejects", "--stream", "tasks")[1]


def test_retry_tries_what_was_rejected(bench: Bench, crm: CopperDouble, ask: Any) -> None:  # noqa: ANN401
    crm.refuses = lambda _: "no"
    bench.run(people(2), streams=KEYED)
    code, _, said = ask("retry")
    assert code == 1
    assert "2 rejected" in said
    crm.refuses = lambda _: None
    assert ask("retry")[0] == 0
    assert len(crm.rows("people")) == 2


def test_variables_can_be_the_config(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run(people(2), streams=KEYED)
    monkeypatch.setenv("TARGET_CRM_JOURNAL", str(bench.config()["journal"]))
    with pytest.raises(SystemExit) as end:
        journal_command.main(["show", "--config", "ENV"])
    assert not end.value.code
    assert "records: 1" in capsys.readouterr().out


def test_verify_says_where_the_crm_differs(bench: Bench, crm: CopperDouble, ask: Any) -> None:  # noqa: ANN401
    bench.run(people(3, title="Chief", custom_size="L"), streams=KEYED)
    assert ask("verify")[0] == 0
    first, second, _ = crm.rows("people")
    first["title"] = "Clerk"
    del crm.tables["people"][second["id"]]
    code, out, said = ask("verify")
    assert code == 1
    assert f"people k0 (id {first['id']}): title: written 'Chief', there is 'Clerk'" in out
    assert f"people k1 (id {second['id']}): gone" in out
    assert "3 records read back, 2 differences" in said
    assert len(ask("verify", "--json")[1].splitlines()) == 2


def test_a_dropped_key_is_new_to_the_next_run(bench: Bench, crm: CopperDouble, ask: Any) -> None:  # noqa: ANN401
    crm.fault = lambda _, number: "before" if number == 1 else None
    bench.run(records("tasks", {"id": 1, "name": "A"}))
    assert bench.run(records("tasks", {"id": 1, "name": "A"})).outcomes == {"unknown": 1}
    assert ask("drop", "--stream", "tasks", "--key", "1")[0] == 0
    assert ask("drop", "--stream", "tasks", "--key", "1")[0] == 1
    assert bench.run(records("tasks", {"id": 1, "name": "A"})).outcomes == {"created": 1}
    assert len(crm.rows("tasks")) == 1


def test_a_journal_that_is_not_there_is_not_made(bench: Bench, ask: Any) -> None:  # noqa: ANN401
    code, _, said = ask("show")
    assert (code, bench.journal.exists()) == (1, False)
    assert "there is no journal" in said


def test_journal_and_report_are_for_their_owner_only(bench: Bench) -> None:
    bench.run(people(1), streams=KEYED)
    assert {path.stat().st_mode & 0o777 for path in (bench.journal, bench.report)} == {0o600}


def test_a_journal_survives_a_power_failure(bench: Bench) -> None:
    journal = Journal(str(bench.journal))
    pragmas = {
        name: journal.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
    }
    journal.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


def test_a_file_that_is_no_journal_is_refused_with_one_line(bench: Bench) -> None:
    bench.journal.write_text("not a database, but long enough to be taken for the header of one" * 20)
    done = bench.run(people(1), streams=KEYED)
    assert done.code == 1
    assert "the journal cannot be opened: file is not a database" in done.said


def test_a_journal_of_another_form_is_refused(bench: Bench) -> None:
    Journal(str(bench.journal)).close()
    with sqlite3.connect(bench.journal) as connection:
        connection.execute("UPDATE target_crm_facts SET value = '99'")
    connection.close()
    assert "has the form 99" in bench.run(people(1), streams=KEYED).said


def test_a_line_that_was_cut_off_is_written_again_whole(bench: Bench) -> None:
    journal = Journal(str(bench.journal))
    journal.begin_run("first", "copper", str(bench.report), 0)
    with journal.transaction("lines"):
        for line in ('{"a": 1}', '{"b": 2}', '{"b": 2}'):
            journal.connection.exec_driver_sql(
                "INSERT INTO target_crm_lines (run_id, line) VALUES ('first', ?)", (line,)
            )
    bench.report.write_text('{"a": 1}\n{"b": 2}\n{"b"')
    report = Report(str(bench.report), journal)
    report.mend()
    report.mend()
    report.close()
    journal.close()
    assert bench.report.read_text() == '{"a": 1}\n{"b": 2}\n{"b": 2}\n'


@pytest.mark.parametrize(("values", "text"), [([17], "17"), ([17.0], "17"), (["17"], "17"), ([1, "a"], '["1", "a"]')])
def test_a_key_is_the_same_whatever_its_type(values: list[Any], text: str) -> None:
    assert key_text(values) == text


def test_a_journal_that_breaks_in_the_middle_of_a_run_is_one_line_without_what_records_hold(
    bench: Bench, crm: CopperDouble
) -> None:
    def step(name: str) -> None:
        if name == "before settle":
            with closing(sqlite3.connect(bench.journal)) as other:
                other.execute("DROP TABLE IF EXISTS target_crm_records")

    done = bench.run(people(3), step, streams=KEYED)
    assert (done.code, done.states) == (1, [])
    assert done.said.startswith("the journal cannot be used any more: no such table: target_crm_records; ")
    assert "Person" not in done.said
    assert len(crm.rows("people")) == 3, "what was sent before is open in the journal"


def test_a_key_that_no_database_keeps_rejects_its_record_alone(bench: Bench) -> None:
    rows = [{"key": "a\0", "name": "A"}, {"key": "b", "name": "B"}, {"key": "\0", "_sdc_deleted_at": "2026-11-01"}]
    streams = {"people": {**KEYED["people"], "on_delete": "delete"}}
    assert [line["outcome"] for line in bench.run(records("people", *rows), streams=streams).lines] == [
        "rejected",
        "rejected",
        "created",
    ]
