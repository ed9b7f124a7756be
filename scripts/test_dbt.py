"""Builds the dbt package on real loads: three, two and one CRM, in both databases. Run by `./scripts/test-dbt`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.client import Client
from sandbox.server import running
from scripts.dbt_package import PACKAGE, SCHEMA, DbtError, DbtPackage, duckdb_output, postgres_output
from scripts.dbt_truth import differences
from scripts.demo_run import CRMS
from tests.meltano.conftest import APPS
from tests.meltano.databases import InDuckDb, InPostgres
from tests.meltano.piped import Piped
from tests.meltano.project import Project
from tests.postgres import serving

if TYPE_CHECKING:
    from tests.meltano.databases import Loaded

#: Which CRMs a database has at each build: others are dropped before.
BUILDS = {
    "target-duckdb": (("copper", "close", "copera"), ("close", "copera"), ("copera",)),
    "target-postgres": (("copper", "close", "copera"), ("copper", "close"), ("close",)),
}
#: The stream that has the account's id, and its column, by which CRMs a build has last.
ACCOUNTS = {"copera": ("workspace", "_id"), "close": ("organization", "id")}
_COLUMNS = f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{SCHEMA}'"  # noqa: S608


def main() -> int:
    """Load, build and compare; 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nested-values", choices=("typed", "text"), default="typed", help="the tap's setting")
    form, started = parser.parse_args().nested_values, time.monotonic()
    failures: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dbt", ignore_cleanup_errors=True)))
        server = stack.enter_context(serving())
        databases: tuple[Loaded, ...] = (InDuckDb(folder / "loaded.duckdb"), InPostgres(server.create()))
        (folder / "meltano").mkdir()
        project = stack.enter_context(closing(Project(folder / "meltano")))
        clients = {name: _load(stack, project, name, databases, form) for name in CRMS}
        for database in databases:
            failures += _builds(folder, database, clients)
    for failure in failures:
        print(f"Not as it should be: {failure}", file=sys.stderr)
    if not failures:
        print(f"The neutral tables hold what the CRMs hold ({time.monotonic() - started:.0f} s).")
    return int(bool(failures))


def _load(stack: ExitStack, project: Project, name: str, databases: tuple[Loaded, ...], form: str) -> Client:
    """Serve a CRM, load it, change it and delete some of it, load what changed with a reconcile."""
    crm, started = CRMS[name], time.monotonic()
    client = Client(stack.enter_context(running(APPS[name]())))
    stack.callback(client.close)
    work = project.folder / name
    work.mkdir()
    loading = Piped(project, work, crm, client.url, databases)
    variables = {f"TAP_{name.upper()}_NESTED_VALUES": form}
    loading.run(**variables)
    for change in (*crm.changes, *crm.deletions):
        change.make(client)
    loading.run(**variables, **crm.reconciling)
    print(f"{crm.title}: loaded, changed, loaded again into {len(databases)} databases: {_since(started)}", flush=True)
    return client


def _builds(folder: Path, database: Loaded, clients: dict[str, Client]) -> list[str]:
    """Build with fewer and fewer CRMs; returns what is not as it should be."""
    failures: list[str] = []
    output = duckdb_output(database.path) if isinstance(database, InDuckDb) else postgres_output(database.address)
    package = DbtPackage(folder / f"dbt-{database.loader}", output)
    for names in BUILDS[database.loader]:
        title = f"{database.loader}, {' + '.join(names)}"
        for gone in CRMS.keys() - set(names):
            database.execute(f"DROP SCHEMA IF EXISTS {gone} CASCADE")
        try:
            summary = package.build()
            fresh = package.freshness(*names)
        except DbtError as error:
            return [*failures, f"{title}: {error}"]
        print(f"{title}: {summary}; {len(fresh)} sources fresh", flush=True)
        told = [f"{name}: {message}" for name, message in summary.told.items()]
        stale = [f"{name} is {status}" for name, status in fresh.items() if status != "pass"]
        found = [*told, *stale, *_undeclared(database), *_others(database, names)]
        for name in names:
            found += differences(CRMS[name], clients[name], database.ask)
        failures += [f"{title}: {one}" for one in found]
    failures += _two_accounts(package, database, names[0])
    return failures


def _two_accounts(package: DbtPackage, database: Loaded, crm: str) -> list[str]:
    """Build with a second account of a CRM, a copy of the first; returns what is not as it should be."""
    other, stream, key = f"{crm}_two", *ACCOUNTS[crm]
    database.execute(f"CREATE SCHEMA {other}")
    tables = database.ask(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{crm}'")  # noqa: S608
    for (table,) in tables:
        database.execute(f'CREATE TABLE {other}."{table}" AS SELECT * FROM {crm}."{table}"')  # noqa: S608
    database.execute(f"UPDATE {other}.{stream} SET \"{key}\" = 'two'")  # noqa: S608
    try:
        summary = package.build("--vars", json.dumps({f"{crm}_schemas": [crm, other, "not_there"]}))
    except DbtError as error:
        return [f"{database.loader}, two accounts: {error}"]
    print(f"{database.loader}, two accounts of {crm}: {summary}", flush=True)
    counted = f"SELECT account, count(*) FROM {SCHEMA}.crm_opportunities GROUP BY 1 ORDER BY account = 'two'"  # noqa: S608
    rows = database.ask(counted)
    equal = [count for _, count in rows] == [rows[0][1]] * 2 and rows[1][0] == "two"
    wrong = [] if equal else [f"{database.loader}, two accounts: {rows} opportunities"]
    return [*wrong, *_shared_tables(package, database, crm, [table for (table,) in tables])]


def _shared_tables(package: DbtPackage, database: Loaded, crm: str, tables: list[str]) -> list[str]:
    """Build with both in the same tables, where all that the second one has is gone."""
    shared = f"{crm}_shared"
    database.execute(f"CREATE SCHEMA {shared}")
    for table in tables:
        parts = " UNION ALL ".join(
            f"SELECT '{account}' AS _account, * FROM {schema}.\"{table}\""  # noqa: S608
            for account, schema in (("one", crm), ("two", f"{crm}_two"))
        )
        database.execute(f'CREATE TABLE {shared}."{table}" AS {parts}')
    database.execute(
        f"UPDATE {shared}.sync_audit SET whole_since = '2100-01-01' WHERE _account = 'two' AND complete"  # noqa: S608
    )
    try:
        summary = package.build("--vars", json.dumps({f"{crm}_schemas": [shared], "account_column": "_account"}))
    except DbtError as error:
        return [f"{database.loader}, shared tables: {error}"]
    print(f"{database.loader}, shared tables of {crm}: {summary}", flush=True)
    counted = f"SELECT account, bool_and(is_deleted) FROM {SCHEMA}.crm_opportunities GROUP BY 1 ORDER BY 1"  # noqa: S608
    rows = database.ask(counted)
    return [] if rows == [("one", False), ("two", True)] else [f"{database.loader}, shared tables: {rows}"]


def _undeclared(database: Loaded) -> list[str]:
    """Name the tables whose columns are not those that the package declares, in this order."""
    models: list[dict[str, Any]] = yaml.safe_load((PACKAGE / "models" / "crm" / "_crm__models.yml").read_text())[
        "models"
    ]
    built: dict[str, list[str]] = {}
    for table, column in database.ask(f"{_COLUMNS} ORDER BY table_name, ordinal_position"):
        built.setdefault(table, []).append(column)
    return [
        f"{model['name']} has the columns {built.get(model['name'])}"
        for model in models
        if built.get(model["name"]) != [column["name"] for column in model["columns"]]
    ]


def _others(database: Loaded, names: tuple[str, ...]) -> list[str]:
    """Name CRMs of which there are rows though they are not loaded, and those without any."""
    rows = {crm for (crm,) in database.ask(f"SELECT DISTINCT crm FROM {SCHEMA}.crm_companies")}  # noqa: S608
    return [] if rows == set(names) else [f"crm_companies has rows of {sorted(rows)}"]


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
