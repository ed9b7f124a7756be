"""Makes trees of documents or files: deep in one place and wide in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.shape import stamps

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record

CHAIN = 25
"""How deep the deepest place is, if there are enough nodes."""


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
    chain = min(CHAIN, count // 3)
    if n - roots < chain:
        return folders[-1] if n > roots else ""
    if n < count // 3 + chain:
        return folders[0]
    return "" if rng.random() < 0.08 else rng.choice(folders)  # noqa: PLR2004
