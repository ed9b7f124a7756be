"""Documents and drive files: trees of which one answer shows at most 500 nodes, some levels deep."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.providers.copera.answers import Record, ask_twice, decoded, get, records_in
from tap_crm.transport.session import Doubtful

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.declare import Reading
    from tap_crm.transport.session import Reply

#: The deepest that may be asked for.
DEPTH = 10


@dataclass(frozen=True, slots=True)
class _Answer:
    root: list[Record]
    total: int | None
    truncated: bool
    further: tuple[str, ...]

    def may_lack_siblings(self, parent: str | None) -> bool:
        """Tell whether it was full before its first level was over: there is no way to ask for the rest of that."""
        level = self.root
        if parent is not None and [node["_id"] for node in level] == [parent]:
            level = level[0].get("children") or []
        return self.truncated and not any(node.get("children") for node in level)


@dataclass(frozen=True, slots=True)
class _Walked:
    nodes: list[Record]
    is_whole: bool
    total: int | None


@dataclass(frozen=True, slots=True)
class Tree:
    """A stream of a tree's nodes, flat.

    Whether ``parentId`` answers with the node itself or with its children is not documented: both are walked.

    Attributes:
        path: of the tree.
        counted: the name of the total in its answers.
    """

    path: str
    counted: str

    def read(self, reading: Reading) -> None:
        """Read every node.

        Raises:
            Incomplete: there are more, which the API does not give; those that it gives are emitted.
        """
        walked = self._walked(reading)
        reading.ledger.source_total = walked.total
        reading.emit_records(walked.nodes)
        self._prove(reading, walked)

    def nodes(self, reading: Reading) -> Iterator[Record]:
        """Yield every node, without its children; raise in the end if there are more."""
        walked = self._walked(reading)
        yield from walked.nodes
        self._prove(reading, walked)

    def _prove(self, reading: Reading, walked: _Walked) -> None:
        if not walked.is_whole:
            raise errors.Incomplete(
                f"{reading.spec.name}: one node, or the root, has more children than the API gives; move some of them"
            )

    def _walked(self, reading: Reading) -> _Walked:
        """Return what one walk found; there is one per run."""
        walked = reading.shared.get(self.path, lambda: self._walk(reading))
        reading.ledger.add(unexplained=max(0, (walked.total or 0) - len(walked.nodes)))
        return walked

    def _walk(self, reading: Reading) -> _Walked:
        nodes: dict[str, Record] = {}
        total, shown, doubtful = None, 0, False
        asked: set[str] = set()
        waiting: deque[str | None] = deque([None])
        while waiting:
            parent = waiting.popleft()
            answer = self._ask(reading, parent)
            unfinished = self._take(answer.root, nodes, parent)
            if parent is None:
                total, shown = answer.total, len(nodes)
            doubtful = doubtful or answer.may_lack_siblings(parent)
            further = [key for key in dict.fromkeys((*answer.further, *unfinished)) if key not in asked]
            asked.update(further)
            waiting.extend(further)
        # A total that counts more than its own answer holds tells whether all of them came.
        is_whole = not doubtful or (total is not None and shown < total <= len(nodes))
        return _Walked(list(nodes.values()), is_whole, total)

    def _take(self, root: list[Record], nodes: dict[str, Record], parent: str | None) -> list[str]:
        """Note the nodes of an answer; returns those whose children were not all shown."""
        unfinished: list[str] = []
        waiting = deque((node, parent) for node in root)
        while waiting:
            node, above = waiting.popleft()
            key = str(node["_id"])
            children = node.get("children") or []
            flat = {name: value for name, value in node.items() if name != "children"}
            if not flat.get("parent") and above is not None and above != key:
                flat["parent"] = above
            nodes.setdefault(key, flat)
            if node.get("hasChildren") and not children and key != parent:
                unfinished.append(key)
            waiting.extend((child, key) for child in children)
        return unfinished

    def _ask(self, reading: Reading, parent: str | None) -> _Answer:
        params: dict[str, str | int] = {"depth": DEPTH}
        if parent is not None:
            params["parentId"] = parent
        question = get(self.path, f"{reading.spec.name}: tree", params)
        try:
            return ask_twice(reading, question, self._parse, lambda answer: not answer.root)
        except errors.NotThere:
            if parent is None:
                raise
            return _Answer([], None, truncated=False, further=())  # deleted since it was shown

    def _parse(self, reply: Reply) -> _Answer:
        body = decoded(reply)
        if not isinstance(body, dict):
            raise Doubtful("the answer is not the documented tree")
        total = body.get(self.counted)
        root = records_in(body.get("root"))
        _check(root)
        return _Answer(
            root,
            total if isinstance(total, int) and not isinstance(total, bool) else None,
            bool(body.get("truncated")),
            tuple(str(key) for key in body.get("nextParentIds") or ()),
        )

    def probe(self, reading: Reading) -> None:
        """Ask for the roots."""
        reading.ask(get(self.path, reading.spec.name, {"depth": 1}), self._parse)


def _check(nodes: list[Record]) -> None:
    """Raise unless every node beneath these is one: an answer is believed whole, or not at all."""
    waiting = deque(nodes)
    while waiting:
        waiting.extend(records_in(waiting.popleft().get("children") or []))


DOCUMENTS = Tree("/docs/tree", "totalDocs")
DRIVE_FILES = Tree("/drive/tree", "totalItems")
