"""Deletions, merges and conversions in an account, between the runs of an extractor and while one reads."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox import close, copera, copper
from sandbox.client import Client
from sandbox.server import running
from scripts.demo_compare import Comparison, Versions, compared, keyed, versions
from scripts.demo_run import CRMS
from tests.audit.loaded import Audited, run_audit
from tests.meltano.databases import MARKED
from tests.meltano.piped import Piped
from tests.singer import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sandbox.simulator import Moment, Simulator
    from scripts.demo_compare import Key
    from scripts.demo_crm import Crm
    from tests.meltano.databases import Loaded
    from tests.meltano.project import Project

Order = tuple[str, dict[str, Any]]
STREAMS = {
    "copper": ("people", "companies", "leads", "opportunities", "activities"),
    "close": ("leads", "contacts", "opportunities", "tasks", "notes"),
    "copera": ("leads", "companies", "members"),
}
#: Objects that lose records, and their parts of all deletions; records that hang on a deleted one go with it.
DELETED = {
    "copper": {"people": 0.4, "companies": 0.1, "leads": 0.1, "opportunities": 0.1, "activities": 0.3},
    "close": {"leads": 0.2, "contacts": 0.3, "opportunities": 0.1, "tasks": 0.1, "notes": 0.3},
    "copera": {"Leads": 0.65, "Companies": 0.3, "members": 0.05},
}
#: Objects of which two become one, and their parts of all merges.
MERGED = {"copper": {"people": 0.7, "companies": 0.3}, "close": {"leads": 1.0}, "copera": {}}
_CREDENTIALS = {
    "copper": {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
    "close": {"api_key": close.API_KEY},
    "copera": {"api_key": copera.PAT, "tables": json.loads(CRMS["copera"].settings["TAP_COPERA_TABLES"])},
}
#: What a discovery asks for once, and then a sync.
_OPENING = {"copper": "custom_field_definitions", "close": "custom_field/lead", "copera": "board/list-boards"}
_STEPS = 3
"""Answers of a run before which an account changes."""


@dataclass(frozen=True)
class Sizes:
    """How large an account is, and how much of it goes."""

    records: int = 110
    """Of its largest stream: more than a page."""
    deletions: int = 36
    merges: int = 8
    conversions: int = 8

    def app(self, crm: str) -> Simulator:
        """Make a server of such an account."""
        most, quarter = self.records, self.records // 4
        few: Any = {"custom_fields": 3}
        if crm == "copper":
            small: Any = {"people": most, "companies": quarter, "leads": quarter, "opportunities": quarter}
            shape = copper.Shape(**small, activities=most // 2, **few)
            return copper.copper_app(shape, rate_limit=0, page_cap=most // 2)
        if crm == "close":
            small = {"contacts": most, "opportunities": quarter, "tasks": quarter, "activities": {"notes": most // 2}}
            few |= {"events": 30, "custom_objects": 3, "sequence_subscriptions": 3}
            return close.close_app(close.Shape(leads=most * 3 // 4, **small, **few), rate_limit=0)
        rows = {"Leads": most, "Companies": quarter, "People": 40, "Deals": 40}
        return copera.copera_app(replace(copera.SMALL, boards=1, tables=4, rows=rows, members=60), rate_limit=0)

    def orders(self, crm: str) -> list[Order]:
        """Return what is ordered of an account, in small parts that take turns."""
        lists = [_parts("delete", {"object": name}, self.deletions * part) for name, part in DELETED[crm].items()]
        lists += [_parts("merge", {"object": name}, self.merges * part) for name, part in MERGED[crm].items()]
        lists += [_parts("convert", {}, self.conversions)] if crm == "copper" else []
        return [order for orders in zip(*lists, strict=True) for order in orders]


def _parts(verb: str, order: dict[str, Any], count: float) -> list[Order]:
    """Cut an order of so many records into one for each step, and one for the time before."""
    whole, parts = round(count), 2 * _STEPS
    return [(verb, {**order, "count": whole * (n + 1) // parts - whole * n // parts}) for n in range(parts)]


@dataclass
class Table:
    """What a table holds.

    Attributes:
        rows: keys and versions of the rows that are not marked as deleted.
        marked: keys of those that are.
    """

    rows: list[tuple[Key, tuple[object, ...]]]
    marked: list[Key]

    @property
    def keys(self) -> set[Key]:
        """Keys of the rows that are not marked."""
        return {key for key, _ in self.rows}


@dataclass
class Story:
    """An account that is loaded by all loaders, loses records, and is loaded again.

    Args:
        crm: whose account.
        app: serves it.
        loading: runs its extractor.
        folder: for files.
    """

    crm: Crm
    app: Any
    loading: Piped
    folder: Path
    waiting: deque[Order] = field(default_factory=deque)

    @property
    def streams(self) -> tuple[str, ...]:
        """What is read."""
        return STREAMS[self.crm.name]

    def run(self, **environment: str) -> None:
        """Run the extractor once."""
        self.app.stats.reset()
        self.loading.run(**environment)

    def run_meanwhile(self, orders: list[Order]) -> None:
        """Run the extractor while the account changes; everything ordered is done before the run is over."""
        self.waiting.extend(orders)
        end = self.app.on_answer(partial(self._change, len(orders) // _STEPS))
        self.run()
        end()
        assert not self.waiting

    def order(self, *orders: Order) -> None:
        """Change the account."""
        for verb, order in orders:
            if order["count"]:
                assert self.app.account.change(verb, order), (verb, order)

    def remove(self) -> None:
        """Take out what is gone where the loader does not do so itself."""
        for database in self.loading.databases:
            if not database.activates:
                for stream in self.streams:
                    database.execute(self.crm.removal(stream))

    def living(self) -> dict[str, Versions]:
        """Return what the CRM has."""
        client = Client(self.loading.url)
        found = {stream: versions(self.crm.tables[stream], client) for stream in self.streams}
        client.close()
        return found

    def tables(self, database: Loaded) -> dict[str, Table]:
        """Return what is loaded into a database."""
        return {stream: self._table(database, stream) for stream in self.streams}

    def compared(self, living: dict[str, Versions], tables: dict[str, Table]) -> list[Comparison]:
        """Compare the rows that are not marked with what the CRM has."""
        return [compared(stream, living[stream], tables[stream].rows) for stream in self.streams]

    def audit(self, database: Loaded) -> Audited:
        """Compare a database with the CRM by the tap's own command."""
        name = self.crm.name
        config = {"provider": name, "api_url": self.loading.url, "requests_per_minute": 0, **_CREDENTIALS[name]}
        file = Tap(self.folder).write("config", config)
        return run_audit(
            *("--config", file, "--database", database.address, "--json", "-"),
            *("--streams", ",".join(self.streams)),
        )

    def drop_one(self, database: Loaded, stream: str) -> str:
        """Remove a row that is not marked by hand; returns its key."""
        (name,) = self.crm.tables[stream].primary_key
        key = min(self._table(database, stream).keys)[0]
        database.execute(f"DELETE FROM {self.crm.schema}.{stream} WHERE {name} = '{key}'")  # noqa: S608
        return str(key)

    def _table(self, database: Loaded, stream: str) -> Table:
        table = self.crm.tables[stream]
        columns = ", ".join(f'"{name}"' for name in table.columns)
        found = database.ask(f"SELECT {columns}, {MARKED} FROM {self.crm.schema}.{stream}")  # noqa: S608
        rows = [(keyed(table, row[:-1]), row[-1]) for row in found]
        return Table([row for row, marked in rows if not marked], [row[0] for row, marked in rows if marked])

    def _change(self, count: int, moment: Moment) -> None:
        """Carry out some orders before an answer that has records of the streams that are read."""
        if moment.when == "after" or not self._is_of_sync(moment.request.path):
            return
        if self.waiting:
            self.order(*(self.waiting.popleft() for _ in range(min(count, len(self.waiting)))))

    def _is_of_sync(self, path: str) -> bool:
        """Whether it asks for records, and no discovery does."""
        is_under_way = self.app.stats.by_path.get(_OPENING[self.crm.name], 0) > 1
        return is_under_way and _is_of_records(self.crm.name, path)


@dataclass
class End:
    """What a story came to in one database.

    Attributes:
        database: that one.
        first: what was loaded by the first run.
        unreconciled: the comparison after the second run, during which records went.
        tables: what is in the database after the third, which reads everything.
        living: what the CRM has.
        audit: what the audit said of it.
        dropped: the key of a row that was then removed by hand.
        audit_of_less: what the audit said after that.
    """

    story: Story
    database: Loaded
    first: dict[str, Table]
    unreconciled: list[Comparison]
    tables: dict[str, Table]
    living: dict[str, Versions]
    audit: Audited
    dropped: str
    audit_of_less: Audited

    @property
    def comparisons(self) -> list[Comparison]:
        """Compare what is not marked at the end."""
        return self.story.compared(self.living, self.tables)


def told(
    project: Project, crm: str, databases: Sequence[Loaded], folder: Path, sizes: Sizes
) -> Iterator[dict[str, End]]:
    """Load an account, let records go before and during the next run, then read everything; the server goes on.

    Returns:
        What came of it in each database, by its loader.
    """
    app = sizes.app(crm)
    with running(app) as url:
        story = Story(CRMS[crm], app, Piped(project, folder, CRMS[crm], url, tuple(databases), STREAMS[crm]), folder)
        story.run()
        first = [story.tables(one) for one in databases]
        orders = sizes.orders(crm)
        before = len(orders) // 2
        story.order(*orders[:before])
        story.run_meanwhile(orders[before:])
        living = story.living()
        unreconciled = [story.compared(living, story.tables(one)) for one in databases]
        story.run(**({} if crm == "copera" else story.crm.reconciling))
        story.remove()
        living = story.living()
        yield {
            database.loader: _end(story, database, living, before, between)
            for database, before, between in zip(databases, first, unreconciled, strict=True)
        }


def _end(
    story: Story, database: Loaded, living: dict[str, Versions], first: dict[str, Table], unreconciled: list[Comparison]
) -> End:
    """Look at a database, and once more after one of its rows was removed by hand."""
    tables, audit = story.tables(database), story.audit(database)
    dropped = story.drop_one(database, story.streams[0])
    return End(story, database, first, unreconciled, tables, living, audit, dropped, story.audit(database))


def _is_of_records(crm: str, path: str) -> bool:
    if crm == "copper":
        return path.endswith("/search")
    if crm == "close":
        return path in {"data/search", "opportunity", "task", "activity/note", "activity", "event"}
    return path.endswith(("/rows", "/members"))
