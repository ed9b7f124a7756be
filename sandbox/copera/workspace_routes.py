"""Answers requests for the workspace, its channels, members and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.samples.members import STATUSES
from sandbox.exchange import encoded

if TYPE_CHECKING:
    from sandbox.copera.parameters import CheckedRequest
    from sandbox.copera.service import Service
    from sandbox.exchange import Answer, Record


def channels(service: Service, asked: CheckedRequest) -> Answer:
    """Give a page of the channels that the token sees."""
    given = asked.given
    allowed = service.behaviour.key_channels if asked.token.kind == "key" else None
    service.churn_offsets("channels", given["offset"])
    found = [
        one
        for one in service.account.lists["channels"].values()
        if (allowed is None or one["_id"] in allowed)
        and all(given[key] in (None, one[key]) for key in ("type", "kind"))
        and given["participantId"] in (None, *one["participantUserIds"], *one["participantTeamIds"])
    ]
    return _page(service, "channels", found, asked)


def members(service: Service, asked: CheckedRequest) -> Answer:
    """Give a page of the members."""
    service.churn_offsets("members", asked.given["offset"])
    found = list(service.account.lists["members"].values())
    if service.behaviour.presence_changes:
        found = [one | {"status": service.rng.choice(STATUSES)} for one in found]
    return _page(service, "members", found, asked)


def teams(service: Service, asked: CheckedRequest) -> Answer:
    """Give a page of the teams."""
    service.churn_offsets("teams", asked.given["offset"])
    return _page(service, "teams", list(service.account.lists["teams"].values()), asked)


def workspace(service: Service, _: CheckedRequest) -> Answer:
    """Give the workspace."""
    return encoded(service.account.workspace)


def _page(service: Service, name: str, found: list[Record], asked: CheckedRequest) -> Answer:
    wanted, limit, offset = asked.given["q"], asked.given["limit"], asked.given["offset"]
    if wanted:
        texts = ("name", "email", "description")
        found = [one for one in found if any(wanted.lower() in one.get(key, "").lower() for key in texts)]
    given = found[offset : offset + limit]
    total = len(given if service.behaviour.offset_total == "answer" else found)
    return encoded({name: given, "total": total, "limit": limit, "offset": offset})
