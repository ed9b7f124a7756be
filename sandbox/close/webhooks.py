"""Deliveries of events to those who subscribed (page "webhooks"): signed, retried, paused after failures."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sandbox.close.moments import SECOND, bare
from sandbox.deliveries.delivery import Post
from sandbox.deliveries.sender import succeeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.close.behaviour import Behaviour
    from sandbox.close.events import EventLog, EventRow
    from sandbox.deliveries.deliveries import Deliveries
    from sandbox.deliveries.delivery import Delivery
    from sandbox.exchange import Record

_FIRST_RETRY, _LONGEST_RETRY = 60.0, 1_200.0
_HISTORY = 10
_CONSOLIDATED = ("updated", "deleted")


@dataclass(slots=True)
class Health:
    """How the deliveries of a subscription go."""

    signature_key: str
    first_fail: int = 0
    first_success: int = 0
    retry_success: int = 0
    errors: list[Any] = field(default_factory=list[Any])
    successes: list[Any] = field(default_factory=list[Any])
    failing_since: float | None = None
    failures: int = 0
    """Since the last success."""

    def note(self, delivery: Delivery, moment: str) -> None:
        """Count the last attempt of a delivery."""
        last = delivery.attempts[-1]
        entry = {
            "attempt_number": len(delivery.attempts),
            "datetime": moment,
            "error": last.error or None,
            "event_id": delivery.tells["id"],
            "response_status_code": last.status or None,
        }
        first = len(delivery.attempts) == 1
        if succeeded(last.status):
            self.first_success += first
            self.retry_success += not first
            self.successes = [*self.successes, entry][-_HISTORY:]
            self.failures, self.failing_since = 0, None
        else:
            self.first_fail += first
            self.errors = [*self.errors, entry][-_HISTORY:]
            self.failures += 1
            self.failing_since = last.at if self.failing_since is None else self.failing_since


class Organization(Protocol):
    """What deliveries need of an organization."""

    behaviour: Behaviour
    lists: dict[str, list[Record]]
    log: EventLog
    clock: Callable[[], float]

    def now(self) -> int:
        """Read the clock in microseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What there was before changes that are taken back."""

    count: int
    health: dict[str, Health]
    waiting: list[tuple[Delivery, bytes, Record]]


class Webhooks:
    """Sends what is written to the event log. Every method is called with the organization locked.

    Args:
        organization: whose events are sent.
        deliveries: what sends the events.
    """

    def __init__(self, organization: Organization, deliveries: Deliveries) -> None:
        self.organization = organization
        self.deliveries = deliveries
        self.health: dict[str, Health] = {}
        """By the ids of the subscriptions that were made through the API."""
        organization.log.written = self.written

    def written(self, row: EventRow) -> None:
        """Send an event to every subscription that names it; one that still waits is replaced."""
        knobs = self.organization.behaviour
        for hook in self.organization.lists["webhooks"]:
            told = any((one["object_type"], one["action"]) == (row.kind, row.action) for one in hook["events"])
            if not told or not self.deliveries.reaches(hook["url"]):
                continue
            tells = {"id": row.id, "object_type": row.kind, "action": row.action, "object_id": row.object_id}
            tells["date_updated"] = bare(row.updated)
            waits = self.deliveries.unsent(hook["id"], row.id)
            if waits:
                waits.content, waits.tells = row.raw, tells
                continue
            wait = knobs.webhook_consolidation if row.action in _CONSOLIDATED else 0.0
            lost = "paused" if hook["status"] == "paused" and knobs.paused_events == "dropped" else ""
            self.deliveries.make(hook["id"], tells, row.raw, wait=wait, lost=lost)
            if self.deliveries.backlog(hook["id"]) >= knobs.webhook_backlog:
                self._pause(hook, "backlog")

    def kept(self) -> Kept:
        """Give what `take_back` needs."""
        waiting = [(one, one.content, one.tells) for one in self.deliveries.log if one.outcome == "waiting"]
        return Kept(len(self.deliveries.log), dict(self.health), waiting)

    def take_back(self, kept: Kept) -> None:
        """Forget what was sent and subscribed since."""
        self.deliveries.take_back(kept.count)
        self.health = kept.health
        for one, content, tells in kept.waiting:
            one.content, one.tells = content, tells

    def activated(self, number: str) -> None:
        """Go on with a subscription that was paused."""
        if health := self.health.get(number):
            health.failures, health.failing_since = 0, None
        self.deliveries.resume(number, drop=self.organization.behaviour.paused_events == "dropped")

    def shown(self, number: str) -> Record:
        """Give what a subscription shows of its health."""
        health = self.health.get(number)
        if health is None:
            return {}
        always = self.organization.behaviour.signature_keys_shown == "always"
        counters = {name: getattr(health, name) for name in ("first_fail", "first_success", "retry_success")}
        return {
            "health_status": "failing" if health.failures else "healthy",
            "latest_error": health.errors[-1] if health.errors else None,
            "counters": counters,
            "history": {"errors": health.errors, "successes": health.successes},
            "recent_consecutive_fail_buckets_cnt": health.failures,
        } | ({"signature_key": health.signature_key} if always else {})

    def state(self, delivery: Delivery) -> str:
        """Say whether a delivery may be attempted."""
        hook = self._hook(delivery)
        if hook is None:
            return "subscription deleted"
        return "paused" if hook["status"] == "paused" else "ready"

    def post(self, delivery: Delivery, *, right: bool) -> Post:
        """Make a signed request of an event."""
        hook = self._hook(delivery) or {}
        health = self.health.get(hook["id"])
        key = bytes.fromhex(health.signature_key if health else hook["signature_key"])
        body = msgspec.json.encode({"event": msgspec.Raw(delivery.content), "subscription_id": hook["id"]})
        moment = str(int(self.organization.clock() - self.organization.behaviour.events.stale))
        signature = hmac.new(key if right else key[::-1] + b"?", moment.encode() + body, hashlib.sha256).hexdigest()
        headers = {"close-sig-hash": signature, "close-sig-timestamp": moment}
        return Post(hook["url"], body, headers, verify=bool(hook["verify_ssl"]))

    def again(self, delivery: Delivery, now: float) -> float | None:
        """Retry a failed delivery in growing gaps for 72 hours; pause after three days of nothing but failures."""
        knobs, hook = self.organization.behaviour, self._hook(delivery)
        health = self.health.get(str(delivery.subscription))
        if health:
            health.note(delivery, bare(int(now * SECOND)))
        if succeeded(delivery.attempts[-1].status):
            return None
        since = health.failing_since if health else None
        if hook and since is not None and now - since >= knobs.webhook_pause_seconds:
            self._pause(hook, "failures")
        due: float = now + min(_FIRST_RETRY * 2 ** min(len(delivery.attempts) - 1, 10), _LONGEST_RETRY)
        if due > delivery.made + knobs.webhook_retry_seconds:
            delivery.reason = "dropped"
            return None
        return due

    def _pause(self, hook: Record, reason: str) -> None:
        if hook["status"] != "paused":
            hook |= {"status": "paused", "pause_reason": reason, "date_updated": bare(self.organization.now())}

    def _hook(self, delivery: Delivery) -> Record | None:
        hooks = self.organization.lists["webhooks"]
        return next((one for one in hooks if one["id"] == delivery.subscription), None)
