"""Documents and the drive: trees of nodes, deep in one place and wide in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import words
from sandbox.copera.moments import SECOND, object_id, text_of
from sandbox.copera.shape import stamps

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record

_DEEP = 25
_KINDS = (("application/pdf", ".pdf"), ("image/png", ".png"), ("text/csv", ".csv"), ("text/markdown", ".md"))


def document(n: int, created: int, updated: int, owner: str, rng: Random) -> Record:
    """Make a document without its place."""
    made: Record = {
        "_id": object_id(created, rng),
        "title": f"{rng.choice(words.PROJECTS)} {n}",
        "owner": owner,
        "createdAt": text_of(created),
        "updatedAt": text_of(updated),
    }
    if n % 3 == 0:
        made["icon"] = {"type": "emoji", "value": "📄"}
    elif n % 3 == 1:
        made |= {"icon": None, "cover": {"type": "url", "value": "https://cdn.example.com/c.png"}}
    return made | ({"starred": n % 4 == 0} if n % 2 else {})


def content(n: int, title: str, rng: Random) -> str:
    """Make a document's markdown."""
    return "" if n % 9 == 8 else f"# {title}\n\n{rng.choice(words.NOTES)}\n\n- [ ] {rng.choice(words.TASKS)}\n"  # noqa: PLR2004


def node(n: int, created: int, updated: int, owner: str, rng: Random) -> Record:
    """Make a file or folder without its place; every third one and the first are folders."""
    made: Record = {
        "_id": object_id(created, rng),
        "name": f"{rng.choice(words.PROJECTS)} {n}",
        "owner": owner,
        "type": "folder" if n % 3 == 0 or n <= _DEEP // 2 else "file",
        "createdAt": text_of(created),
        "updatedAt": text_of(updated),
    }
    if made["type"] == "file":
        mime, ending = _KINDS[n % len(_KINDS)]
        made |= {"name": made["name"] + ending, "mimeType": mime, "size": rng.choice((0, 17, 1_048_576, 5_000_000_000))}
    return made


def tree(
    count: int,
    roots: int,
    make: Callable[..., Record],
    owners: list[str],
    place: tuple[Shape, Random],
) -> list[Record]:
    """Make nodes with parents: a chain of up to 25, then a third of all beneath one node, the others anywhere."""
    shape, rng = place
    made: list[Record] = []
    folders: list[str] = []
    for n, (created, updated) in enumerate(stamps(count, shape, rng)):
        record = make(n, created, updated, rng.choice(owners), rng)
        parent = _parent(n, count, roots, folders, rng)
        if parent:
            record["parent"] = parent
        made.append(record)
        if record.get("type") != "file":
            folders.append(record["_id"])
    return made


def _parent(n: int, count: int, roots: int, folders: list[str], rng: Random) -> str:
    if n < roots or not folders:
        return ""
    chain = min(_DEEP, count // 3)
    if n - roots < chain:
        return folders[-1] if n > roots else ""
    if n < count // 3 + chain:
        return folders[0]
    return "" if rng.random() < 0.08 else rng.choice(folders)  # noqa: PLR2004


def children(nodes: dict[str, Record]) -> dict[str, list[str]]:
    """Give the ids of each node's children; those without a living parent are beneath the empty id."""
    found: dict[str, list[str]] = {}
    for one in nodes.values():
        parent = one.get("parent", "")
        found.setdefault(parent if parent in nodes else "", []).append(one["_id"])
    return found


def beneath(nodes: dict[str, Record], top: str) -> list[str]:
    """Give a node's id and the ids of all that hangs on it."""
    below = children(nodes)
    found = [top]
    for one in found:
        found += below.get(one, [])
    return found


def signed(seconds: float) -> int:
    """Write the moment at which a signed address ends, in milliseconds."""
    return int(seconds * SECOND)
