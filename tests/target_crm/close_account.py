"""A Close account for tests of writing: the sandbox over loopback, with faults and a record of what was asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.client import CloseClient
from sandbox.close import API_KEY, Shape, close_app
from sandbox.server import running
from tap_crm import errors
from tap_crm.config.settings import Settings
from tap_crm.contract.connection import connect
from tap_crm.providers import PROVIDERS
from tests.copies import app_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.close import CloseSandbox
    from tap_crm.ledger import Ledger
    from tap_crm.transport.clock import ServerClock
    from tap_crm.transport.question import Question, Reply

T = TypeVar("T")
Record = dict[str, Any]
EMPTY = Shape(
    leads=0,
    contacts=0,
    opportunities=0,
    tasks=0,
    activities=0,
    events=0,
    sequence_subscriptions=0,
    custom_objects=0,
    custom_fields=0,
    comments=0,
    small_lists=2,
)
#: Where the records of an object are made.
PATHS = {
    "leads": "lead",
    "contacts": "contact",
    "opportunities": "opportunity",
    "tasks": "task",
    "notes": "activity/note",
    "calls": "activity/call",
    "custom_activities": "activity/custom",
    "custom_objects": "custom_object",
    "comments": "comment",
    "unsubscribed_emails": "unsubscribe/email",
}


class CloseAccount:
    """What a transport is for the writer, and the sandbox behind it.

    Attributes:
        fault: what goes wrong with requests that write: ``before`` or ``after`` they took effect; None: nothing.
        asked: every request, as method and path, in their order.
        bodies: of the requests that write.
        keys: by the kind of record, the custom field `Our key`.
    """

    retry_seconds = 1.0
    latency = 0.0

    def __init__(self, app: CloseSandbox, url: str) -> None:
        self.app = app
        self.client = CloseClient(url)
        self.credentials = {"provider": "close", "api_key": API_KEY, "api_url": url, "requests_per_minute": 0}
        settings = Settings.from_config(self.credentials, PROVIDERS)
        self._transport = connect(settings, PROVIDERS["close"], threading.Event())
        self.fault: Callable[[Question, int], str | None] = lambda _question, _number: None
        self.after_write: Callable[[], None] = lambda: None
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Record] = []
        self.keys: dict[str, str] = {}
        self._writes = 0
        self._lock = threading.RLock()

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
                self._writes += 1
                self.bodies.append(dict(question.body or {}))
                fault = self.fault(question, self._writes)
        if fault == "before":
            raise errors.EffectUnknown(f"{question.label}: no answer in time")
        found = self._transport.ask(question, parse, ledger)
        if question.writes:
            self.after_write()
        if fault == "after":
            raise errors.EffectUnknown(f"{question.label}: no answer in time")
        return found

    def settle(self) -> None:
        """Hold nothing."""

    # What tests look at, and prepare

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that were to write something."""
        return [(method, path) for method, path in self.asked if method != "GET" and "search" not in path]

    def reads(self) -> int:
        """How many requests read."""
        return len(self.asked) - len(self.writes)

    def rows(self, name: str) -> list[Record]:
        """The records of an object, as the API gives them."""
        return self.client.everything(PATHS[name], **({"_type": "all"} if name == "tasks" else {}))

    def one(self, name: str, key: str) -> Record:
        """One record."""
        answer = self.client.get(f"{PATHS[name]}/{key}")
        answer.raise_for_status()
        found: Record = answer.json()
        return found

    def counted(self, name: str, field: str) -> Counter[Any]:
        """How often each value of a field is there."""
        return Counter(row.get(field) for row in self.rows(name))

    def add(self, name: str, /, **fields: Any) -> Record:  # noqa: ANN401
        """Make a record as a person would."""
        answer = self.client.post(PATHS[name], fields)
        assert answer.ok, answer.text
        found: Record = answer.json()
        return found

    def change(self, name: str, key: str, /, **fields: Any) -> Record:  # noqa: ANN401
        """Change a record as a person would."""
        answer = self.client.put(f"{PATHS[name]}/{key}", fields)
        assert answer.ok, answer.text
        found: Record = answer.json()
        return found

    def define(self, kind: str, name: str, sort: str, *, many: bool = False, choices: list[str] | None = None) -> str:
        """Give an object a custom field; return its id."""
        values = self.app.account.source.custom
        one = values.definition(kind, name, sort, many=many, created=1_700_000_000_000_000)
        one |= values.of_type(sort, choices)
        self.app.account.lists["custom_fields"].append(one)
        return str(one["id"])


@contextmanager
def close_account(**knobs: Any) -> Iterator[CloseAccount]:  # noqa: ANN401
    """Serve an empty account, with a text field `Our key` on the objects that can have one."""
    app = app_of(close_app, Shape, asdict(EMPTY), rate_limit=0, **knobs)
    with running(app) as url:
        account = CloseAccount(app, url)
        account.keys = {kind: account.define(kind, "Our key", "text") for kind in ("lead", "contact", "opportunity")}
        try:
            yield account
        finally:
            account.client.close()
