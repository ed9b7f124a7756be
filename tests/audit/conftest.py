"""A small account of each CRM, read once, and databases that are loaded with it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import close, copera, copper
from sandbox.server import running
from tests.audit.loaded import Audited, DuckDbFile, PostgreSqlDatabase, load, run_audit
from tests.postgres import Server, serving
from tests.singer import Tap, only

if TYPE_CHECKING:
    from pathlib import Path

    from tests.singer import Run

COPPER = copper.Shape(
    people=60, companies=20, opportunities=20, leads=20, projects=5, tasks=10, activities=40, custom_fields=2, tags=30
)
CLOSE = replace(close.SMALL, leads=10, contacts=10, opportunities=6, tasks=6, activities=40, events=20, custom_fields=2)
#: Of Close's many streams some of each kind: with keys of their own, with and without times of change.
CLOSE_STREAMS = (
    *("leads", "contacts", "opportunities", "events", "notes", "users", "memberships", "pipelines", "custom_fields"),
    *("bulk_actions", "unsubscribed_emails", "import_updates", "smart_views"),
)
COPERA = replace(copera.SMALL, boards=1, tables=4, wide_tables=0, rows=40)


@dataclass
class Account:
    """A served account, the tap for it, and what a run wrote."""

    name: str
    app: Any
    tap: Tap
    run: Run

    @property
    def config(self) -> str:
        """A file with the config."""
        return self.tap.write("config", self.tap.config)

    def ids(self, stream: str) -> list[str]:
        """Return the ids of a stream's records as text, in order."""
        (key,) = self.run.schemas[stream]["key_properties"]
        return sorted((str(record[key]) for record in self.run.records(stream)), key=lambda one: (len(one), one))


def _served(name: str, stack: ExitStack, **knobs: Any) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401
    if name == "copper":
        app: Any = copper.copper_app(COPPER, **{"rate_limit": 0, **knobs})
        key = {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL}
    elif name == "close":
        app, key = close.close_app(CLOSE, rate_limit=0), {"api_key": close.API_KEY}
    else:
        app, key = copera.copera_app(COPERA, rate_limit=0), {"api_key": copera.PAT}
    return app, {"provider": name, "api_url": stack.enter_context(running(app)), "requests_per_minute": 0, **key}


Open: TypeAlias = Callable[..., Account]


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Serve an account of a CRM that no test changes, and read it; once."""
    with ExitStack() as stack:

        @cache
        def serve(name: str) -> Account:
            app, config = _served(name, stack)
            tap = Tap(tmp_path_factory.mktemp(name), **config)
            tap.inside = True
            chosen = only(tap.discover()[0], *CLOSE_STREAMS, "sync_audit") if name == "close" else None
            return Account(name, app, tap, tap.sync(catalog=chosen))

        yield serve


@pytest.fixture(scope="session")
def catalog(account: Open) -> dict[str, Any]:
    """Give what discovery finds in Copper's account."""
    return account("copper").tap.discover()[0]


@pytest.fixture
def own_account(tmp_path: Path, catalog: dict[str, Any]) -> Iterator[Open]:
    """Serve an account of Copper for one test, and read some of its streams; all of them, if none are named."""
    with ExitStack() as stack:

        def serve(*streams: str, settings: dict[str, Any] | None = None, **knobs: Any) -> Account:  # noqa: ANN401
            app, config = _served("copper", stack, **knobs)
            tap = Tap(tmp_path, **config, **(settings or {}))
            tap.inside = True
            chosen = only(catalog, *streams, "sync_audit") if streams else None
            return Account("copper", app, tap, tap.sync(catalog=chosen))

        yield serve


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Give a PostgreSQL server."""
    with serving() as given:
        yield given


@dataclass
class Databases:
    """Makes databases that hold what an account's run wrote; the first of each is the template of all others.

    Args:
        folder: for files.
        server: gives the server, which is started when it is first needed.
    """

    folder: Path
    server: Callable[[], Server]
    _templates: dict[tuple[str, str], Any] = field(default_factory=dict)

    def make(self, kind: str, account: Account, *, is_shared: bool = True) -> DuckDbFile | PostgreSqlDatabase:
        """Return a database of its own."""
        if not is_shared:
            return self._loaded(kind, account)
        if (kind, account.name) not in self._templates:
            self._templates[kind, account.name] = self._loaded(kind, account)
        template = self._templates[kind, account.name]
        if kind == "duckdb":
            file = self.folder / f"{uuid.uuid4().hex}.duckdb"
            shutil.copy(template.path, file)
            return DuckDbFile(file)
        return PostgreSqlDatabase(self.server().create(template.url))

    def _loaded(self, kind: str, account: Account) -> DuckDbFile | PostgreSqlDatabase:
        file = self.folder / f"{uuid.uuid4().hex}.duckdb"
        database = DuckDbFile(file) if kind == "duckdb" else PostgreSqlDatabase(self.server().create())
        load(database, account.run, account.name)
        return database


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Databases:
    """Give what makes databases."""
    return Databases(tmp_path_factory.mktemp("databases"), lambda: request.getfixturevalue("server"))


@pytest.fixture(params=["duckdb", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name each kind of database."""
    kind: str = request.param
    return kind


Loaded: TypeAlias = DuckDbFile | PostgreSqlDatabase


@pytest.fixture
def copper_account(account: Open) -> Account:
    """Give an account that no test changes."""
    return account("copper")


@pytest.fixture
def each_database(kind: str, copper_account: Account, databases: Databases) -> Loaded:
    """Give a database of each kind, loaded with Copper's account."""
    return databases.make(kind, copper_account)


@pytest.fixture
def database(copper_account: Account, databases: Databases, unmeasured: None) -> Loaded:  # noqa: ARG001 - the audit measures itself
    """Give a database that is loaded with Copper's account, for what does not depend on its kind."""
    return databases.make("duckdb", copper_account)


Audit: TypeAlias = Callable[..., Audited]


@pytest.fixture
def audit(copper_account: Account, catalog: dict[str, Any], unmeasured: None) -> Audit:  # noqa: ARG001 - the audit measures itself
    """Return what compares a database with Copper's account, or with another one, and answers in JSON.

    Streams of Copper's are named by a catalog that has no others: those cost a start of the tap more than it takes.
    """

    def run(database: Loaded, *streams: str, of: Account | None = None, arguments: tuple[str, ...] = ()) -> Audited:
        named: tuple[str, ...] = ("--streams", ",".join(streams)) if streams else ()
        if streams and of is None:
            named += ("--catalog", copper_account.tap.write("catalog", only(catalog, *streams)))
        config = (of or copper_account).config
        return run_audit("--config", config, "--database", database.address, "--json", "-", *named, *arguments)

    return run
