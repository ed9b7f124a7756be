"""`meltano run tap-<crm> target-postgres` into a real PostgreSQL, twice, with changes in between."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from scripts.demo_compare import compared, keyed, versions
from scripts.demo_run import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from sandbox.client import Client
    from scripts.demo_compare import Comparison
    from scripts.demo_crm import Crm, Table
    from tests.meltano.project import Project
    from tests.postgres import Server

#: Streams of each kind: this loader takes long to begin a table, and the tests of DuckDB load all of them.
READ = {
    "copper": tuple(CRMS["copper"].tables),
    "close": (
        *("leads", "contacts", "opportunities", "tasks", "events", "emails", "calls", "notes", "lead_merges"),
        "import_updates",
        *("organization", "pipelines", "opportunity_statuses", "custom_fields", "unsubscribed_emails"),
    ),
    "copera": ("leads", "people", "companies", "opportunities", "columns"),
}
EACH = pytest.mark.parametrize("crm", CRMS)


@pytest.fixture(scope="module")
def database(server: Server) -> str:
    """Make an empty database."""
    return server.create()


@dataclass(frozen=True)
class Loads:
    """What was compared after each run, and the types of all columns."""

    first: list[Comparison]
    second: list[Comparison]
    types: dict[str, str]


@pytest.fixture(scope="module")
def loaded(project: Project, account: Callable[[str], Client], database: str) -> Callable[[str], Loads]:
    """Load everything of a CRM, change the account, load again; once for all tests."""

    @cache
    def load(name: str) -> Loads:
        crm, client = CRMS[name], account(name)
        environment = _environment(database, name, *READ[name]) | {"TARGET_POSTGRES_HARD_DELETE": "true"}
        project.load(crm, "target-postgres", client.url, **environment)
        first = _compare(database, crm, client)
        for change in crm.changes:
            change.make(client)
        project.load(crm, "target-postgres", client.url, **environment)
        return Loads(first, _compare(database, crm, client), _types(database, crm.schema))

    return load


@EACH
def test_the_first_run_loads_every_record_in_its_version(loaded: Callable[[str], Loads], crm: str) -> None:
    assert [one for one in loaded(crm).first if not one.equal or one.gone] == []


@EACH
def test_the_second_run_loads_what_changed_in_its_version(loaded: Callable[[str], Loads], crm: str) -> None:
    assert [one for one in loaded(crm).second if not one.equal] == []


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
    assert loaded(crm).types[column] == expected


def test_rows_of_copera_that_are_deleted_are_marked_as_meltano_yml_has_it(
    project: Project, account: Callable[[str], Client], loaded: Callable[[str], Loads], database: str
) -> None:
    loaded("copera")
    crm, client = CRMS["copera"], account("copera")
    deleted = set(client.control("delete", {"object": "Companies", "count": 2})["ids"])
    environment = _environment(database, "copera", "companies")
    project.load(crm, "target-postgres", client.url, **environment)
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT _id, _sdc_deleted_at IS NOT NULL FROM copera.companies").fetchall()
    assert {key for key, marked in rows if marked} == deleted
    assert {key for key, marked in rows if not marked} == {one["_id"] for one in crm.tables["companies"].truth(client)}


def _environment(database: str, crm: str, *streams: str) -> dict[str, str]:
    address = make_url(database).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    return {
        "TARGET_POSTGRES_SQLALCHEMY_URL": address,
        f"TAP_{crm.upper()}__SELECT": json.dumps([f"{stream}.*" for stream in (*streams, "sync_audit")]),
    }


def _compare(database: str, crm: Crm, client: Client) -> list[Comparison]:
    with psycopg.connect(database) as connection:
        gone = {row[0] for row in connection.execute(crm.gone.encode()).fetchall()} if crm.gone else set()
        return [_compared(connection, crm.schema, client, name, crm.tables[name], gone) for name in READ[crm.name]]


def _compared(  # noqa: PLR0913, PLR0917 - everything that is compared
    connection: psycopg.Connection,
    schema: str,
    client: Client,
    name: str,
    table: Table,
    gone: AbstractSet[object],
) -> Comparison:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    question = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(schema, name))
    rows = connection.execute(question).fetchall()
    return compared(name, versions(table, client), (keyed(table, row) for row in rows), gone)


def _types(database: str, schema: str) -> dict[str, str]:
    question = """
        SELECT relname || '.' || attname, format_type(atttypid, atttypmod)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND attnum > 0
    """
    with psycopg.connect(database) as connection:
        return dict(connection.execute(question, [schema]).fetchall())
