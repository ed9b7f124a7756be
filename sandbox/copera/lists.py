"""Channels, members, teams, notifications and bookings."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from sandbox.copera.asking import Ask, invalid
from sandbox.copera.moments import moment_of
from sandbox.copera.office import STATUSES
from sandbox.exchange import Answer, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copera.sandbox import CoperaSandbox
    from sandbox.exchange import Record


def channels(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a page of the channels that the token sees."""
    given = ask.given
    allowed = app.behaviour.key_channels if ask.token.kind == "key" else None
    app.churn_offsets("channels", given["offset"])
    found = [
        one
        for one in app.world.lists["channels"].values()
        if (allowed is None or one["_id"] in allowed)
        and all(given[key] in (None, one[key]) for key in ("type", "kind"))
        and given["participantId"] in (None, *one["participantUserIds"], *one["participantTeamIds"])
    ]
    return _page("channels", found, ask)


def members(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a page of the members."""
    app.churn_offsets("members", ask.given["offset"])
    found = list(app.world.lists["members"].values())
    if app.behaviour.presence_changes:
        found = [one | {"status": app.rng.choice(STATUSES)} for one in found]
    return _page("members", found, ask)


def teams(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a page of the teams."""
    app.churn_offsets("teams", ask.given["offset"])
    return _page("teams", list(app.world.lists["teams"].values()), ask)


def workspace(app: CoperaSandbox, _: Ask) -> Answer:
    """Give the workspace."""
    return encoded(app.world.workspace)


def _page(name: str, found: list[Record], ask: Ask) -> Answer:
    wanted, limit, offset = ask.given["q"], ask.given["limit"], ask.given["offset"]
    if wanted:
        texts = ("name", "email", "description")
        found = [one for one in found if any(wanted.lower() in one.get(key, "").lower() for key in texts)]
    return encoded({name: found[offset : offset + limit], "total": len(found), "limit": limit, "offset": offset})


def notifications(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a page of the feed."""
    knobs, after, before = app.behaviour, ask.given["after"], ask.given["before"]
    if after and before:
        raise invalid("before")
    newest = knobs.notification_order == "newest"
    feed = sorted(app.world.lists["notifications"].values(), key=lambda one: one["_id"], reverse=newest)
    shown = feed
    later = knobs.notification_after == "newer" or not newest
    if after:
        shown = [one for one in feed if (one["_id"] > after if later else one["_id"] < after)]
    elif before:
        shown = [one for one in feed if (one["_id"] < before if later else one["_id"] > before)]
    page = shown[: knobs.notification_page]
    if before and not newest:
        page = shown[-knobs.notification_page :]
    if knobs.status_case == "upper":
        page = [one | {"status": one["status"].upper()} for one in page]
    count = len(page) if knobs.notification_count == "page" else len(feed)
    unread = sum(1 for one in feed if one["status"] == "unread")
    return encoded({"notifications": page, "unreadCount": unread, "count": count})


def bookings(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give a page of the bookings, newest start first."""
    _available(app)
    given, knobs = ask.given, app.behaviour
    found = [
        one
        for one in app.world.lists["bookings"].values()
        if all(given[key] in (None, one[key]) for key in ("status", "bookingTypeId"))
        and (given["from"] is None or moment_of(one["start"]) >= given["from"])
        and (given["to"] is None or moment_of(one["start"]) <= given["to"])
    ]
    found.sort(key=_place, reverse=True)
    if not knobs.bookings_envelope:
        return encoded(found)
    if given["cursor"]:
        place = _read_cursor(given["cursor"])
        found = [one for one in found if _place(one) < place]
    page = found[: given["limit"]]
    body: Record = {knobs.bookings_envelope: page}
    if len(found) > len(page):
        body["nextCursor"] = base64.urlsafe_b64encode("\n".join(_place(page[-1])).encode()).decode()
    elif knobs.last_cursor == "null":
        body["nextCursor"] = None
    return encoded(body)


def booking(app: CoperaSandbox, ask: Ask) -> Answer:
    """Give one booking."""
    _available(app)
    found = app.world.lists["bookings"].get(ask.path["uid"])
    if not found:
        raise Refusal(404, "Booking not found")
    return encoded(found)


def booking_types(app: CoperaSandbox, _: Ask) -> Answer:
    """Give all booking types."""
    _available(app)
    found, name = list(app.world.lists["booking_types"].values()), app.behaviour.booking_types_envelope
    return encoded({name: found} if name else found)


def _available(app: CoperaSandbox) -> None:
    if app.behaviour.bookings == "404":
        raise Refusal(404, "Route not found")


def _place(record: Record) -> tuple[str, str]:
    return record["start"], record["uid"]


def _read_cursor(cursor: str) -> tuple[str, str]:
    try:
        start, uid = base64.urlsafe_b64decode(cursor).decode().split("\n")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid("cursor") from None
    return start, uid
