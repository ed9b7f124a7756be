"""Notifications of changes, sent to those who subscribed (section "webhooks"): never twice, never again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec

from sandbox.copper.custom_fields import SINGULAR
from sandbox.deliveries.delivery import Post
from sandbox.limits import RollingWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.copper.behaviour import Behaviour
    from sandbox.deliveries.deliveries import Deliveries
    from sandbox.deliveries.delivery import Delivery
    from sandbox.exchange import Record

TYPES = (*SINGULAR.values(), "activity_log")
EVENTS = ("new", "update", "delete")

Changed: TypeAlias = dict[str, tuple[object, object]]
"""By attribute what it was, and what it is."""
#: Attributes that change without a notification: the CRM counts them itself.
_META = frozenset(("date_modified", "interaction_count", "date_last_contacted", "leads_converted_from"))
_WINDOWS = (60.0, 600.0)


@dataclass(slots=True)
class _Told:
    """Records that one notification names."""

    kind: str
    event: str
    ids: list[int] = field(default_factory=list[int])
    changed: Changed = field(default_factory=dict[str, tuple[object, object]])


class Account(Protocol):
    """What notifications need of an account."""

    behaviour: Behaviour
    lists: dict[str, list[Record]]
    clock: Callable[[], float]
    keys_of_webhooks: dict[int, str]


class Notifications:
    """Tells subscribers of changes. Every method is called with the account locked.

    Args:
        account: whose subscribers are told.
        deliveries: what sends the notifications.
        revoked: whether a key is revoked; the subscriptions made by it are dead.
    """

    def __init__(self, account: Account, deliveries: Deliveries, revoked: Callable[[str], bool]) -> None:
        self.account = account
        self.deliveries = deliveries
        self.revoked = revoked
        self._depth = 0
        self._untold = False
        self._told: list[_Told] = []
        self._windows = [RollingWindow() for _ in _WINDOWS]

    def changed(self, name: str, number: int, before: bytes | None, after: bytes | None) -> None:
        """Tell of a record that came, changed or went."""
        kind = SINGULAR.get(name, "activity_log")
        event = "new" if before is None else "delete" if after is None else "update"
        if self._untold or not self._subscribed(kind, event):
            return
        changed = _changed(before, after) if before is not None and after is not None else {}
        if event == "update" and not changed:
            return
        apart = self.account.behaviour.fields_apart and event == "update"
        for part in [{one: pair} for one, pair in changed.items()] if apart else [changed]:
            self._add(kind, event, number, part)
        if not self._depth:
            self._tell()

    @contextmanager
    def together(self, what: str) -> Iterator[None]:
        """Tell of all that changes within at its end, as many records at a time as belong to one change."""
        outer = self._untold
        self._untold = outer or what in self.account.behaviour.untold
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._untold = outer
            if not self._depth:
                self._tell()

    def _add(self, kind: str, event: str, number: int, changed: Changed) -> None:
        size = max(self.account.behaviour.notification_size, 1)
        for one in reversed(self._told):
            alike = (one.kind, one.event, set(one.changed)) == (kind, event, set(changed))
            if alike and len(one.ids) < size and number not in one.ids:
                one.ids.append(number)
                return
        self._told.append(_Told(kind, event, [number], changed))

    def _tell(self) -> None:
        told, self._told = self._told, []
        for one in told:
            for hook in self._subscribed(one.kind, one.event):
                self._make(hook, one)

    def _make(self, hook: Record, told: _Told) -> None:
        tells: Record = {"type": told.kind, "event": told.event, "ids": list(told.ids)}
        moment = datetime.fromtimestamp(self.account.clock(), UTC)
        content = tells | {"subscription_id": hook["id"], "timestamp": moment.isoformat(timespec="milliseconds")}
        if told.event == "update":
            content["updated_attributes"] = told.changed
        wait = self._wait()
        lost = "too many" if wait and self.account.behaviour.beyond_notifications == "lost" else ""
        self.deliveries.make(hook["id"], tells, msgspec.json.encode(content), wait=wait, lost=lost)

    def _wait(self) -> float:
        """Count a notification by the limits; say how long it has to wait, if it is one too many."""
        knobs, now = self.account.behaviour, self.deliveries.now()
        limits = (knobs.notifications_per_minute, knobs.notifications_per_ten_minutes)
        counted = [one for one in zip(limits, _WINDOWS, self._windows, strict=True) if one[0] > 0]
        left = [window.left(limit, span, now) for limit, span, window in counted]
        full = [seconds for count, seconds in left if count == 0]
        if full:
            return max(*full, 0.001)
        for limit, span, window in counted:
            window.wait(limit, span, now)
        return 0.0

    def _subscribed(self, kind: str, event: str) -> list[Record]:
        if kind == "activity_log" and event != "new" and self.account.behaviour.activity_events == "new":
            return []
        return [
            one
            for one in self.account.lists["webhooks"]
            if (one["type"], one["event"]) == (kind, event)
            and self.deliveries.reaches(one["target"])
            and not self._dead(one["id"])
        ]

    def _dead(self, number: int) -> bool:
        return self.revoked(self.account.keys_of_webhooks.get(number, ""))

    def _hook(self, number: int | str) -> Record | None:
        return next((one for one in self.account.lists["webhooks"] if one["id"] == number), None)

    def state(self, delivery: Delivery) -> str:
        """Say whether a delivery may be attempted."""
        if self._hook(delivery.subscription) is None:
            return "subscription deleted"
        return "key revoked" if self._dead(int(delivery.subscription)) else "ready"

    def post(self, delivery: Delivery, *, right: bool) -> Post:
        """Make a notification's request; the entries of the subscription's secret are in its body."""
        hook = self._hook(delivery.subscription) or {}
        body: Record = msgspec.json.decode(delivery.content)
        secret: Record = hook.get("secret") or {}
        headers = {str(name): str(value) for name, value in (hook.get("headers") or {}).items()}
        if not right:
            secret = dict.fromkeys(secret, "wrong")
            headers = dict.fromkeys(headers, "wrong")
        return Post(hook["target"], msgspec.json.encode(secret | body), headers)

    def again(self, delivery: Delivery, now: float) -> float | None:  # noqa: ARG002
        """Never: a notification is sent once (help: webhooks)."""
        return None


def _changed(before: bytes, after: bytes) -> Changed:
    old: Record = msgspec.json.decode(before)
    new: Record = msgspec.json.decode(after)
    return {
        key: (old.get(key), new.get(key))
        for key in (*old, *(one for one in new if one not in old))
        if key not in _META and old.get(key) != new.get(key)
    }
