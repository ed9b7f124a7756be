"""Creates, changes and deletes subscriptions to events (webhooks/overview)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox.copper.notifications import EVENTS, TYPES
from sandbox.copper.writes.values import FieldError

if TYPE_CHECKING:
    from sandbox.copper.account import CopperAccount
    from sandbox.exchange import Record

_MOST = 100
_TAKEN = {"target", "secret", "headers", "custom_field_computed_values"}
_FIXED = {"type", "event"}


def create(account: CopperAccount, body: Record, *, carried: bool) -> Record:
    """Subscribe; an account has at most 100 subscriptions."""
    webhooks = account.lists["webhooks"]
    if len(webhooks) >= _MOST:
        raise FieldError("webhook", f"an account has at most {_MOST} subscriptions")
    for name in ("target", "type", "event"):
        if name not in body:
            raise FieldError(name, "can't be blank", "blank")
    made = {"id": _next_id(account), "secret": None} | _checked(account, body, _TAKEN | _FIXED)
    made["created_at"] = int(account.clock())
    if carried:
        webhooks.append(made)
    return made


def update(account: CopperAccount, number: int, body: Record, *, carried: bool) -> Record:
    """Change a subscription, but not what it is for."""
    held = _held(account, number)
    changes = _checked(account, body, _TAKEN)
    if carried:
        held.update(changes)
    return held | changes


def delete(account: CopperAccount, number: int, *, carried: bool) -> Record:
    """Unsubscribe."""
    held = _held(account, number)
    if carried:
        account.lists["webhooks"].remove(held)
    return {"id": number, "is_deleted": True}


def _held(account: CopperAccount, number: int) -> Record:
    for one in account.lists["webhooks"]:
        if one["id"] == number:
            return one
    raise FieldError("id", f"there is no such webhook: {number}", "not_found", 404)


def _next_id(account: CopperAccount) -> int:
    """Give an id that no subscription ever had."""
    used = (*(one["id"] for one in account.lists["webhooks"]), *account.keys_of_webhooks)
    return max(used, default=0) + 1


def _checked(account: CopperAccount, body: Record, taken: set[str]) -> Record:
    if body.get("type") == "activity_log" and body.get("event") != "new" and account.behaviour.activity_events == "new":
        raise FieldError("event", "activities have the event new only")
    for name, value in body.items():
        if name not in taken:
            text = "cannot be changed" if name in _FIXED else "Unknown attribute"
            raise FieldError(name, text, "unknown")
        if name == "target" and not _reachable(account, value):
            raise FieldError(name, "Invalid URI For External Resource")
        if (name == "type" and value not in TYPES) or (name == "event" and value not in EVENTS):
            raise FieldError(name, f"must be one of {', '.join(TYPES if name == 'type' else EVENTS)}: {value!r}")
        if name in ("secret", "headers") and value is not None and not _is_flat(value):
            raise FieldError(name, f"must be an object of texts: {value!r}")
        if name == "custom_field_computed_values" and not isinstance(value, bool):
            raise FieldError(name, f"must be true or false: {value!r}")
    return dict(body)


def _reachable(account: CopperAccount, target: object) -> bool:
    """Whether an address is one of https, or any, as the knob `webhook_targets` says."""
    if not isinstance(target, str):
        return False
    parts = urlsplit(target)
    schemes = ("https",) if account.behaviour.webhook_targets == "https" else ("https", "http")
    return parts.scheme in schemes and bool(parts.hostname)


def _is_flat(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
