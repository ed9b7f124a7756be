"""Databases that are loaded with what runs said of themselves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment, FileSystemBytecodeCache

from tap_crm.audit.database import database_at
from tap_crm.report.facts import DAY
from tap_crm.report.loaded import Wanted, accounts_in
from tests.audit.loaded import DuckDbFile, PostgreSqlDatabase
from tests.postgres import serving
from tests.report.audits import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_crm.report.facts import Account
    from tests.postgres import Server

WANTED = Wanted(NOW.timestamp() - 30 * DAY)


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compile the templates of the page for the first one only: that takes longer than all else of it."""
    kept = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tap_crm.report.page.Environment", partial(Environment, bytecode_cache=kept))
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Give a PostgreSQL server."""
    with serving() as given:
        yield given


@pytest.fixture
def file(tmp_path: Path) -> DuckDbFile:
    """Give a database of DuckDB."""
    return DuckDbFile(tmp_path / "loaded.duckdb")


@pytest.fixture(params=["duckdb", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name each kind of database."""
    kind: str = request.param
    return kind


@pytest.fixture
def each_database(kind: str, request: pytest.FixtureRequest) -> DuckDbFile | PostgreSqlDatabase:
    """Give an empty database of each kind."""
    if kind == "duckdb":
        found: DuckDbFile = request.getfixturevalue("file")
        return found
    return PostgreSqlDatabase(request.getfixturevalue("server").create())


@pytest.fixture
def read() -> Callable[..., list[Account]]:
    """Return what reads the accounts of a database."""

    def accounts(database: DuckDbFile | PostgreSqlDatabase, wanted: Wanted = WANTED) -> list[Account]:
        return accounts_in(database_at(database.address), wanted)

    return accounts
