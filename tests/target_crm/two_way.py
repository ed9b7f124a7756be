"""A warehouse with the tap before it and the target behind it, and a CRM in which people work, too."""

from __future__ import annotations

import io
import json
import re
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from sandbox import close, copper
from sandbox.client import Client
from sandbox.server import running
from tap_crm.errors import CrmError
from target_crm.singer.target import TargetCRM
from tests.singer import Tap, only
from tests.target_crm.close_account import EMPTY
from tests.target_crm.running import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.simulator import Simulator
    from tests.singer import Run

Record = dict[str, Any]

PAGE = Path(__file__).parents[2] / "docs" / "two-way.md"
_SQL = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: So far the CRM's clock is behind at first: it moves on in a test, and is never ahead of the tap's.
BEHIND = 36_000.0


@dataclass
class Words:
    """What a CRM calls what the page calls Copper's people, and what is to be known to write to it."""

    crm: str
    stream: str
    text: str
    other: str
    changed: str
    sql: dict[str, str]
    credentials: Record


COPPER = Words(
    *("copper", "people", "title", "details", "date_modified"),
    sql={},
    credentials={"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
)
CLOSE = Words(
    *("close", "leads", "description", "url", "date_updated"),
    sql={
        "copper.people": "close.leads",
        "copper.writes": "close.writes",
        "'people'": "'leads'",
        "date_modified": "date_updated",
        "title": "description",
        "BIGINT": "VARCHAR",
    },
    credentials={"api_key": close.API_KEY},
)
#: The catalog of each CRM: all tests have an account of one shape.
_CATALOGS: dict[str, Record] = {}


@dataclass
class TwoWay:
    """Everything of one test."""

    words: Words
    app: Simulator
    folder: Path
    config: Record
    state: Record | None = None
    warehouse: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def __post_init__(self) -> None:
        """Make the journal, as the page says, and the catalog."""
        self.client = Client(str(self.config["api_url"]))
        self.write([])
        self.tap = Tap(self.folder, **self.config, journal=str(self.folder / "journal.sqlite"))
        self.tap.inside = True
        if self.words.crm not in _CATALOGS:
            _CATALOGS[self.words.crm] = only(self.tap.discover()[0], self.words.stream, "writes", "sync_audit")
        self.catalog = _CATALOGS[self.words.crm]

    def wait(self, seconds: float = 60.0) -> None:
        """Let time pass in the CRM."""
        self.app.behaviour.clock_skew += seconds

    def person(self, key: Any, **changes: Any) -> None:  # noqa: ANN401
        """Let somebody edit a record in the CRM."""
        assert self.app.account.change("edit", {"object": self.words.stream, "ids": [key], "changes": changes})

    def truth(self, name: str) -> dict[Any, Any]:
        """What a field has in the CRM, by the ids of records."""
        return {row["id"]: row.get(name) for row in self.client.control(f"truth/{self.words.stream}")}

    def writes(self) -> int:
        """How many requests to write came."""
        return sum(self.client.control("stats")["writes"].values())

    # The tap, and the warehouse

    def load(self) -> Run:
        """Read what changed into the warehouse."""
        run = self.tap.sync(state=self.state, catalog=self.catalog)
        self.state = run.state
        load_into(self.warehouse, self.words.crm, run)
        return run

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse, in the words of the page."""
        return self.warehouse.execute(self.worded(query)).fetchall()

    def worded(self, query: str) -> str:
        """Return a query of the page for this CRM."""
        for theirs, ours in self.words.sql.items():
            query = query.replace(theirs, ours)
        return query

    def edit(self, key: Any, text: str) -> None:  # noqa: ANN401
        """Make an edit of the row as it is loaded."""
        self.warehouse.execute(
            self.worded("INSERT INTO edits SELECT id, ?, date_modified FROM copper.people WHERE id = ?"), [text, key]
        )

    def loaded(self, name: str) -> dict[Any, Any]:
        """What a field has in the warehouse, by the ids of records."""
        return dict(self.ask(f"SELECT id, {name} FROM copper.people"))  # noqa: S608 - a field of ours

    def whose(self) -> dict[Any, str]:
        """Whose the last change of each record is."""
        return dict(self.ask("SELECT id, whose FROM whose"))

    # The target

    def outbox(self) -> list[Record]:
        """What is to be sent, as JSON has it."""
        return self.rows("SELECT * FROM outbox")

    def rows(self, query: str) -> list[Record]:
        """The rows of a query, as JSON has them."""
        found = self.warehouse.execute(self.worded(query))
        names = [one[0] for one in found.description or ()]
        return [{name: _as_json(value) for name, value in zip(names, row, strict=True)} for row in found.fetchall()]

    def write(self, rows: list[Record], **settings: Any) -> dict[Any, str]:  # noqa: ANN401
        """Send rows by the target; returns their outcomes by key."""
        report = self.folder / "report.jsonl"
        report.unlink(missing_ok=True)
        config = {
            **self.config,
            "journal": str(self.folder / "journal.sqlite"),
            "report": str(report),
            "lookup_seconds": 1,
            "streams": {self.words.stream: {"mode": "update", "conflict": "skip"}},
            **settings,
        }
        messages = records(self.words.stream, *rows) if rows else []
        text = "".join(json.dumps(message) + "\n" for message in messages)
        with redirect_stdout(io.StringIO()), suppress(CrmError):
            TargetCRM(config=config).run(io.StringIO(text))
        lines = report.read_text("utf-8").splitlines() if report.exists() else []
        return {line["key"]: line["outcome"] for line in map(json.loads, lines)}


def load_into(warehouse: duckdb.DuckDBPyConnection, schema: str, run: Run) -> None:
    """Write what a run of the tap wrote into tables, as a loader does."""
    warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for stream, message in run.schemas.items():
        kinds = {name: _sql_type(part) for name, part in message["schema"]["properties"].items()}
        table = f'{schema}."{stream}"'
        keys = ", ".join(message["key_properties"])
        columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        warehouse.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({keys}))")
        statement = f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(kinds))})"  # noqa: S608 - a schema's
        rows = [[_stored(record.get(name)) for name in kinds] for record in run.records(stream)]
        if rows:
            warehouse.executemany(statement, rows)


def _sql_type(part: Record) -> str:
    if part.get("format") == "date-time":
        return "TIMESTAMP"
    types = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}
    return next((types[name] for name in types if name in part.get("type", ())), "JSON")


def _stored(value: Any) -> Any:  # noqa: ANN401
    return json.dumps(value, default=str) if isinstance(value, (dict, list)) else value


def _as_json(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, (int, str)) or value is None else str(value)


@contextmanager
def two_way(name: str, folder: Path) -> Iterator[TwoWay]:
    """Serve a CRM with six records, and what goes there and back; the page's tables and views are made when loaded."""
    words = {"copper": COPPER, "close": CLOSE}[name]
    app: Simulator
    if name == "copper":
        shape = copper.Shape(people=6, companies=0, opportunities=0, leads=0, projects=0, tasks=0, activities=0)
        app = copper.copper_app(shape, rate_limit=0, bulk_rate_limit=0, clock_skew=-BEHIND)
    else:
        app = close.close_app(replace(EMPTY, leads=6), rate_limit=0, clock_skew=-BEHIND)
    with running(app) as url:
        config = {"provider": name, "api_url": url, "requests_per_minute": 0, **words.credentials}
        both = TwoWay(words, app, folder, config)
        both.load()
        for query in _SQL.findall(PAGE.read_text("utf-8")):
            if query.startswith("CREATE"):
                both.ask(query)
        yield both
        both.client.close()
        both.warehouse.close()


def lost_edits() -> str:
    """The page's query for edits that lost."""
    queries: list[str] = _SQL.findall(PAGE.read_text("utf-8"))
    return next(query for query in queries if query.startswith("SELECT edits"))
