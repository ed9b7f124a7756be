"""What a database tells of each account, whatever its loader made of the columns."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_crm.audit.database import DatabaseError
from tap_crm.report.facts import DAY, Counts, Failure, Remark, Run
from tests.report.audits import NOW, failed, make, row
from tests.report.conftest import WANTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.report.facts import Account
    from tests.audit.loaded import DuckDbFile, PostgreSqlDatabase

    Read = Callable[..., list[Account]]

END = NOW.timestamp()
HISTORY = [
    row("people", 49, records=100, requests=7, source_total=100, whole_since=NOW - timedelta(hours=49)),
    failed("leads", "not found (404)", 49),
    row("people", 25, records=5, deletions=2, rate_limited=1, notes=["field 1 of people was renamed: `a`", "b"]),
    row("leads", 25),
    row("people", 1, records=3),
    failed("leads", "it's <broken>", 2),
    failed("leads", "it's <broken>", 1),
]


def check(account: Account) -> None:
    """Check what the history comes to."""
    leads, people = account.streams
    assert (leads.name, people.name) == ("leads", "people")
    assert people.last is not None
    assert (people.last.complete, people.last.records, people.up_to) == (True, 3, END - 3605)
    assert people.gone_up_to == END - 49 * 3600
    assert leads.last is not None
    assert (leads.last.complete, leads.last.error) == (False, "it's <broken>")
    assert (leads.failed, leads.failing_since, leads.up_to) == (2, END - 7200, END - 25 * 3600 - 5)
    today = int(END // DAY)
    assert people.days[today] == Counts(3, 3, 0, 0, 0, 0.5)
    assert people.days[today - 1] == Counts(5, 3, 2, 1, 0, 0.5)
    assert [run.streams for run in account.runs] == [2, 1, 2, 2]
    began = END - 3600
    assert account.runs[0] == Run(account.runs[0].id, began, began + 120, 2, 1, 1, Counts(3, 6, 0, 0, 0, 1.0))
    assert account.failures == [
        Failure("leads", "it's <broken>", 2, END - 7200, END - 3600),
        Failure("leads", "not found (404)", 1, END - 49 * 3600, END - 49 * 3600),
    ]
    assert account.remarks == [
        Remark("people", "field 1 of people was renamed: `a`", END - 25 * 3600),
        Remark("people", "b", END - 25 * 3600),
    ]


def test_each_kind_of_database_tells_the_same(
    each_database: DuckDbFile | PostgreSqlDatabase, kind: str, read: Read
) -> None:
    make(each_database, HISTORY, types=kind)
    (account,) = read(each_database)
    check(account)
    place = {"duckdb": "schema copper, DuckDB", "postgresql": "schema copper, PostgreSQL"}[kind]
    assert (account.name, account.provider, account.place) == ("copper", "copper", place)


def test_a_loader_that_keeps_everything_as_text_tells_the_same(file: DuckDbFile, read: Read) -> None:
    make(file, HISTORY, types="text")
    check(read(file)[0])


def test_what_is_older_than_the_history_counts_only_where_nothing_is_newer(file: DuckDbFile, read: Read) -> None:
    make(file, [row("people", 24 * 40, records=9), row("leads", 24 * 41), row("leads", 1)])
    (account,) = read(file)
    leads, people = account.streams
    assert (people.up_to, people.days) == (END - 40 * DAY - 5, {})
    assert leads.up_to == END - 3605
    assert len(account.runs) == 1


def test_each_schema_with_an_audit_is_an_account(file: DuckDbFile, read: Read) -> None:
    make(file, [row("people")], "copper_emea")
    make(file, [row("leads", provider="close")], "close")
    file.execute("CREATE SCHEMA other; CREATE TABLE other.sync_audit (id BIGINT)")
    assert [(one.name, one.provider) for one in read(file)] == [("close", "close"), ("copper_emea", "copper")]
    assert [one.name for one in read(file, replace(WANTED, schemas=["COPPER_EMEA"]))] == ["copper_emea"]


def test_accounts_that_share_tables_are_told_apart_by_their_column(file: DuckDbFile, read: Read) -> None:
    rows = [row("people", 1, tenant="a"), row("people", 30, tenant="b"), failed("people", "x", 2, tenant="a")]
    make(file, rows, more={"tenant": "VARCHAR"})
    file.execute("CREATE TABLE copper.people AS SELECT * FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) AS t(tenant, id)")
    accounts = read(file, replace(WANTED, account_column="tenant"))
    found = {one.name: (one.streams[0].up_to, one.streams[0].rows, len(one.failures)) for one in accounts}
    assert found == {"a": (END - 3605, 2, 1), "b": (END - 30 * 3600 - 5, 1, 0)}


@pytest.mark.parametrize("column", ["_account", "tenant"])
def test_the_column_of_accounts_is_found(file: DuckDbFile, read: Read, column: str) -> None:
    """Else the rows of one account would be held against the runs of another, and called gone."""
    rows = [
        row("people", hours, whole_since=NOW - timedelta(hours=hours), **{column: of})
        for of, hours in [("2", 30), ("3", 1)]
    ]
    make(file, rows, more={column: "VARCHAR", "_sdc_extracted_at": "TIMESTAMP"})
    file.execute(
        f"CREATE TABLE copper.people ({column} VARCHAR, id BIGINT, _sdc_extracted_at TIMESTAMP);"  # noqa: S608
        "INSERT INTO copper.people VALUES ('2', 1, '2026-11-19 11:30'), ('3', 1, '2026-11-20 11:30')"
    )
    found = {one.name: (one.streams[0].rows, one.streams[0].gone) for one in read(file)}
    assert found == {"2": (1, 0), "3": (1, 0)}


def test_rows_are_counted_by_whether_they_are_still_there(
    each_database: DuckDbFile | PostgreSqlDatabase, kind: str, read: Read
) -> None:
    """Marked as deleted, or left behind by a loader that ignores ACTIVATE_VERSION."""
    make(each_database, [row("people", whole_since=NOW - timedelta(hours=1))], types=kind)
    each_database.execute(
        "CREATE TABLE copper.people (id BIGINT, _sdc_extracted_at TIMESTAMP, _sdc_deleted_at TIMESTAMP);"
        "INSERT INTO copper.people VALUES (1, '2026-11-20 11:30', NULL), (2, '2026-11-19', NULL),"
        "(3, '2026-11-19', '2026-11-20'), (4, '2026-11-20 11:30', NULL), (5, '2026-11-20 11:30', '2026-11-20')"
    )
    stream = read(each_database)[0].streams[0]
    assert (stream.rows, stream.marked, stream.gone) == (2, 2, 1)
    stream = read(each_database, replace(WANTED, counts_rows=False))[0].streams[0]
    assert (stream.rows, stream.marked, stream.gone) == (None, None, None)


def test_what_was_written_is_told_of_its_own_crm(file: DuckDbFile, read: Read) -> None:
    make(file, [row("people"), row("leads", provider="close")])
    file.execute(
        "CREATE TABLE copper.writes (provider VARCHAR, object VARCHAR, outcome VARCHAR, settled_at TIMESTAMP);"
        "INSERT INTO copper.writes VALUES ('copper', 'people', 'updated', '2026-11-20 10:00'),"
        "('copper', 'people', 'updated', '2026-11-20 11:00'), ('copper', 'people', 'unknown', '2026-11-20 11:00')"
    )
    close, copper = read(file)
    assert (close.name, copper.name) == ("copper, close", "copper, copper")
    assert [(one.object, one.outcome, one.count, one.last) for one in copper.written] == [
        ("people", "unknown", 1, END - 3600),
        ("people", "updated", 2, END - 3600),
    ]
    assert close.written == []


@pytest.mark.parametrize(
    ("schemas", "said"),
    [((), "no schema of the database has a table `sync_audit`"), (("x",), "the schema `x` has no table `sync_audit`")],
)
def test_a_database_without_an_audit_is_an_error_that_says_what_there_is(
    schemas: tuple[str, ...], said: str, file: DuckDbFile, read: Read
) -> None:
    file.execute("CREATE TABLE people (id BIGINT)")
    with pytest.raises(DatabaseError, match=said):
        read(file, replace(WANTED, schemas=schemas))


def test_an_audit_without_rows_is_an_error(file: DuckDbFile, read: Read) -> None:
    make(file, [])
    with pytest.raises(DatabaseError, match="have no rows yet"):
        read(file)
