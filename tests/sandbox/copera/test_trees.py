"""Documents and the drive as trees: depth, cap, and where to go on."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from collections import deque
from typing import Any

import pytest
import requests

from sandbox.client import CoperaClient
from sandbox.copera import SMALL, CoperaSandbox, copera_app
from sandbox.server import running

TREES = {"docs/tree": ("documents", "totalDocs"), "drive/tree": ("drive_files", "totalItems")}
_ADDED = ("hasChildren", "children")


def flat(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for node in nodes for found in (node, *flat(node.get("children", [])))]


def plain(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in _ADDED}


def depth(nodes: list[dict[str, Any]]) -> int:
    return 1 + max(depth(node.get("children", [])) for node in nodes) if nodes else 0


def walked(client: CoperaClient, path: str, deep: int) -> dict[str, dict[str, Any]]:
    """Go through a tree as the reference says: by `nextParentIds`, and by nodes whose children are missing."""
    found: dict[str, dict[str, Any]] = {}
    waiting: deque[str] = deque([""])
    asked: set[str] = set()
    while waiting:
        parent = waiting.popleft()
        if parent in asked:
            continue
        asked.add(parent)
        body = client.json(path, depth=deep, **({"parentId": parent} if parent else {}))
        for node in flat(body["root"]):
            found[node["_id"]] = plain(node)
            if node["hasChildren"] and not node.get("children"):
                waiting.append(node["_id"])
        waiting.extend(body["nextParentIds"])
    return found


@pytest.mark.parametrize("path", TREES)
@pytest.mark.parametrize("semantics", ["node", "children"])
@pytest.mark.parametrize("cut", ["unlisted", "listed"])
@pytest.mark.parametrize("children", ["empty", "absent"])
def test_a_careful_walk_finds_all(  # noqa: PLR0913, PLR0917  (fixtures, and a knob each)
    app: CoperaSandbox,
    client: CoperaClient,
    path: str,
    semantics: str,
    cut: str,
    children: str,
) -> None:
    knobs = {"parent_semantics": semantics, "depth_cut": cut, "cut_children": children, "tree_cap": 45}
    client.control("configure", knobs)
    truth = {one["_id"]: one for one in app.account.records(TREES[path][0])}
    assert walked(client, path, 4) == truth


@pytest.mark.parametrize("path", TREES)
def test_depth_is_what_was_asked_for(client: CoperaClient, path: str) -> None:
    assert depth(client.json(path)["root"]) == 3
    assert depth(client.json(path, depth=10)["root"]) == 10
    body = client.json(path, depth=1)
    assert depth(body["root"]) == 1
    assert (body["truncated"], body["nextParentIds"]) == (False, [])
    for wrong in (0, 11, "x"):
        assert client.get(path, depth=wrong).status_code == 400
    assert client.get(path, parentId="0" * 24).status_code == 404
    assert client.get(path, parentId="root").status_code == 400


@pytest.mark.parametrize("path", TREES)
def test_the_cap_says_where_to_go_on(app: CoperaSandbox, client: CoperaClient, path: str) -> None:
    name, total = TREES[path]
    client.control("configure", {"tree_cap": 10})
    body = client.json(path, depth=10)
    assert len(flat(body["root"])) == 10
    assert body["truncated"] is True
    assert body[total] == len(app.account.ids(name))
    assert body["nextParentIds"]
    assert set(body["nextParentIds"]) <= {one["_id"] for one in flat(body["root"])}
    client.control("configure", {"tree_total": "answer"})
    assert client.json(path, depth=10)[total] == 10


def test_what_a_parent_gives(app: CoperaSandbox, client: CoperaClient) -> None:
    documents = app.account.records("documents")
    parent = documents[0]["_id"]
    below = [one["_id"] for one in documents if one.get("parent") == parent]
    assert [one["_id"] for one in client.json("docs/tree", parentId=parent)["root"]] == below
    client.control("configure", {"parent_semantics": "node"})
    root = client.json("docs/tree", parentId=parent)["root"]
    assert [one["_id"] for one in root] == [parent]
    assert [one["_id"] for one in root[0]["children"]] == below


def test_more_roots_than_an_answer_holds_cannot_be_reached() -> None:
    app = copera_app(type(SMALL)(rows=0, documents=600, document_roots=510, now=SMALL.now), rate_limit=0)
    with running(app) as url:
        client = CoperaClient(url)
        body = client.json("docs/tree", depth=10)
        found = walked(client, "docs/tree", 10)
        client.close()
    roots = {one["_id"] for one in app.account.records("documents") if "parent" not in one}
    assert len(body["root"]) == 500
    assert (body["truncated"], body["totalDocs"]) == (True, 600)
    assert len(roots & found.keys()) == 500 < len(roots)


def test_1200_documents_deep_and_wide() -> None:
    app = copera_app(type(SMALL)(rows=0, documents=1_200, now=SMALL.now), rate_limit=0)
    documents = app.account.records("documents")
    with running(app) as url:
        client = CoperaClient(url)
        assert walked(client, "docs/tree", 10) == {one["_id"]: one for one in documents}
        client.close()
    parents = [one["parent"] for one in documents if "parent" in one]
    assert max(parents.count(one) for one in set(parents)) > 300


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_document_and_its_content(app: CoperaSandbox, client: CoperaClient, slash: str) -> None:
    for one in app.account.records("documents")[:9]:
        assert client.json(f"docs/{one['_id']}{slash}") == one
    for one in app.account.records("document_contents")[:9]:
        assert client.json(f"docs/{one['_id']}/md{slash}") == {"content": one["content"]}
    assert client.json(f"docs/tree{slash}")["root"]
    assert client.get(f"docs/{'0' * 24}").status_code == 404
    assert client.get("drive/tree/").status_code == 404


def test_files_are_fetched_without_a_token_and_in_time(app: CoperaSandbox, client: CoperaClient) -> None:
    nodes = app.account.records("drive_files")
    file, folder = (next(one["_id"] for one in nodes if one["type"] == kind) for kind in ("file", "folder"))
    assert client.json(f"drive/files/{file}") == next(one for one in nodes if one["_id"] == file)
    url = client.json(f"drive/files/{file}/download")["url"]
    assert requests.get(url, timeout=30).content == f"content of {file}".encode()
    assert client.session.get(url, timeout=30).status_code == 403
    assert client.get(f"drive/files/{folder}/download").status_code == 400
    client.control("configure", {"signed_url_ttl": -1})
    assert requests.get(client.json(f"drive/files/{file}/download")["url"], timeout=30).status_code == 403


def test_documents_come_and_go(app: CoperaSandbox, client: CoperaClient) -> None:
    (made,) = client.control("create", {"object": "documents", "changes": {"title": "Neu"}})["ids"]
    assert client.json(f"docs/{made}")["title"] == "Neu"
    top = app.account.records("documents")[0]["_id"]
    client.control("delete", {"object": "documents", "ids": [top]})
    left = walked(client, "docs/tree", 10)
    assert made in left
    assert top not in left
    assert left.keys() == set(app.account.ids("documents"))
    assert client.get(f"docs/{top}/md").status_code == 404


def test_an_edited_content_may_show_late(app: CoperaSandbox, client: CoperaClient) -> None:
    client.control("configure", {"markdown_lag": 60})
    document = app.account.records("documents")[2]
    before = client.json(f"docs/{document['_id']}/md")
    client.control("edit", {"object": "document_contents", "ids": [document["_id"]], "changes": {"content": "# New"}})
    assert client.json(f"docs/{document['_id']}")["updatedAt"] > document["updatedAt"]
    assert client.json(f"docs/{document['_id']}/md") == before
    app.behaviour.clock_skew = 61
    assert client.json(f"docs/{document['_id']}/md") == {"content": "# New"}
