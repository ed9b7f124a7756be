"""Creates, changes and deletes subscriptions to events (page "webhooks")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.close.moments import bare
from sandbox.close.object_types import EVENT_ACTIONS, SUBSCRIBED
from sandbox.close.webhooks import Health
from sandbox.close.writes.fields import Wrong, one_of, or_null, text, truth
from sandbox.close.writes.write import Body, Write
from sandbox.exchange import Refusal, encoded

if TYPE_CHECKING:
    from sandbox.close.organization import CloseAccount
    from sandbox.exchange import Answer, Record

_NAME = "webhooks"
_MOST = 40


def _url(account: CloseAccount, value: Any) -> str:  # noqa: ANN401
    """Read an address; one of https, or any, as the knob `webhook_targets` says."""
    found = text(account, value)
    schemes = ("https",) if account.behaviour.webhook_targets == "https" else ("https", "http")
    parts = urlsplit(found)
    if parts.scheme not in schemes or not parts.hostname:
        raise Wrong(f"Must be a URL of {' or '.join(schemes)}.")
    return found


def _filter(_: CloseAccount, value: Any) -> Record:  # noqa: ANN401
    """Read a filter, which must be a tree; it is kept, and not applied."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise Wrong("Not a valid filter.")
    return value


def _events(account: CloseAccount, value: Any) -> list[Record]:  # noqa: ANN401
    """Read what is subscribed to."""
    if not isinstance(value, list) or not value:
        raise Wrong("Must be a list of events.")
    return [_event(account, one) for one in value]


def _event(account: CloseAccount, value: Any) -> Record:  # noqa: ANN401
    if not isinstance(value, dict) or set(value) - {"object_type", "action", "extra_filter"}:
        raise Wrong("Must have object_type, action and maybe extra_filter.")
    kind, action = value.get("object_type"), value.get("action")
    refused = {kind, f"{kind} {action}"} & set(account.behaviour.refused_events)
    if kind not in SUBSCRIBED or action not in EVENT_ACTIONS or refused:
        named = account.behaviour.event_refusal == "named"
        raise Wrong(f"Invalid event: {kind} {action}." if named else "Invalid event.")
    if value.get("extra_filter") is not None:
        _filter(account, value["extra_filter"])
    return {"object_type": kind, "action": action, "extra_filter": value.get("extra_filter")}


_NEW = Body(
    {"url": _url, "events": _events, "event_filter": or_null(_filter), "verify_ssl": truth},
    frozenset({"url", "events"}),
)
_UPDATE = Body({"url": _url, "events": _events, "status": one_of("active", "paused"), "verify_ssl": truth})


def create(write: Write, _: tuple[str, ...]) -> Answer:
    """Subscribe; this answer alone shows the signature key."""
    given = write.given(_NEW)
    hooks, source, stamp = write.account.lists[_NAME], write.account.source, bare(write.now)
    if len(hooks) >= _MOST:
        raise Refusal(400, f"An organization can have at most {_MOST} webhook subscriptions.")
    record: Record = {
        "id": source.short("whsub"),
        "url": given["url"],
        "status": "active",
        "events": given["events"],
        "event_filter": given.get("event_filter"),
        "verify_ssl": given.get("verify_ssl", True),
        "pause_reason": None,
        "organization_id": source.organization_id,
        "created_by": write.user_id,
        "updated_by": write.user_id,
        "date_created": stamp,
        "date_updated": stamp,
    }
    key = source.rng.randbytes(32).hex()
    hooks.append(record)
    if write.account.webhooks:
        write.account.webhooks.health[record["id"]] = Health(key)
        record = record | write.account.webhooks.shown(record["id"])
    return encoded(record | {"signature_key": key}, 201)


def update(write: Write, parts: tuple[str, ...]) -> Answer:
    """Change a subscription, pause it, or take it up again."""
    hook = _held(write, parts[0])
    given = write.given(_UPDATE, hook)
    resumed = given.get("status") == "active" and hook["status"] == "paused"
    hook |= given | {"updated_by": write.user_id, "date_updated": bare(write.now)}
    if resumed:
        hook["pause_reason"] = None
        if write.account.webhooks:
            write.account.webhooks.activated(hook["id"])
    shown = write.account.webhooks.shown(hook["id"]) if write.account.webhooks else {}
    return encoded(hook | shown)


def delete(write: Write, parts: tuple[str, ...]) -> Answer:
    """Unsubscribe."""
    write.account.lists[_NAME].remove(_held(write, parts[0]))
    return write.bare_answer()


def _held(write: Write, number: str) -> Record:
    for one in write.account.lists[_NAME]:
        if one["id"] == number:
            return one
    raise Refusal(404, f"webhook {number} not found")
