"""The twelve accounts of `./scripts/test-airflow`: how each is served, what happens to it, and what is loaded of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg import sql

from sandbox.client import Client
from sandbox.close import API_KEY as CLOSE_KEY
from sandbox.close import close_app
from sandbox.close.shape import Shape as CloseShape
from sandbox.copera import PAT, copera_app
from sandbox.copera.shape import Shape as CoperaShape
from sandbox.copper import API_KEY, USER_EMAIL, copper_app
from sandbox.copper import Shape as CopperShape
from sandbox.server import running
from scripts.demo_close import CLOSE
from scripts.demo_compare import Comparison, compared, keyed, versions
from scripts.demo_copera import COPERA
from scripts.demo_copper import COPPER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scripts.demo_crm import Crm, Table

#: Copera's tables as their streams are called without the setting `tables`.
_NAMES = {
    "leads": "sales__leads",
    "people": "sales__people",
    "companies": "sales__companies",
    "opportunities": "sales__deals",
}
CRMS: Mapping[str, Crm] = {"copper": COPPER, "close": CLOSE, "copera": COPERA}
CREDENTIALS = {"copper": (USER_EMAIL, API_KEY), "close": ("", CLOSE_KEY), "copera": ("", PAT)}
EDITED = {"copper": "people", "close": "leads", "copera": "Deals"}


def tables_of(crm: str) -> dict[str, Table]:
    """Return what is compared of a CRM, by stream."""
    tables = CRMS[crm].tables
    return {_NAMES.get(name, name): table for name, table in tables.items()} if crm == "copera" else dict(tables)


def _app(crm: str) -> Any:  # noqa: ANN401 - the CRM's own server
    if crm == "copper":
        few = CopperShape(people=300, companies=60, opportunities=60, leads=60, activities=150, tasks=30, projects=10)
        return copper_app(few, rate_limit=0)
    if crm == "close":
        few_leads = CloseShape(leads=200, contacts=200, opportunities=60, tasks=40, activities=200, events=100)
        return close_app(few_leads, rate_limit=0)
    return copera_app(CoperaShape(boards=1, tables=4, rows=200, documents=10, drive_files=10), rate_limit=0)


@dataclass
class Account:
    """An account, and what is expected of its loads in the first night.

    Attributes:
        name: of the account.
        crm: whose it is.
        event: what happens to it.
        row: further columns of the list of accounts.
        states: what becomes of each of its tasks.
        tries: how many attempts each takes.
        streams: what is loaded of it; None for everything.
    """

    name: str
    crm: str
    event: str = "nothing"
    row: Mapping[str, Any] = field(default_factory=dict)
    states: tuple[str, ...] = ("success",)
    tries: tuple[int, ...] = (1,)
    streams: tuple[str, ...] | None = None
    app: Any = None
    url: str = ""

    @property
    def schema(self) -> str:
        """Where it is loaded."""
        return self.name.replace("-", "_")

    @property
    def tasks(self) -> list[str]:
        """What its tasks are called."""
        parts = self.row.get("parts")
        return [f"{self.name}/{part}" for part in parts] if parts else [self.name]

    def listed(self) -> dict[str, Any]:
        """Return its row in the list of accounts."""
        return {"account": self.name, "crm": self.crm, "requests_per_minute": "0", **self.row}


def accounts() -> list[Account]:
    """Return all twelve."""
    parts = {"people": ["people", "companies"], "rest": ["!people", "!companies"]}
    few = ("boards", "tables", "columns")
    return [
        Account("acme-1", "copper"),
        Account("acme-2", "copper", "wrong key", states=("failed",), streams=()),
        Account("acme-3", "copper", "killed", tries=(2,)),
        Account("acme-4", "copper", "in two parts", {"parts": parts}, ("success",) * 2, (1, 1)),
        Account("acme-5", "copper", "by Meltano", {"way": "meltano"}),
        Account("bell-1", "close"),
        Account("bell-2", "close", "CRM fails at first", tries=(2,)),
        Account("bell-3", "close", "twice at once"),
        Account("bell-4", "close", "by Meltano", {"way": "meltano"}),
        Account("core-1", "copera"),
        Account("core-2", "copera", "some streams", {"streams": list(few)}, streams=few),
        Account("core-3", "copera", "by Meltano", {"way": "meltano"}),
    ]


class Served:
    """Serves accounts from threads of this process."""

    def __init__(self, served: Iterable[Account]) -> None:
        self._accounts = list(served)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin to serve."""
        for one in self._accounts:
            one.app = _app(one.crm)
            one.url = self._stack.enter_context(running(one.app))
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._stack.close()


def edit(account: Account, count: int) -> None:
    """Let people edit an account."""
    client = Client(account.url)
    client.control("edit", {"object": EDITED[account.crm], "count": count})
    client.close()


def compare(account: Account, database: str, streams: tuple[str, ...] | None) -> list[Comparison]:
    """Compare every table of an account with what it has; of the streams alone if some are given."""
    client = Client(account.url)
    tables = {name: one for name, one in tables_of(account.crm).items() if streams is None or name in streams}
    with psycopg.connect(database) as connection:
        connection.execute("SET timezone TO 'UTC'")
        found = [
            compared(name, versions(table, client), _rows(connection, account.schema, name, table))
            for name, table in tables.items()
        ]
    client.close()
    return found


def loaded_besides(account: Account, database: str, streams: tuple[str, ...] | None) -> list[str]:
    """Return the tables with rows that none of some streams has; none where all streams are loaded."""
    if streams is None:
        return []
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [account.schema]).fetchall()
        besides = sorted({str(row[0]) for row in found} - {*streams, "sync_audit"})
        return [name for name in besides if _has_rows(connection, account.schema, name)]


def _has_rows(connection: psycopg.Connection[tuple[Any, ...]], schema: str, name: str) -> bool:
    asked = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(schema, name))
    return connection.execute(asked).fetchone() is not None


def _rows(
    connection: psycopg.Connection[tuple[Any, ...]], schema: str, name: str, table: Table
) -> list[tuple[Any, Any]]:
    place = sql.Identifier(schema, name)
    try:
        with connection.transaction():
            cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(place))
    except psycopg.errors.UndefinedTable:  # nothing was loaded
        return []
    names = [column.name.lower() for column in cursor.description or ()]
    at = [names.index(column.lower()) for column in table.columns]
    return [keyed(table, [row[number] for number in at]) for row in cursor.fetchall()]
