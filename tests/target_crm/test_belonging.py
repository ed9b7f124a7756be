"""A journal is of one account, and each of its streams of one object: its keys stand for ids of these."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copera import API_KEY
from target_crm import journal_command
from tests.target_crm.copera_account import LEADS, PEOPLE, copera_account
from tests.target_crm.crms import CRMS, Account
from tests.target_crm.running import Bench, records, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target_crm.copper_double import CopperDouble

OTHER = "the journal is of another account than the one that these credentials open"


@pytest.fixture(params=CRMS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    """An account of a CRM."""
    with CRMS[request.param]() as crm:
        yield Account(crm, tmp_path)


def facts(bench: Bench) -> dict[str, str]:
    with closing(sqlite3.connect(bench.journal)) as journal:
        return dict(journal.execute("SELECT name, value FROM target_crm_facts"))


def test_a_journal_of_another_account_ends_the_run_before_anything_is_written(account: Account) -> None:
    crm = account.crm
    settings: dict[str, Any] = {"streams": {crm.stream: account.keyed}}
    assert account.bench.run(records(crm.stream, account.row(1), crm.bad(account.row(2))), **settings).code == 1
    crm.become_another()
    writes = account.door.writes
    given = [*records(crm.stream, account.row(1, "B"), account.row(3)), state(1)]
    for dry in (True, False):
        done = account.bench.run(given, **settings, dry_run=dry)
        assert (done.code, done.states, account.door.writes) == (1, [], writes)
        assert done.said.startswith(OTHER)
    with closing(sqlite3.connect(account.bench.journal)) as journal:
        assert journal.execute("SELECT key FROM target_crm_rejects").fetchall() == [("k2",)], "it is still kept"


def test_a_journal_without_an_account_takes_the_one_that_it_is_used_with(account: Account) -> None:
    crm = account.crm
    settings: dict[str, Any] = {"streams": {crm.stream: account.keyed}}
    given = records(crm.stream, account.row(1))
    account.bench.run(given, **settings)
    with closing(sqlite3.connect(account.bench.journal)) as journal, journal:  # as earlier versions left it
        journal.execute("DELETE FROM target_crm_facts WHERE name = 'account' OR name LIKE 'stream %'")
    assert account.bench.run(given, **settings).outcomes == {"unchanged": 1}
    assert {"account", f"stream {crm.stream}"} <= facts(account.bench).keys()
    crm.become_another()
    assert account.bench.run(given, **settings).said.startswith(OTHER)


def test_a_journal_in_which_nothing_was_written_is_free_for_any_account(bench: Bench, crm: CopperDouble) -> None:
    given = records("people", {"key": "k1", "name": "A", "_sdc_deleted_at": "2026-11-01"}, {"key": "k2", "name": "B"})
    settings: dict[str, Any] = {"streams": {"people": {"match": ["key"], "external_id": "custom_our_key"}}}
    crm.fault = lambda *_: pytest.fail("nothing is to be written")
    assert bench.run(given[:2], **settings).outcomes == {"skipped": 1}
    crm.account += 1
    crm.fault = lambda *_: None
    assert bench.run(given, **settings).outcomes == {"skipped": 1, "created": 1}


def test_what_tells_the_account_shows_in_no_line_and_stands_in_no_journal(bench: Bench, crm: CopperDouble) -> None:
    crm.account = 4711
    bench.run(records("people", {"email": "a@example.com", "name": "A"}), streams={"people": {"match": ["email"]}})
    assert "4711" not in json.dumps(facts(bench))


def test_verify_refuses_the_journal_of_another_account(
    bench: Bench, crm: CopperDouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run(records("people", {"key": "k1", "name": "A"}), streams={"people": {"match": ["key"]}})
    bench.run(records("tasks", {"id": 1, "name": "A"}))
    crm.account += 1
    path = bench.folder / "config.json"
    path.write_text(json.dumps(bench.config()))
    monkeypatch.setattr(journal_command, "TargetCRM", lambda **_: bench.target())
    with pytest.raises(SystemExit) as end:
        journal_command.main(["verify", "--config", str(path)])
    assert end.value.code == 1
    assert OTHER in capsys.readouterr().err


def test_a_stream_that_is_turned_to_another_object_is_refused(bench: Bench, crm: CopperDouble) -> None:
    """Ids of people and of companies are numbers of their own: the record with the number would be written over."""
    row = {"key": "k1", "name": "Acme"}
    to_people: dict[str, Any] = {"a": {"object": "people", "match": ["key"], "external_id": "custom_our_key"}}
    bench.run(records("a", row), streams=to_people)
    crm.add("companies", id=crm.rows("people")[0]["id"], name="Theirs")
    done = bench.run(records("a", row), streams={"a": {**to_people["a"], "object": "companies"}})
    assert (done.code, [one["name"] for one in crm.rows("companies")]) == (1, ["Theirs"])
    assert "has written the stream `a` to another object than `companies`" in done.said
    assert bench.run(records("a", row), streams=to_people).outcomes == {"unchanged": 1}


def test_an_integration_key_which_may_not_ask_for_the_workspace_is_held_to_the_table(tmp_path: Path) -> None:
    with copera_account() as account:
        bench = Bench(tmp_path, account, {**account.credentials, "api_key": API_KEY})
        place = {"board": "Sales", "table": "People"}
        streams: dict[str, Any] = {"a": {"object": place, "match": ["key"], "external_id": "our_key"}}
        given = records("a", {"key": "k1", "name": "Ann"})
        assert bench.run_for_real(given, streams=streams).outcomes == {"created": 1}
        assert "account" not in facts(bench)
        other = {"a": {**streams["a"], "object": {**place, "table": "Leads"}}}
        assert "to another object than" in bench.run_for_real(given, streams=other).said
        assert (len(account.rows(PEOPLE)), len(account.rows(LEADS))) == (1, 0)
