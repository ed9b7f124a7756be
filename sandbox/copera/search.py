"""The three searches; none has a second page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.moments import moment_of
from sandbox.copera.tokens import has_scope
from sandbox.exchange import Answer, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copera.parameters import CheckedRequest
    from sandbox.copera.service import Service
    from sandbox.exchange import Record

TYPES = (
    *("document", "channel", "channelMessage", "todo", "todoItem", "driveContent", "voiceTranscription"),
    *("aiChat", "aiChatMessage"),
)
_SCOPES = {"document": "access_docs", "driveContent": "access_drive"} | dict.fromkeys(
    ("channel", "channelMessage", "voiceTranscription"),
    "access_channels",
)


def everything(service: Service, asked: CheckedRequest) -> Answer:
    """Search all that the token may see; board rows are not searched."""
    if service.behaviour.external_user:
        raise Refusal(403, "External users cannot search")
    types = [one for one in asked.given["types"] if has_scope(asked.token, _SCOPES.get(one), service.behaviour)]
    if not types:
        raise Refusal(403, "You are not allowed to access search")
    hits = [one for one in _hits(service) if one["entityType"] in types and _has(one, asked.given["q"])]
    hits.sort(key=lambda one: one[asked.given["sortBy"]], reverse=asked.given["sortOrder"] == "desc")
    body: Record = {"query": asked.given["q"], "totalHits": len(hits), "processingTimeMs": 1}
    return encoded(body | {"hits": hits[: asked.given["limit"]]})


def documents(service: Service, asked: CheckedRequest) -> Answer:
    """Search documents by title and content."""
    found = [
        one
        for one in service.account.lists["documents"].values()
        if _has({"title": one["title"], "content": service.account.content(one["_id"])}, asked.given["q"])
    ]
    nodes = service.account.lists["documents"]
    hits = []
    for one in _ordered(found, asked):
        parents: list[Record] = []
        above = one.get("parent", "")
        while above in nodes:
            parents.insert(0, {"_id": above, "title": nodes[above]["title"]})
            above = nodes[above].get("parent", "")
        times = {key: str(moment_of(one[key])) for key in ("createdAt", "updatedAt")}
        marked = {"title": one["title"], "mdBody": service.account.content(one["_id"])[:60]}
        hits.append({"_id": one["_id"], "title": one["title"], "parents": parents, "highlight": marked} | times)
    return encoded({"hits": hits, "totalHits": len(found), "query": asked.given["q"]})


def files(service: Service, asked: CheckedRequest) -> Answer:
    """Search files and folders by name."""
    found = [
        one for one in service.account.lists["drive_files"].values() if _has({"name": one["name"]}, asked.given["q"])
    ]
    return encoded({"hits": _ordered(found, asked), "totalHits": len(found), "query": asked.given["q"]})


def _ordered(found: list[Record], asked: CheckedRequest) -> list[Record]:
    by, down = asked.given["sortBy"], asked.given["sortOrder"] == "desc"
    return sorted(found, key=lambda one: one[by], reverse=down)[: asked.given["limit"]]


def _has(texts: Record, wanted: str) -> bool:
    return any(wanted.lower() in one.lower() for one in texts.values() if isinstance(one, str))


def _hits(service: Service) -> list[Record]:
    lists = service.account.lists
    kept = {
        "documents": ("document", ("title", "owner")),
        "channels": ("channel", ("name", "description", "type", "kind", "createdBy")),
        "drive_files": ("driveContent", ("name", "type", "mimeType", "size")),
    }
    hits: list[Record] = []
    for name, (kind, keys) in kept.items():
        for one in lists[name].values():
            times = {key: moment_of(one[key]) for key in ("createdAt", "updatedAt")}
            hit: Record = {"entityType": kind, "_id": one["_id"], "workspace": service.account.workspace["_id"]}
            hit |= times | {key: one[key] for key in keys if key in one}
            if kind == "document":
                hit["mdBody"] = service.account.content(one["_id"])
            elif kind == "driveContent":
                hit["user"] = one["owner"]
            hits.append(hit)
    return hits
