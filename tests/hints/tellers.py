"""Events as each CRM sends them, put straight into an inbox."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.client import Client, CloseClient
from tap_crm.inbox.entries import Delivery, Subscription
from tap_crm.inbox.spool import Spool
from tap_crm.providers import PROVIDERS
from tests.contract.crms import CRMS
from tests.inbox.serving import COPPER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.contract.crm import Crm


class Teller(ABC):
    """A CRM that tells of what happens.

    Attributes:
        crm: as the contract's tests see it.
        streams: two streams of which it tells.
        shape: a small account of these.
        delay: seconds after which an event that has not come is missed.
        logless: knobs without a log of the CRM's own that tells of deletions.
    """

    crm: ClassVar[Crm]
    streams: ClassVar[tuple[str, str]]
    shape: ClassVar[dict[str, Any]]
    delay: ClassVar[int]
    logless: ClassVar[dict[str, Any]] = {}

    @abstractmethod
    def forged(self, number: int) -> Any:  # noqa: ANN401 - as the CRM has it
        """Return the id of no record."""

    @abstractmethod
    def events(self, app: Any, stream: str, keys: Iterable[Any], what: str = "update") -> list[bytes]:  # noqa: ANN401
        """Return the bodies of events: something happened to these records (`new`, `update` or `delete`)."""

    @abstractmethod
    def subscribe(self, url: str, receiver: str, told: Told) -> None:
        """Have the CRM's server at one address send its events to a receiver at another one."""


class Copper(Teller):
    """Ids and nothing else."""

    crm = CRMS["copper"]
    streams = ("people", "companies")
    shape: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("people", "companies", "activities", "leads"), 40),
        **dict.fromkeys(("opportunities", "projects", "tasks", "tags"), 3),
    }
    delay = 900
    types: ClassVar[dict[str, str]] = {
        "people": "person",
        "companies": "company",
        "leads": "lead",
        "activities": "activity_log",
    }

    def forged(self, number: int) -> int:
        """Return an id that is far from all others."""
        return 4_000_000_000 + number

    def events(self, app: Any, stream: str, keys: Iterable[Any], what: str = "update") -> list[bytes]:  # noqa: ANN401, ARG002
        """Return one notification a record."""
        told = {"type": self.types[stream], "event": what, "subscription_id": 7, "timestamp": "2026-01-02T03:04:05Z"}
        return [json.dumps({"ids": [key], **told}).encode() for key in keys]

    def subscribe(self, url: str, receiver: str, told: Told) -> None:  # noqa: ARG002
        """Make a subscription for each type and event."""
        client = Client(url)
        for stream in self.streams:
            for event in ("new", "update", "delete"):
                what = {"target": receiver, "type": self.types[stream], "event": event, "headers": COPPER}
                assert client.post("webhooks", what).ok
        client.close()


class Close(Teller):
    """Whole entries of the event log."""

    crm = CRMS["close"]
    streams = ("leads", "contacts")
    shape: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("leads", "contacts"), 40),
        **dict.fromkeys(("opportunities", "tasks", "events"), 3),
        "activities": {"notes": 20},
    }
    delay = 300
    logless: ClassVar[dict[str, Any]] = {"forbidden": ["event"]}
    actions: ClassVar[dict[str, str]] = {"new": "created", "update": "updated", "delete": "deleted"}

    def forged(self, number: int) -> str:
        """Return an id that Close would never give."""
        return f"lead_{number}"

    def events(self, app: Any, stream: str, keys: Iterable[Any], what: str = "update") -> list[bytes]:  # noqa: ANN401
        """Return the newest entry of the log for each record, or one that says nothing of it."""
        log = {
            row.object_id: row.raw for row in app.account.log.table.living.values() if row.action == self.actions[what]
        }
        found = []
        for key in keys:
            event = json.loads(log[key]) if key in log else self._made_up(stream, key, self.actions[what])
            found.append(json.dumps({"event": event, "subscription_id": "whsub_7"}).encode())
        return found

    def _made_up(self, stream: str, key: str, action: str) -> dict[str, Any]:
        kind = {"notes": "activity.note", "opportunities": "opportunity"}.get(stream, stream.removesuffix("s"))
        at = "2026-01-02T03:04:05.678000"
        return {"id": "ev_7", "object_type": kind, "object_id": key, "action": action, "date_updated": at, "data": {}}

    def subscribe(self, url: str, receiver: str, told: Told) -> None:
        """Make one subscription, and keep the key with which its events are signed."""
        client = CloseClient(url)
        kinds, actions = ("lead", "contact"), ("created", "updated", "deleted", "merged")
        events = [{"object_type": kind, "action": action} for kind in kinds for action in actions]
        hook = client.post("webhook", {"url": receiver, "events": events}).json()
        client.close()
        made = datetime.now(UTC)
        told.spool.remember(Subscription("close", hook["id"], "all", made, receiver, hook["signature_key"]))


TELLERS = {"copper": Copper(), "close": Close()}


class Told:
    """An inbox in a file.

    Args:
        folder: where it lies.
        provider: whose events arrive.
    """

    def __init__(self, folder: Path, provider: str) -> None:
        self.path = str(folder / "inbox.sqlite")
        self.provider = provider
        self.behind = timedelta(0)
        self.spool = Spool.open(self.path, now=self._now)

    def _now(self) -> datetime:
        return datetime.now(UTC) - self.behind

    def make_anew(self, behind: timedelta) -> None:
        """Remove the inbox, and make another one in its place, whose clock is behind."""
        self.spool.close()
        for end in ("", "-wal", "-shm"):
            Path(f"{self.path}{end}").unlink(missing_ok=True)
        self.behind = behind
        self.spool = Spool.open(self.path, now=self._now)

    def make_good(self) -> None:
        """Let the clock be right again."""
        self.behind = timedelta(0)

    def tell(self, bodies: Iterable[bytes], provider: str | None = None) -> int:
        """Let events arrive; return the last place."""
        now = datetime.now(UTC)
        return self.spool.append([Delivery(provider or self.provider, body, now) for body in bodies])

    def keys(self, stream: str) -> set[Any]:
        """Return the keys of the records of a stream of which events have arrived."""
        rules = PROVIDERS[self.provider].hints
        assert rules is not None
        events = self.spool.read(self.provider, 0, 10_000)
        return {hint.key for one in events for hint in rules.parse(one.body) or () if hint.stream == stream}
