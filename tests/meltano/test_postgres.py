"""Each CRM into a real PostgreSQL by target-postgres, and after changes a run that goes on from there."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from scripts.demo_compare import compared, keyed, versions
from scripts.demo_run import CRMS
from tests.meltano.databases import MARKED, InPostgres
from tests.meltano.piped import Piped

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from sandbox.client import Client
    from scripts.demo_compare import Comparison
    from scripts.demo_crm import Crm
    from tests.meltano.databases import Rows
    from tests.meltano.project import Project
    from tests.postgres import Server

#: Streams of each kind: this loader takes long to begin a table, and the tests of DuckDB load all of them.
READ = {
    "copper": (
        *("people", "companies", "opportunities", "leads", "tasks", "activities"),
        *("account", "users", "pipelines", "custom_fields", "tags"),
    ),
    "close": (
        *("leads", "contacts", "opportunities", "tasks", "events", "emails", "calls", "notes", "lead_merges"),
        "import_updates",
        *("organization", "pipelines", "opportunity_statuses", "custom_fields", "unsubscribed_emails"),
    ),
    "copera": ("leads", "people", "companies", "opportunities", "columns"),
}
HARD = {"TARGET_POSTGRES_HARD_DELETE": "true"}
EACH = pytest.mark.parametrize("crm", CRMS)


@pytest.fixture(scope="module")
def database(server: Server) -> InPostgres:
    """Make an empty database."""
    return InPostgres(server.create())


@dataclass(frozen=True)
class Loads:
    """What was compared after each run, and the types of all columns."""

    first: list[Comparison]
    lacking: dict[str, set[str]]
    """Properties that got no column by the first run."""
    second: list[Comparison]
    types: dict[str, dict[str, str]]
    loading: Piped


@pytest.fixture(scope="module")
def loaded(
    project: Project,
    account: Callable[[str], Client],
    database: InPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Loads]:
    """Load everything of a CRM, change the account, load again; once for all tests."""

    @cache
    def load(name: str) -> Loads:
        crm, client = CRMS[name], account(name)
        loading = Piped(project, tmp_path_factory.mktemp("postgres"), crm, client.url, (database,), READ[name])
        loading.run(**HARD)
        first, lacking = _compare(loading, client), loading.lacking()
        for change in crm.changes:
            change.make(client)
        loading.run(**HARD)
        second = _compare(loading, client)
        return Loads(first, lacking, second, database.column_types(crm.schema), loading)

    return load


@EACH
def test_the_first_run_loads_every_record_in_its_version(loaded: Callable[[str], Loads], crm: str) -> None:
    assert [one for one in loaded(crm).first if not one.equal or one.gone] == []


@EACH
def test_the_second_run_loads_what_changed_in_its_version(loaded: Callable[[str], Loads], crm: str) -> None:
    assert [one for one in loaded(crm).second if not one.equal] == []


def test_a_reconcile_removes_what_left_no_trace(
    account: Callable[[str], Client], loaded: Callable[[str], Loads]
) -> None:
    crm, client, loading = CRMS["copper"], account("copper"), loaded("copper").loading
    for change in crm.deletions:
        change.make(client)
    lost = {one.table for one in _compare(loading, client) if one.surplus}
    assert lost >= {"people", "companies", "activities"}
    loading.run(**crm.reconciling, **HARD)
    assert [one for one in _compare(loading, client) if not one.equal] == []


@EACH
def test_the_first_run_makes_a_column_of_every_property_custom_fields_included(
    loaded: Callable[[str], Loads], crm: str
) -> None:
    assert loaded(crm).lacking == {stream: set() for stream in (*READ[crm], "sync_audit")}


@pytest.mark.parametrize(
    ("crm", "column", "expected"),
    [
        ("copper", "people.id", "bigint"),
        ("copper", "people.company_id", "bigint"),
        ("copper", "people.name", "text"),
        ("copper", "people.address", "jsonb"),
        ("copper", "people.emails", "jsonb[]"),
        ("copper", "people.tags", "text[]"),
        ("copper", "people.date_modified", "timestamp without time zone"),
        ("copper", "opportunities.monetary_value", "numeric"),
        ("copper", "opportunities.close_date", "date"),
        ("copper", "activities.parent", "jsonb"),
        ("copper", "activities.is_deleted", "boolean"),
        ("copper", "sync_audit.finished", "timestamp without time zone"),
        ("close", "leads.id", "text"),
        ("close", "leads.addresses", "jsonb[]"),
        ("close", "leads.contact_ids", "text[]"),
        ("close", "leads.merged_into", "text"),
        ("close", "leads._sdc_deleted_at", "timestamp without time zone"),
        ("close", "leads.date_updated", "timestamp without time zone"),
        ("close", "contacts.emails", "jsonb[]"),
        ("close", "opportunities.value", "bigint"),
        ("close", "opportunities.date_won", "date"),
        ("close", "opportunities.date_lost", "timestamp without time zone"),
        ("close", "events.date_updated", "timestamp without time zone"),
        ("close", "events.data", "text"),
        ("close", "events.meta", "jsonb"),
        ("close", "tasks.is_complete", "boolean"),
        ("close", "calls.duration", "bigint"),
        ("close", "sync_audit.finished", "timestamp without time zone"),
        ("copera", "leads._id", "text"),
        ("copera", "leads.rowId", "bigint"),
        ("copera", "leads.updatedAt", "timestamp without time zone"),
        ("copera", "leads.stage", "text"),
        ("copera", "leads.tags", "text[]"),
        ("copera", "leads.company", "text[]"),
        ("copera", "leads.company_labels", "text[]"),
        ("copera", "leads.value", "numeric"),
        ("copera", "leads.next_step", "text"),
        ("copera", "leads.employees_of_the_company", "text"),
        ("copera", "people.newsletter", "boolean"),
        ("copera", "people.region", "text"),
        ("copera", "companies.value_of_deals", "text"),
        ("copera", "opportunities.no", "bigint"),
        ("copera", "opportunities.created", "timestamp without time zone"),
        ("copera", "columns.options", "jsonb[]"),
    ],
)
def test_a_column_has_the_type_of_its_values(
    loaded: Callable[[str], Loads], crm: str, column: str, expected: str
) -> None:
    table, _, name = column.partition(".")
    assert loaded(crm).types[table][name] == expected


def test_rows_of_copera_that_are_deleted_are_marked_as_meltano_yml_has_it(
    account: Callable[[str], Client], loaded: Callable[[str], Loads], database: InPostgres
) -> None:
    loading, client = loaded("copera").loading, account("copera")
    deleted = set(client.control("delete", {"object": "Companies", "count": 2})["ids"])
    replace(loading, streams=("companies",)).run()
    rows = database.ask(f"SELECT _id, {MARKED} FROM copera.companies")  # noqa: S608 - names of ours
    assert {key for key, marked in rows if marked} == deleted
    there = CRMS["copera"].tables["companies"].truth(client)
    assert {key for key, marked in rows if not marked} == {one["_id"] for one in there}


def _compare(loading: Piped, client: Client) -> list[Comparison]:
    crm, ask = loading.crm, loading.database.ask
    gone = {row[0] for row in ask(crm.gone)} if crm.gone else set()
    return [_compared(crm, name, ask, client, gone) for name in loading.streams]


def _compared(crm: Crm, name: str, ask: Callable[[str], Rows], client: Client, gone: AbstractSet[object]) -> Comparison:
    table = crm.tables[name]
    columns = ", ".join(f'"{column}"' for column in table.columns)
    rows = ask(f"SELECT {columns} FROM {crm.schema}.{name}")  # noqa: S608 - names of ours
    return compared(name, versions(table, client), (keyed(table, row) for row in rows), gone)
