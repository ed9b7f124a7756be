"""Each CRM into DuckDB, one by `meltano run tap-<crm> target-duckdb`; after changes a run that goes on from there."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from scripts.demo_compare import compare, compare_with, living, remove
from scripts.demo_copera import STREAMS
from scripts.demo_run import CRMS
from tap_crm.providers import PROVIDERS
from tests.meltano.databases import InDuckDb
from tests.meltano.piped import Piped, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.client import Client
    from scripts.demo_compare import Comparison
    from tests.meltano.databases import Rows
    from tests.meltano.project import Project

#: Tables that the changes of the demo leave behind, whichever records they choose.
BEHIND = {
    "copper": {"people", "companies", "opportunities", "leads", "activities"},
    "close": {"leads", "contacts", "opportunities", "events", "calls", "notes", "emails", "lead_merges"},
    "copera": {"leads", "people", "companies", "opportunities", "columns", "custom_fields"},
}
#: The CRM that Meltano loads at first: it loads Close in the test of nights.
BY_MELTANO = "copera"
EACH = pytest.mark.parametrize("crm", CRMS)


@dataclass(frozen=True)
class Loads:
    """What was compared after each step; the last one is the removal of what the tap has said to be gone."""

    schema: str
    first: list[Comparison]
    lacking: dict[str, set[str]]
    """Properties that got no column by the first run."""
    changed: list[Comparison]
    loaded_again: list[Comparison]
    second: list[Comparison]
    removed: dict[str, int]
    types: dict[str, dict[str, str]]
    """The type of each column of each table."""
    database: InDuckDb

    def audit(self, question: str) -> Rows:
        """Ask the loaded audit, in which the runs are numbered."""
        runs = f"SELECT *, dense_rank() OVER (ORDER BY run_id) AS run FROM {self.schema}.sync_audit"  # noqa: S608
        return self.database.ask(f"WITH audit AS ({runs}) {question}")


@pytest.fixture(scope="module")
def loaded(
    project: Project, account: Callable[[str], Client], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Loads]:
    """Load everything of a CRM, change the account, load again; once for all tests."""
    database = InDuckDb(project.folder / "output" / "crm.duckdb")  # where meltano.yml has it

    @cache
    def load(name: str) -> Loads:
        crm, client = CRMS[name], account(name)
        loading = Piped(project, tmp_path_factory.mktemp("duckdb"), crm, client.url, (database,))
        if name == BY_MELTANO:
            project.load(crm, database.loader, client.url)
            loading.go_on()
        else:
            loading.run()
        first, lacking = compare(crm, client, database.path), loading.lacking()
        for change in crm.changes:
            change.make(client)
        there = living(crm, client)
        changed = compare_with(crm, there, database.path)
        loading.run()
        loaded_again, removed = compare_with(crm, there, database.path), remove(crm, database.path)
        second = compare_with(crm, there, database.path)
        types = database.column_types(crm.schema)
        return Loads(crm.schema, first, lacking, changed, loaded_again, second, removed, types, database)

    return load


@EACH
def test_the_first_run_loads_every_record_of_every_table(loaded: Callable[[str], Loads], crm: str) -> None:
    assert [one for one in loaded(crm).first if not one.equal or one.gone] == []


@EACH
def test_the_first_run_makes_a_column_of_every_property_custom_fields_included(
    loaded: Callable[[str], Loads], crm: str
) -> None:
    assert loaded(crm).lacking == {stream: set() for stream in (*CRMS[crm].tables, "sync_audit")}


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
    assert loaded("copper").audit(question) == [(100,), (40 + 12 + 5,)]  # edited, created, and converted from leads


def test_the_second_run_reads_only_the_leads_that_changed(loaded: Callable[[str], Loads]) -> None:
    question = "SELECT sum(records) FROM audit WHERE stream = 'leads' GROUP BY run ORDER BY run"
    (everything,), (changed,) = loaded("close").audit(question)
    assert everything == 60
    assert 30 < changed <= 40 + 3 + 12  # edited, merged into, given a contact; some are gone


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
    question = "SELECT count(*) FILTER (region IS NULL), count(region) FROM copera.people"
    assert loaded("copera").database.ask(question) == [(0, loaded("copera").second[1].there)]


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
    table, _, name = column.partition(".")
    assert loaded("copera").types[table][name] == expected


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


def test_later_runs_here_have_the_settings_that_meltano_gives(printed: str) -> None:
    given, _ = json.JSONDecoder().raw_decode(printed, printed.index("{\n"))
    set_above = {"user_email", "api_key", "access_token", "oauth"}
    assert {name: value for name, value in given.items() if name not in set_above} == settings("tap-close", {})


def test_secrets_are_not_printed(printed: str) -> None:
    assert '"api_key"' in printed
    assert '"oauth"' in printed
    assert "key-0123" not in printed
    assert "token-45" not in printed
    assert "secret-67" not in printed
