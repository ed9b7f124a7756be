"""The parts of the audit that need neither a CRM nor a loaded database."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import io
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import click
import psycopg
import pytest

from tap_crm import errors
from tap_crm.audit import command, streams
from tap_crm.audit.audit import Audit, Report
from tap_crm.audit.database import DatabaseError, database_at
from tap_crm.audit.keys import as_json, by_number, key_of, shown
from tap_crm.audit.match import Comparison, Match
from tap_crm.audit.report import write_table
from tap_crm.audit.tables import ComparedColumns, LoadedRows, _epoch
from tap_crm.contract.stream import Deletions
from tap_crm.singer.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.audit.conftest import Account, Databases


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ([7], "7"),
        (["7"], "7"),
        ([7.0], "7"),
        ([Decimal("7.000")], "7"),
        ([Decimal("7.5")], "7.5"),
        ([Decimal("NaN")], "NaN"),
        ([float("inf")], "inf"),
        ([10**30], "1" + "0" * 30),
        ([True], "true"),
        ([None], "null"),
        ([UUID(int=1)], "00000000-0000-0000-0000-000000000001"),
        ([1, "a", None], ("1", "a", "null")),
    ],
)
def test_a_key_is_the_same_whatever_holds_it(values: list[object], key: object) -> None:
    assert key_of(values) == key


def test_keys_are_sorted_as_numbers_and_shown_in_one_line() -> None:
    assert sorted(["10", "9", "100"], key=by_number) == ["9", "10", "100"]
    assert shown(("a", "b\n", "")) == "(a, 'b\\n', '')"
    assert as_json(("a", "b")) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "epoch"),
    [
        (1767225600.9, 1767225600),
        (float("inf"), None),
        ("2026-01-01T00:00:00Z", 1767225600),
        ("2026-01-01 01:00:00+01:00", 1767225600),
        (datetime(2026, 1, 1, tzinfo=UTC), 1767225600),
        (date(2026, 1, 1), 1767225600),
        ("no time", None),
        (None, None),
    ],
)
def test_a_time_is_the_same_whatever_holds_it(value: object, epoch: int | None) -> None:
    assert _epoch(value) == epoch


def test_a_record_that_comes_twice_counts_once_in_its_later_version() -> None:
    loaded = LoadedRows(has_times=True)
    loaded.add("1", 100, 0)
    match = Match(loaded, None)
    for key, changed in (("1", 100), ("1", 90), ("1", None), ("2", 5), ("2", 6)):
        match.add(key, changed, None)
    found = match.result("people", 10)
    assert (found.crm, found.missing, found.stale) == (2, 1, 0)


@pytest.mark.parametrize(("module", "address"), [("duckdb", "x.duckdb"), ("psycopg", "postgres://host/db")])
def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, module: str, address: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DatabaseError, match=rf"`{module}.*` is not installed .* clone .* `pip install '\.\[audit\]'`"):
        database_at(address).open().__enter__()


def test_a_connection_to_postgresql_cannot_write(databases: Databases, copper_account: Account) -> None:
    database = database_at(databases.make("postgresql", copper_account).address)
    with pytest.raises(DatabaseError, match="read-only transaction"), database.open() as connection:
        cast("Any", connection)._connection.execute("DELETE FROM copper.people")  # noqa: SLF001 - nothing else writes


def test_a_secret_does_not_show_in_a_representation() -> None:
    assert "s3cret" not in repr(database_at("postgresql://user:s3cret@host/db"))


def test_a_long_message_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("word " * 1000)

    monkeypatch.setattr(psycopg, "connect", fail)
    with pytest.raises(DatabaseError) as caught, database_at("postgresql://host/db").open():
        pass
    assert len(str(caught.value)) < 400


# A CRM that is played


class PlayedStream:
    """A stream that is played: gives its keys, then raises what it is told to."""

    is_log = False
    deletions_are_found_by = "the next run finds deletions"

    def __init__(self, name: str, *, error: Exception | None = None, **ledger: object) -> None:
        self.name, self.error = name, error
        self.columns = ComparedColumns(("id",), "date_modified")
        self.source = SimpleNamespace(keys=("id",), ledger=SimpleNamespace(**{"unexplained": 0, "gaps": [], **ledger}))
        self.keys: list[str] = []

    def records(self) -> Iterator[tuple[str, None, None]]:
        """Yield its records."""
        yield from ((key, None, None) for key in self.keys)
        if self.error is not None:
            raise self.error


class Told(SilentProgress):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.records = 0

    def advance(self, stream: str, records: int) -> None:
        """Count."""
        self.records += records if stream else 0


#: What is known of an account without asking it for more.
FOUND: dict[str, Any] = {"provider": "copper", "find": lambda: None, "column": None}


def audited(
    databases: Databases, account: Account, *played: PlayedStream, lost: dict[str, str] | None = None
) -> Report:
    """Return the report on streams that are played."""
    crm = SimpleNamespace(**FOUND, streams=lambda: played, lost=lambda: lost or {}, offers_what_there_is=False)
    database = database_at(databases.make("duckdb", account).address)
    return Audit(cast("Any", crm), database, None, 10, Told()).run()


def test_a_fault_in_one_stream_does_not_cost_the_others(
    databases: Databases, copper_account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    people = PlayedStream("people")
    people.keys = copper_account.ids("people")
    report = audited(databases, copper_account, PlayedStream("companies", error=ZeroDivisionError()), people)
    assert [one.verdict for one in report.comparisons] == ["unknown", "equal"]
    assert report.comparisons[0].reason == "unexpected ZeroDivisionError; see the log"
    assert "please report it" in caplog.text
    assert not report.equal


def test_a_crm_that_was_not_read_in_full_proves_no_deletion(databases: Databases, copper_account: Account) -> None:
    stream = PlayedStream("people", gaps=["a board is not readable"], unexplained=3)
    stream.keys = copper_account.ids("people")[1:]
    other = PlayedStream("companies", gaps=["a board is not readable"])
    other.keys = [*copper_account.ids("companies")[1:], "5"]
    first, second = audited(databases, copper_account, stream, other).comparisons
    assert (first.verdict, first.surplus) == ("unknown", 1)
    assert first.notes[1:] == [
        "records that the CRM's own count promises, and that it did not give: 3",
        "the CRM was not read in full: a board is not readable",
    ]
    assert second.verdict == "different"


def test_if_no_stream_can_be_compared_the_first_reason_is_told(databases: Databases, copper_account: Account) -> None:
    gone = errors.GaveUp("no answer")
    with pytest.raises(errors.ReadError, match="no stream could be compared; people: no answer"):
        audited(databases, copper_account, PlayedStream("people", error=gone), lost={"leads": "renamed"})


def test_progress_is_told_of_records(databases: Databases, copper_account: Account) -> None:
    stream = PlayedStream("people")
    stream.keys = [str(number) for number in range(2_500)]
    crm = SimpleNamespace(**FOUND, streams=lambda: [stream], lost=dict, offers_what_there_is=False)
    progress = Told()
    Audit(cast("Any", crm), database_at(databases.make("duckdb", copper_account).address), None, 10, progress).run()
    assert progress.records == 2_000


def test_every_way_to_find_deletions_has_words() -> None:
    assert set(streams.FOUND_BY) == set(Deletions)


def test_what_the_crm_itself_tells_to_be_deleted_is_no_record(
    copper_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = streams.open_account([copper_account.config], None, ["people"])
    (stream,) = account.streams()
    told = [{"id": 1, "date_modified": "2026-01-01T00:00:00Z"}, {"id": 2, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}]
    monkeypatch.setattr(stream.source, "get_records", lambda _: told)
    assert list(stream.records()) == [("1", 1767225600, None)]
    account.close()


def test_a_report_on_notes_is_shown() -> None:
    report = Report("close", "duckdb", "main", datetime.now(UTC), [Comparison("leads", notes=["a note"])], ["another"])
    out = io.StringIO()
    write_table(report, out)
    assert "leads: a note\nnote: another\nequal: 1 streams of the schema `main` and Close\n" in out.getvalue()


def test_an_interrupt_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise click.Abort

    monkeypatch.setattr(command.command, "main", interrupted)
    with pytest.raises(SystemExit) as caught:
        command.main([])
    assert caught.value.code == 130
