"""The nodes of a tree: documents, or files and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.exchange import Record


def children(nodes: dict[str, Record]) -> dict[str, list[str]]:
    """Give the ids of each node's children; those without a living parent are beneath the empty id."""
    found: dict[str, list[str]] = {}
    for one in nodes.values():
        parent = one.get("parent", "")
        found.setdefault(parent if parent in nodes else "", []).append(one["_id"])
    return found


def beneath(nodes: dict[str, Record], top: str) -> list[str]:
    """Give a node's id and the ids of all nodes beneath it."""
    below = children(nodes)
    found = [top]
    for one in found:
        found += below.get(one, [])
    return found
