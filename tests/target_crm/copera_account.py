"""A Copera workspace for tests of writing: the sandbox over loopback, with tables that are empty."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.client import CoperaClient
from sandbox.copera import PAT, Shape, copera_app
from sandbox.server import running
from tap_crm import errors
from tap_crm.config.settings import Settings
from tap_crm.contract.connection import connect
from tap_crm.providers import PROVIDERS
from tests.copies import app_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.copera import CoperaSandbox
    from sandbox.copera.schema import BoardTable
    from tap_crm.ledger import Ledger
    from tap_crm.transport.clock import ServerClock
    from tap_crm.transport.question import Question, Reply

T = TypeVar("T")
Record = dict[str, Any]
EMPTY = Shape(
    rows=0, boards=2, tables=7, members=4, documents=0, drive_files=0, comments=0, notifications=0, bookings=0
)
#: The stream of each table.
PEOPLE, COMPANIES, DEALS, LEADS, EVERYTHING = (
    *("sales__people", "sales__companies", "sales__deals", "sales__leads"),
    "projects__everything",
)
_TABLES = {
    PEOPLE: "People",
    COMPANIES: "Companies",
    DEALS: "Deals",
    LEADS: "Leads",
    EVERYTHING: "Everything",
}


class CoperaAccount:
    """What a transport is for the writer, and the sandbox behind it.

    Attributes:
        fault: what goes wrong with requests that write: ``before`` or ``after`` they took effect; None: nothing.
        asked: every request, as method and path, in their order.
        bodies: of the requests that write.
    """

    retry_seconds = 1.0
    latency = 0.0

    def __init__(self, app: CoperaSandbox, url: str) -> None:
        self.app = app
        self.client = CoperaClient(url)
        self.credentials = {"provider": "copera", "api_key": PAT, "api_url": url, "requests_per_minute": 0}
        settings = Settings.from_config(self.credentials, PROVIDERS)
        self._transport = connect(settings, PROVIDERS["copera"], threading.Event())
        self.fault: Callable[[Question, int], str | None] = lambda _question, _number: None
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Record] = []
        self._written = 0
        self._lock = threading.Lock()

    @property
    def clock(self) -> ServerClock:
        """The transport's."""
        return self._transport.clock

    @property
    def now(self) -> float:
        """Epoch seconds of the account."""
        return time.time() + self.app.behaviour.clock_skew

    @now.setter
    def now(self, value: float) -> None:
        self.app.behaviour.clock_skew = value - time.time()

    def ask(self, question: Question, parse: Callable[[Reply], T], ledger: Ledger) -> T:
        """Ask the sandbox, with whatever fault is due."""
        fault = None
        with self._lock:
            self.asked.append((question.method, question.path))
            if question.writes:
                self._written += 1
                self.bodies.append(dict(question.body or {}))
                fault = self.fault(question, self._written)
        if fault == "before":
            raise errors.EffectUnknown(f"{question.label}: no answer in time")
        found = self._transport.ask(question, parse, ledger)
        if fault == "after":
            raise errors.EffectUnknown(f"{question.label}: no answer in time")
        return found

    def settle(self) -> None:
        """Hold nothing."""

    # What tests look at, and prepare

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that were to write something."""
        return [(method, path) for method, path in self.asked if method != "GET"]

    def table(self, stream: str) -> BoardTable:
        """The table of a stream."""
        return self.app.account.table_named(_TABLES[stream])

    def path(self, stream: str) -> str:
        """The path of a table."""
        table = self.table(stream)
        return f"board/{table.board}/table/{table.id}"

    def column(self, stream: str, label: str) -> str:
        """The id of the first column with a label."""
        return next(one.id for one in self.table(stream).columns if one.label == label)

    def option(self, stream: str, label: str, at: int = 0) -> Record:
        """An option of a column."""
        return next(one for one in self.table(stream).columns if one.label == label).options[at]

    def rows(self, stream: str) -> list[Record]:
        """The rows of a table: values by the labels of columns, and the row's own fields."""
        labels = {one.id: one.label for one in reversed(self.table(stream).columns)}
        return [
            {**row, **{labels[one["columnId"]]: one.get("value") for one in row["columns"]}}
            for row in self.client.json(f"{self.path(stream)}/rows")
        ]

    def text(self, stream: str, row: str, label: str = "") -> str:
        """A whole text: of a column, or the row's description."""
        column = f"/column/{self.column(stream, label)}" if label else ""
        return str(self.client.json(f"{self.path(stream)}/row/{row}{column}/md")["content"])

    def set_text(self, stream: str, row: str, label: str, text: str) -> None:
        """Replace the whole text of a column."""
        path = f"{self.path(stream)}/row/{row}/column/{self.column(stream, label)}/md"
        answer = self.client.post(path, {"operation": "replace", "content": text})
        assert answer.ok, answer.text

    def add(self, stream: str, **values: Any) -> Record:  # noqa: ANN401
        """Make a row as a person would; values by the labels of columns."""
        answer = self.client.post(f"{self.path(stream)}/row", {"columns": self._cells(stream, values)})
        assert answer.ok, answer.text
        made: Record = answer.json()
        return made

    def change(self, stream: str, key: str, **values: Any) -> None:  # noqa: ANN401
        """Change a row as a person would."""
        answer = self.client.patch(f"{self.path(stream)}/row/{key}", {"columns": self._cells(stream, values)})
        assert answer.ok, answer.text

    def _cells(self, stream: str, values: Record) -> list[Record]:
        return [{"columnId": self.column(stream, label), "value": value} for label, value in values.items()]

    def add_column(self, stream: str, label: str, kind: str) -> str:
        """Give a table a column."""
        (made,) = self.app.account.change("add_column", {"table": _TABLES[stream], "label": label, "type": kind})
        return str(made)


@contextmanager
def copera_account(**knobs: Any) -> Iterator[CoperaAccount]:  # noqa: ANN401
    """Serve a workspace with empty tables, each with a text column `Our key`, and people with a `Title`."""
    app = app_of(copera_app, Shape, asdict(EMPTY), **{"rate_limit": 0, "create_limit": 0, **knobs})
    with running(app) as url:
        account = CoperaAccount(app, url)
        for stream in _TABLES:
            account.add_column(stream, "Our key", "TEXT")
        account.add_column(PEOPLE, "Title", "TEXT")
        try:
            yield account
        finally:
            account.client.close()
