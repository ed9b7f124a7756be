"""Answers requests for documents and for files of the drive."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.copera.moments import SECOND
from sandbox.copera.nodes import beneath, children
from sandbox.exchange import Answer, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.copera.behaviour import Behaviour
    from sandbox.copera.parameters import CheckedRequest
    from sandbox.copera.service import Service
    from sandbox.exchange import Record, Request

FILES = "/_files"


def documents(service: Service, asked: CheckedRequest) -> Answer:
    """Give a part of the tree of documents."""
    return _tree(service, asked, "documents", "totalDocs")


def files(service: Service, asked: CheckedRequest) -> Answer:
    """Give a part of the tree of the drive."""
    return _tree(service, asked, "drive_files", "totalItems")


class TreeAnswer:
    """Collects the nodes of a tree breadth first, down to a depth, until an answer is full."""

    def __init__(self, nodes: dict[str, Record], knobs: Behaviour, depth: int) -> None:
        self.nodes = nodes
        self.knobs = knobs
        self.depth = depth
        self.below = children(nodes)
        self.count = 0
        self.full = False
        self.root: list[Record] = []
        self.on: dict[str, None] = {}
        """Ids of the nodes whose children a further request has to ask for."""

    def go(self, start: list[str], parent: str) -> None:
        """Collect from some nodes on, which are children of `parent`."""
        waiting: deque[tuple[str, list[str], list[Record], int]] = deque([(parent, start, self.root, 1)])
        while waiting:
            above, found, into, level = waiting.popleft()
            for number in found:
                if self.count >= self.knobs.tree_cap:
                    self.full = True
                    if above:
                        self.on[above] = None
                    break
                self.count += 1
                node, below = self._shown(number), self.below.get(number, [])
                into.append(node)
                if not below:
                    continue
                if level < self.depth:
                    node["children"] = []
                    waiting.append((number, below, node["children"], level + 1))
                elif self.knobs.depth_cut == "listed":
                    self.on[number] = None

    @property
    def truncated(self) -> bool:
        """Whether the answer lacks nodes."""
        return self.full or bool(self.on)

    def _shown(self, number: str) -> Record:
        node = self.nodes[number] | {"hasChildren": bool(self.below.get(number))}
        return node | ({"children": []} if self.knobs.cut_children == "empty" else {})


def _tree(service: Service, asked: CheckedRequest, name: str, total: str) -> Answer:
    nodes, knobs, parent = service.account.lists[name], service.behaviour, asked.given["parentId"]
    if parent and parent not in nodes:
        raise Refusal(404, "Parent not found")
    walk = TreeAnswer(nodes, knobs, asked.given["depth"])
    if parent and knobs.parent_semantics == "node":
        walk.go([parent], "")
    else:
        walk.go(walk.below.get(parent or "", []), parent or "")
    visible = len(beneath(nodes, parent)) if parent else len(nodes)
    count = walk.count if knobs.tree_total == "answer" else visible
    body: Record = {"root": walk.root, total: count, "truncated": walk.truncated, "nextParentIds": list(walk.on)}
    return encoded(body)


def document(service: Service, asked: CheckedRequest) -> Answer:
    """Give one document."""
    return encoded(_one(service, "documents", asked.path["docId"]))


def markdown(service: Service, asked: CheckedRequest) -> Answer:
    """Give a document's content."""
    return encoded({"content": service.account.content(_one(service, "documents", asked.path["docId"])["_id"])})


def file(service: Service, asked: CheckedRequest) -> Answer:
    """Give one file or folder."""
    return encoded(_one(service, "drive_files", asked.path["fileId"]))


def download(service: Service, asked: CheckedRequest) -> Answer:
    """Give an address at which a file can be fetched for a while, without a token."""
    found = _one(service, "drive_files", asked.path["fileId"])
    if found["type"] == "folder":
        raise Refusal(400, "Folders cannot be downloaded")
    until = _expiry(service.now() + service.behaviour.signed_url_ttl)
    host = asked.request.headers.get("host", "127.0.0.1")
    return encoded({"url": f"http://{host}{FILES}/{found['_id']}/{quote(found['name'])}?expires={until}"})


def fetched(service: Service, request: Request) -> Answer:
    """Give a file's content at its signed address, which must be asked without a token and in time."""
    number = request.path.split("/")[1]
    expires = request.query.get("expires", "")
    late = not expires.isdigit() or int(expires) < _expiry(service.now())
    if "authorization" in request.headers or late or number not in service.account.lists["drive_files"]:
        raise Refusal(403, "", body=b"<Error><Code>AccessDenied</Code></Error>")
    return Answer(200, f"content of {number}".encode(), [], b"application/octet-stream")


def _expiry(seconds: float) -> int:
    """Write the moment at which a signed address ends, in milliseconds."""
    return int(seconds * SECOND)


def _one(service: Service, name: str, number: str) -> Record:
    found = service.account.lists[name].get(number)
    if not found:
        raise Refusal(404, "Document not found" if name == "documents" else "File not found")
    return found
