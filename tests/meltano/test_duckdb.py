"""`meltano run tap-<crm> target-duckdb`, twice, with changes in between."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import pytest

from scripts.demo_compare import compare, remove
from scripts.demo_copera import STREAMS
from scripts.demo_run import CRMS
from tap_crm.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.client import Client
    from scripts.demo_compare import Comparison
    from tests.meltano.project import Project

#: Tables that the changes of the demo leave behind, whichever records they choose.
BEHIND = {
    "copper": {"people", "companies", "opportunities", "leads", "activities"},
    "close": {"leads", "contacts", "opportunities", "events", "calls", "notes", "emails", "lead_merges"},
    "copera": {"leads", "people", "companies", "opportunities", "columns", "custom_fields"},
}
EACH = pytest.mark.parametrize("crm", CRMS)


@dataclass(frozen=True)
class Loads:
    """What was compared after each step; the last one is the removal of what the tap has said to be gone."""

    schema: str
    first: list[Comparison]
    changed: list[Comparison]
    loaded_again: list[Comparison]
    second: list[Comparison]
    removed: dict[str, int]
    database: Path

    def audit(self, question: str) -> list[tuple[object, ...]]:
        """Ask the loaded audit, in which the runs are numbered."""
        runs = f"SELECT *, dense_rank() OVER (ORDER BY run_id) AS run FROM {self.schema}.sync_audit"  # noqa: S608
        with duckdb.connect(str(self.database), read_only=True) as connection:
            rows: list[tuple[object, ...]] = connection.execute(f"WITH audit AS ({runs}) {question}").fetchall()
        return rows


@pytest.fixture(scope="module")
def loaded(project: Project, account: Callable[[str], Client]) -> Callable[[str], Loads]:
    """Load everything of a CRM, change the account, load again; once for all tests."""
    database = project.folder / "output" / "crm.duckdb"

    @cache
    def load(name: str) -> Loads:
        crm, client = CRMS[name], account(name)
        project.load(crm, "target-duckdb", client.url)
        first = compare(crm, client, database)
        for change in crm.changes:
            change.make(client)
        changed = compare(crm, client, database)
        project.load(crm, "target-duckdb", client.url)
        loaded_again, removed = compare(crm, client, database), remove(crm, database)
        second = compare(crm, client, database)
        return Loads(crm.schema, first, changed, loaded_again, second, removed, database)

    return load


@EACH
def test_the_first_run_loads_every_record_of_every_table(loaded: Callable[[str], Loads], crm: str) -> None:
    assert [one for one in loaded(crm).first if not one.equal or one.gone] == []


@EACH
def test_the_comparison_sees_what_changed_since(loaded: Callable[[str], Loads], crm: str) -> None:
    assert {one.table for one in loaded(crm).changed if not one.equal} >= BEHIND[crm]


@EACH
def test_the_second_run_loads_what_changed(loaded: Callable[[str], Loads], crm: str) -> None:
    assert [one for one in loaded(crm).second if not one.equal] == []


@EACH
def test_the_audit_calls_every_stream_of_both_runs_complete(loaded: Callable[[str], Loads], crm: str) -> None:
    rows = loaded(crm).audit("SELECT run, count(*), bool_and(complete) FROM audit GROUP BY run ORDER BY run")
    assert rows == [(1, len(CRMS[crm].tables), True), (2, len(CRMS[crm].tables), True)]


@EACH
def test_streams_that_cost_a_request_per_record_are_left_out(loaded: Callable[[str], Loads], crm: str) -> None:
    read = {stream for (stream,) in loaded(crm).audit("SELECT DISTINCT stream FROM audit")}
    tables = set(STREAMS.values()) if crm == "copera" else set()
    assert read == {spec.name for spec in PROVIDERS[crm].streams if spec.selected} | tables


def test_the_second_run_reads_only_what_changed(loaded: Callable[[str], Loads]) -> None:
    question = "SELECT sum(records) FROM audit WHERE stream = 'people' GROUP BY run ORDER BY run"
    assert loaded("copper").audit(question) == [(300,), (40 + 12 + 5,)]  # edited, created, and converted from leads


def test_the_second_run_reads_only_the_leads_that_changed(loaded: Callable[[str], Loads]) -> None:
    question = "SELECT sum(records) FROM audit WHERE stream = 'leads' GROUP BY run ORDER BY run"
    (everything,), (changed,) = loaded("close").audit(question)
    assert everything == 120
    assert 30 < changed <= 40 + 3 + 12  # type: ignore[operator] # edited, merged into, given a contact; some are gone


def test_rows_of_deleted_records_stay_and_the_loaded_events_tell_of_them(loaded: Callable[[str], Loads]) -> None:
    gone = {one.table: one.gone for one in loaded("close").second if one.gone}
    assert gone["leads"] == 4 + 3  # deleted, and merged into others
    assert gone.keys() > {"leads"}  # what belonged to them, too


def test_this_loader_keeps_deleted_rows_of_copera_until_they_are_removed_by_what_the_audit_tells(
    loaded: Callable[[str], Loads],
) -> None:
    kept = {one.table: one.surplus for one in loaded("copera").loaded_again if not one.equal}
    assert kept == {"leads": 5, "companies": 3}
    assert {table: rows for table, rows in loaded("copera").removed.items() if rows} == kept


def test_a_column_that_copera_was_given_between_the_runs_has_its_values(loaded: Callable[[str], Loads]) -> None:
    with duckdb.connect(str(loaded("copera").database), read_only=True) as connection:
        empty = connection.execute(
            "SELECT count(*) FILTER (region IS NULL), count(region) FROM copera.people"
        ).fetchall()
    assert empty == [(0, loaded("copera").second[1].there)]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("leads._id", "VARCHAR"),
        ("leads.rowid", "HUGEINT"),
        ("leads.updatedat", "TIMESTAMP"),
        ("leads.stage", "VARCHAR"),
        ("leads.tags", "JSON"),
        ("leads.company", "JSON"),
        ("leads.value", "DOUBLE"),
        ("leads.next_step", "VARCHAR"),
        ("people.newsletter", "BOOLEAN"),
        ("companies.value_of_deals", "VARCHAR"),
        ("opportunities.no", "HUGEINT"),
        ("opportunities.created", "TIMESTAMP"),
    ],
)
def test_a_column_of_copera_has_the_type_of_its_values(
    loaded: Callable[[str], Loads], column: str, expected: str
) -> None:
    question = (
        "SELECT data_type FROM duckdb_columns() WHERE schema_name = 'copera' AND table_name || '.' || column_name = ?"
    )
    with duckdb.connect(str(loaded("copera").database), read_only=True) as connection:
        assert connection.execute(question, [column]).fetchall() == [(expected,)]


@pytest.fixture(scope="module")
def printed(project: Project) -> str:
    """Give what Meltano prints of the extractor's settings, some of them set for its parent."""
    return project.meltano(
        "config",
        "print",
        "tap-close",
        TAP_CRM_USER_EMAIL="someone@example.com",
        TAP_CLOSE_API_KEY="key-0123",
        TAP_CRM_ACCESS_TOKEN="token-45",
        TAP_CLOSE_OAUTH='{"client_id": "app", "client_secret": "secret-67"}',
    )


def test_an_inherited_extractor_reads_the_settings_of_its_parent_too(printed: str) -> None:
    assert '"user_email": "someone@example.com"' in printed


def test_secrets_are_not_printed(printed: str) -> None:
    assert '"api_key"' in printed
    assert '"oauth"' in printed
    assert "key-0123" not in printed
    assert "token-45" not in printed
    assert "secret-67" not in printed
