"""Creates, changes and deletes subscriptions to events (webhooks/overview)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox.copper.writes.values import FieldError

if TYPE_CHECKING:
    from sandbox.copper.account import CopperWorld
    from sandbox.exchange import Record

_MOST = 100
_TYPES = ("lead", "person", "company", "opportunity", "project", "task", "activity_log")
_EVENTS = ("new", "update", "delete")
_TAKEN = {"target", "type", "event", "secret", "headers", "custom_field_computed_values"}


def create(world: CopperWorld, body: Record, *, carried: bool) -> Record:
    """Subscribe; an account has at most 100 subscriptions."""
    webhooks = world.lists["webhooks"]
    if len(webhooks) >= _MOST:
        raise FieldError("webhook", f"an account has at most {_MOST} subscriptions")
    for name in ("target", "type", "event"):
        if name not in body:
            raise FieldError(name, "can't be blank", "blank")
    made = {"id": max((one["id"] for one in webhooks), default=0) + 1, "secret": None} | _checked(world, body)
    made["created_at"] = int(world.clock())
    if carried:
        webhooks.append(made)
    return made


def update(world: CopperWorld, number: int, body: Record, *, carried: bool) -> Record:
    """Change a subscription."""
    held = _held(world, number)
    changes = _checked(world, body)
    if carried:
        held.update(changes)
    return held | changes


def delete(world: CopperWorld, number: int, *, carried: bool) -> Record:
    """Unsubscribe."""
    held = _held(world, number)
    if carried:
        world.lists["webhooks"].remove(held)
    return {"id": number, "is_deleted": True}


def _held(world: CopperWorld, number: int) -> Record:
    for one in world.lists["webhooks"]:
        if one["id"] == number:
            return one
    raise FieldError("id", f"there is no such webhook: {number}", "not_found", 404)


def _checked(world: CopperWorld, body: Record) -> Record:
    for name, value in body.items():
        if name not in _TAKEN:
            raise FieldError(name, "Unknown attribute", "unknown")
        if name == "target" and not _reachable(world, value):
            raise FieldError(name, "Invalid URI For External Resource")
        if (name == "type" and value not in _TYPES) or (name == "event" and value not in _EVENTS):
            raise FieldError(name, f"must be one of {', '.join(_TYPES if name == 'type' else _EVENTS)}: {value!r}")
        if name in ("secret", "headers") and value is not None and not isinstance(value, dict):
            raise FieldError(name, f"must be an object: {value!r}")
        if name == "custom_field_computed_values" and not isinstance(value, bool):
            raise FieldError(name, f"must be true or false: {value!r}")
    return dict(body)


def _reachable(world: CopperWorld, target: object) -> bool:
    """Whether an address is one of https, or any, as the knob `webhook_targets` says."""
    if not isinstance(target, str):
        return False
    parts = urlsplit(target)
    schemes = ("https",) if world.behaviour.webhook_targets == "https" else ("https", "http")
    return parts.scheme in schemes and bool(parts.hostname)
