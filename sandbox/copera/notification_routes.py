"""Answers requests for notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.parameters import CheckedRequest, invalid
from sandbox.exchange import encoded

if TYPE_CHECKING:
    from sandbox.copera.service import Service
    from sandbox.exchange import Answer


def notifications(service: Service, asked: CheckedRequest) -> Answer:
    """Give a page of the notifications."""
    knobs, after, before = service.behaviour, asked.given["after"], asked.given["before"]
    if after and before:
        raise invalid("before")
    newest = knobs.notification_order == "newest"
    ordered = sorted(service.account.lists["notifications"].values(), key=lambda one: one["_id"], reverse=newest)
    shown = ordered
    later = knobs.notification_after == "newer" or not newest
    if after:
        shown = [one for one in ordered if (one["_id"] > after if later else one["_id"] < after)]
    elif before:
        shown = [one for one in ordered if (one["_id"] < before if later else one["_id"] > before)]
    page = shown[: knobs.notification_page]
    if before and not newest:
        page = shown[-knobs.notification_page :]
    if knobs.status_case == "upper":
        page = [one | {"status": one["status"].upper()} for one in page]
    count = len(page) if knobs.notification_count == "page" else len(ordered)
    unread = sum(1 for one in ordered if one["status"] == "unread")
    return encoded({"notifications": page, "unreadCount": unread, "count": count})
