"""Builds the dbt package on real loads: three, two and one CRM, in both databases. Run by `./scripts/test-dbt`.

Both databases are built side by side: dbt takes a core, whatever the database does.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
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
    from collections.abc import Iterator

    from scripts.dbt_package import Summary
    from tests.meltano.databases import Loaded

#: Which CRMs a database has at each build: others are dropped before.
BUILDS = {
    "target-duckdb": (("copper", "close", "copera"), ("close", "copera"), ("copera",)),
    "target-postgres": (("copper", "close", "copera"), ("copper", "close"), ("close",)),
}
#: The stream that has the account's id, and its column, by which CRMs a build has last.
ACCOUNTS = {"copera": ("workspace", "_id"), "close": ("organization", "id")}
_PROJECT = "tap_crm"
"""What dbt calls the package."""
_FEW = 5
"""So many tests, and rows that they find, are shown."""
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
        urls = {name: _load(stack, project, name, databases, form) for name in CRMS}
        with ThreadPoolExecutor(len(databases)) as side_by_side:
            for found in side_by_side.map(lambda database: list(_failures(folder, database, urls)), databases):
                failures += found
    for failure in failures:
        print(f"Not as it should be: {failure}", file=sys.stderr)
    if not failures:
        print(f"The neutral tables hold what the CRMs hold ({time.monotonic() - started:.0f} s).")
    return int(bool(failures))


def _load(stack: ExitStack, project: Project, name: str, databases: tuple[Loaded, ...], form: str) -> str:
    """Serve a CRM, load it, change it and delete some of it, load what changed, reconcile; returns its address."""
    crm, started = CRMS[name], time.monotonic()
    client = stack.enter_context(closing(Client(stack.enter_context(running(APPS[name]())))))
    work = project.folder / name
    work.mkdir()
    loading = Piped(project, work, crm, client.url, databases)
    variables = {f"TAP_{name.upper()}_NESTED_VALUES": form}
    loading.run(**variables)
    for change in (*crm.changes, *crm.deletions):
        change.make(client)
    loading.run(**variables, **crm.reconciling)
    print(f"{crm.title}: loaded, changed, loaded again into {len(databases)} databases: {_since(started)}", flush=True)
    return client.url


def _failures(folder: Path, database: Loaded, urls: dict[str, str]) -> Iterator[str]:
    """Build in one database in every way; tells what is not as it should be, up to a build that fails."""
    output = duckdb_output(database.path) if isinstance(database, InDuckDb) else postgres_output(database.address)
    package = DbtPackage(folder / f"dbt-{database.loader}", output)
    try:
        for one in _checks(package, database, urls):
            yield f"{database.loader}, {one}"
    except DbtError as error:
        yield f"{database.loader}, {error}"


def _checks(package: DbtPackage, database: Loaded, urls: dict[str, str]) -> Iterator[str]:
    """Build with fewer and fewer CRMs, then with two accounts of the last one; tells what is not as it should be."""
    yield from (f"{source} is {status}" for source, status in package.freshness(*CRMS).items() if status != "pass")
    for names in BUILDS[database.loader]:
        title = " + ".join(names)
        for gone in CRMS.keys() - set(names):
            database.execute(f"DROP SCHEMA IF EXISTS {gone} CASCADE")
        told = _build(package, database, title).told
        found = [f"{name}: {message}" for name, message in told.items()]
        found += _findings(package, database)
        found += [*_undeclared(database), *_others(database, names)]
        for name in names:
            with closing(Client(urls[name])) as client:
                found += differences(CRMS[name], client, database.ask)
        yield from (f"{title}: {one}" for one in found)
    (crm,) = BUILDS[database.loader][-1]
    tables = database.ask(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{crm}'")  # noqa: S608
    yield from _two_accounts(package, database, crm, [table for (table,) in tables])
    yield from _shared_tables(package, database, crm, [table for (table,) in tables])


def _build(package: DbtPackage, database: Loaded, title: str, crm: str = "", **variables: object) -> Summary:
    """Build, and say so.

    Args:
        package: what is built.
        database: where.
        title: of this build.
        crm: the only one that has changed since the last build; without it, all is built.
        variables: those of the package.

    Raises:
        DbtError: it failed; the message has what the failing tests have found.
    """
    # What the other CRMs have, which is nothing, is as it was, and was tested then.
    selected = ("--select", f"{_PROJECT}.crm", f"{_PROJECT}.{crm}") if crm else ()
    try:
        summary = package.build(*selected, *(("--vars", json.dumps(variables)) if variables else ()))
    except DbtError as error:
        raise DbtError("\n".join((f"{title}: {error}", *_findings(package, database)))) from None
    print(f"{database.loader}, {title}: {summary}", flush=True)
    return summary


def _findings(package: DbtPackage, database: Loaded) -> Iterator[str]:
    """Tell what some of the tests have found that did not pass in the last build."""
    for test, query in list(package.doubts().items())[:_FEW]:
        try:
            rows = database.ask(f"SELECT * FROM (\n{query}\n) AS found LIMIT {_FEW}")  # noqa: S608
        except Exception as error:  # noqa: BLE001 - whatever the database says: the test itself is told of besides
            yield f"what {test} finds cannot be shown: {error}"
        else:
            yield "\n  ".join((f"{test} finds", *map(str, rows)))


def _two_accounts(package: DbtPackage, database: Loaded, crm: str, tables: list[str]) -> Iterator[str]:
    """Build with a second account of a CRM, a copy of the first; tells what is not as it should be."""
    other, stream, key = f"{crm}_two", *ACCOUNTS[crm]
    database.execute(f"CREATE SCHEMA {other}")
    for table in tables:
        database.execute(f'CREATE TABLE {other}."{table}" AS SELECT * FROM {crm}."{table}"')  # noqa: S608
    database.execute(f"UPDATE {other}.{stream} SET \"{key}\" = 'two'")  # noqa: S608
    _build(package, database, f"two accounts of {crm}", crm, **{f"{crm}_schemas": [crm, other, "not_there"]})
    counted = f"SELECT account, count(*) FROM {SCHEMA}.crm_opportunities GROUP BY 1 ORDER BY account = 'two'"  # noqa: S608
    rows = database.ask(counted)
    if [count for _, count in rows] != [rows[0][1]] * 2 or rows[1][0] != "two":
        yield f"two accounts: {rows} opportunities"


def _shared_tables(package: DbtPackage, database: Loaded, crm: str, tables: list[str]) -> Iterator[str]:
    """Build with both in the same tables, all of the second one gone; tells what is not as it should be."""
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
    variables = {f"{crm}_schemas": [shared], "account_column": "_account"}
    _build(package, database, f"shared tables of {crm}", crm, **variables)
    counted = f"SELECT account, bool_and(is_deleted) FROM {SCHEMA}.crm_opportunities GROUP BY 1 ORDER BY 1"  # noqa: S608
    rows = database.ask(counted)
    if rows != [("one", False), ("two", True)]:
        yield f"shared tables: {rows}"


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
