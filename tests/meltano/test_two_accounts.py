"""Two accounts of one CRM with the same ids, in schemas of their own and in shared tables, by both loaders.

A record of the first one is deleted, and a complete read finds that out: nothing of the second one may be marked.
"""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.server import running
from scripts.demo_copper import COPPER
from tests.audit.loaded import run_audit
from tests.meltano.databases import MADE
from tests.meltano.piped import Piped
from tests.singer import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sandbox.copper import CopperSandbox
    from tests.meltano.databases import Loaded, Rows
    from tests.meltano.project import Project
    from tests.postgres import Server

SHAPE = Shape(people=12, companies=2, opportunities=2, leads=2, projects=2, tasks=2, activities=2, custom_fields=1)
STREAMS = ("people", "people__emails", "account")
#: Of each layout, the settings and the schemas of the two accounts.
LAYOUTS: Mapping[str, tuple[dict[str, str], tuple[str, str]]] = {
    "own schemas": ({}, ("north", "south")),
    "shared tables": ({"TAP_COPPER_ACCOUNT_COLUMN": "_account"}, ("shared", "shared")),
}
EACH = pytest.mark.parametrize("loader", MADE)
LAYOUT = pytest.mark.parametrize("layout", LAYOUTS)


@dataclass(frozen=True)
class Loads:
    """The databases after two accounts were loaded, and one of them again with a deletion.

    Attributes:
        databases: by loader.
        apps: the two accounts.
        urls: their addresses.
        deleted: the id of the person that the first one has lost.
    """

    databases: Mapping[str, Loaded]
    apps: tuple[CopperSandbox, CopperSandbox]
    urls: tuple[str, str]
    deleted: int

    def people(self, loader: str, layout: str, account: int, condition: str = "TRUE") -> Rows:
        """Return the ids of people of one of the accounts."""
        (settings, schemas), column = LAYOUTS[layout], self.apps[account].account.records("account")[0]["id"]
        mine = f"_account = '{column}'" if settings else "TRUE"
        return self.databases[loader].ask(
            f"SELECT id FROM {schemas[account]}.people WHERE {mine} AND {condition} ORDER BY id"  # noqa: S608
        )


@pytest.fixture(scope="module")
def loads(project: Project, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loads]:
    """Load both accounts in both layouts, by both loaders from the same messages, and the first one once more."""
    folder = tmp_path_factory.mktemp("accounts")
    databases = {name: make(server, folder / "accounts.duckdb") for name, make in MADE.items()}
    apps = copper_app(SHAPE, rate_limit=0), copper_app(replace(SHAPE, account=2), rate_limit=0)
    with ExitStack() as stack:
        urls = [stack.enter_context(running(app)) for app in apps]
        runs = {
            layout: [
                Piped(project, folder, replace(COPPER, schema=schema), url, tuple(databases.values()), STREAMS)
                for schema, url in zip(schemas, urls, strict=True)
            ]
            for layout, (_, schemas) in LAYOUTS.items()
        }
        for layout, (settings, _) in LAYOUTS.items():
            for account in runs[layout]:
                account.run(TAP_COPPER_CHILD_TABLES='["emails"]', **settings)
        first = next(one["id"] for one in apps[0].account.records("people") if one["emails"])
        apps[0].account.delete("people", ids=[first])
        for layout, (settings, _) in LAYOUTS.items():
            runs[layout][0].run(TAP_COPPER_CHILD_TABLES='["emails"]', **settings, **COPPER.reconciling)
        yield Loads(databases, apps, (urls[0], urls[1]), first)


@LAYOUT
@EACH
def test_each_account_has_all_of_its_rows(loads: Loads, loader: str, layout: str) -> None:
    own = [sorted((one["id"],) for one in app.account.records("people")) for app in loads.apps]
    assert loads.people(loader, layout, 1) == own[1]
    assert loads.people(loader, layout, 0) == sorted([*own[0], (loads.deleted,)])


@LAYOUT
@EACH
def test_nothing_of_the_other_account_is_marked(loads: Loads, loader: str, layout: str) -> None:
    assert loads.people(loader, layout, 1, "_sdc_deleted_at IS NOT NULL") == []


@EACH
def test_in_a_schema_of_its_own_the_loader_marks_what_is_gone_if_it_can(loads: Loads, loader: str) -> None:
    marked = loads.people(loader, "own schemas", 0, "_sdc_deleted_at IS NOT NULL")
    assert marked == [(loads.deleted,)] * loads.databases[loader].activates


@EACH
def test_the_printed_statements_mark_what_is_gone_account_by_account(loads: Loads, loader: str) -> None:
    """In every schema, child tables included."""
    database = loads.databases[loader]
    printed = run_audit("--database", database.address, "--print-sql")
    assert printed.code == 0
    statements = printed.out.splitlines()
    schemas = ("north", "south", "shared")
    assert {one.split('"')[1] + "." + one.split('"')[3] for one in statements} == {
        f"{schema}.{stream}" for schema in schemas for stream in STREAMS
    }
    assert not any("--" in one for one in statements)
    for statement in statements:
        database.execute(statement)
    for layout in LAYOUTS:
        assert loads.people(loader, layout, 0, "_sdc_deleted_at IS NOT NULL") == [(loads.deleted,)]
        assert loads.people(loader, layout, 1, "_sdc_deleted_at IS NOT NULL") == []
    emails = database.ask(
        "SELECT _account, bool_and(_sdc_deleted_at IS NOT NULL) FROM shared.people__emails"  # noqa: S608
        f" WHERE people_id = {loads.deleted} GROUP BY _account ORDER BY _account"
    )
    assert emails == [("1", True), ("2", False)]


@EACH
def test_the_audit_compares_the_rows_of_its_account_alone(loads: Loads, loader: str, tmp_path: Path) -> None:
    """After the statements, the first account is equal; before, its deleted person would be surplus."""
    tap = Tap(tmp_path, provider="copper", api_key=API_KEY, user_email=USER_EMAIL, requests_per_minute=0)
    for number, url in enumerate(loads.urls):
        config = tap.write("config", {**tap.config, "api_url": url, "account_column": "_account"})
        told = ("--database", loads.databases[loader].address, "--schema", "shared", "--streams", "people,account")
        found = run_audit("--config", config, *told)
        assert found.code == 0, (number, found.out)


@EACH
def test_statements_that_remove_leave_what_is_there(loads: Loads, loader: str) -> None:
    """The last one: it removes the rows that the others look at."""
    database = loads.databases[loader]
    printed = run_audit("--database", database.address, "--schema", "shared", "--print-sql", "delete")
    for statement in printed.out.splitlines():
        database.execute(statement)
    for account, app in enumerate(loads.apps):
        there = sorted((one["id"],) for one in app.account.records("people"))
        assert loads.people(loader, "shared tables", account) == there
