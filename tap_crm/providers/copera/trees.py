"""Documents and drive files: trees of which one answer shows at most 500 nodes, some levels deep.

What is moved while several answers are asked for can leave a branch that comes later for one that was read. So the
tree is walked again until a walk shows nothing that was there before and not seen yet.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.contract.newest import Newest
from tap_crm.providers.common.records import Record, decoded, records_in
from tap_crm.providers.common.whole_list import ask_twice_if_empty
from tap_crm.providers.copera.answers import get
from tap_crm.reading.changes import RESTLESS
from tap_crm.reading.no_news import NoNews
from tap_crm.shaping.moments import to_epoch
from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

#: The deepest that may be asked for.
DEPTH = 10
#: How often a tree is walked that does not stand still.
MOST_WALKS = 5


@dataclass(frozen=True, slots=True)
class _Answer:
    root: list[Record]
    total: int | None
    truncated: bool
    further: tuple[str, ...]
    server_time: float = 0.0

    def may_lack_siblings(self, parent: str | None) -> bool:
        """Tell whether it was full before its first level was over: there is no way to ask for the rest of that."""
        level = self.root
        if parent is not None and [node["_id"] for node in level] == [parent]:
            level = level[0].get("children") or []
        return self.truncated and not any(node.get("children") for node in level)


@dataclass(slots=True)
class _Walk:
    """What one walk found.

    Attributes:
        nodes: by id, without their children.
        total: what the CRM counted when the walk began; None where it did not.
        shown: how many nodes the first answer held.
        answers: how many answers it took.
        began: the server's time when it began, in epoch seconds.
        lacks_siblings: an answer was full before its first level was over.
    """

    nodes: dict[str, Record] = field(default_factory=dict)
    total: int | None = None
    shown: int = 0
    answers: int = 0
    began: float = 0.0
    lacks_siblings: bool = False


@dataclass(frozen=True, slots=True)
class _Tree:
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
        tree = self._tree(reading)
        reading.ledger.source_total = tree.total
        reading.emit_records(tree.nodes)
        self._prove(reading, tree)

    def nodes(self, reading: Reading) -> Iterator[Record]:
        """Yield every node, without its children; raise in the end if there are more."""
        tree = self._tree(reading)
        yield from tree.nodes
        self._prove(reading, tree)

    def _prove(self, reading: Reading, tree: _Tree) -> None:
        if not tree.is_whole:
            raise errors.Incomplete(
                f"{reading.spec.name}: one node, or the root, has more children than the API gives; move some of them"
            )

    def _tree(self, reading: Reading) -> _Tree:
        """Return what there is; it is read once per run."""
        tree = reading.once_per_run.get(self.path, lambda: self._read_until_still(reading))
        reading.ledger.add(unexplained=max(0, (tree.total or 0) - len(tree.nodes)))
        return tree

    def _read_until_still(self, reading: Reading) -> _Tree:
        """Walk until a walk shows nothing new; one answer that holds the whole tree is enough."""
        nodes: dict[str, Record] = {}
        began: float | None = None
        for number in range(1, MOST_WALKS + 1):
            walk = self._walk(reading)
            began = walk.began if began is None else began
            # What was made meanwhile is no sign of a node that was overlooked.
            is_still = not any(_was_there(walk.nodes[key], began) for key in walk.nodes.keys() - nodes.keys())
            nodes |= walk.nodes
            if walk.answers == 1 or (number > 1 and is_still):
                break
        else:
            reading.ledger.gap(RESTLESS)
        total = walk.total or 0
        # A total that counts more than its own answer holds tells whether all of them came.
        is_whole = not walk.lacks_siblings or walk.shown < total <= len(nodes)
        return _Tree(list(nodes.values()), is_whole, walk.total)

    def _walk(self, reading: Reading) -> _Walk:
        """Walk the tree once."""
        walk = _Walk()
        no_news = NoNews(reading.spec.name)
        asked: set[str] = set()
        waiting: deque[str | None] = deque([None])
        while waiting:
            parent = waiting.popleft()
            before, is_known = len(walk.nodes), parent in walk.nodes
            answer = self._ask(reading, parent)
            unfinished = self._take(answer.root, walk.nodes, parent)
            walk.answers += 1
            if parent is None:
                walk.total, walk.shown, walk.began = answer.total, len(walk.nodes), answer.server_time
            elif not is_known:  # of those that were shown there is an end
                no_news.heed(is_new=len(walk.nodes) > before)
            walk.lacks_siblings = walk.lacks_siblings or answer.may_lack_siblings(parent)
            further = [key for key in dict.fromkeys((*answer.further, *unfinished)) if key not in asked]
            asked.update(further)
            waiting.extend(further)
        return walk

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
            return ask_twice_if_empty(reading, question, self._parse, lambda answer: not answer.root)
        except errors.NotThere:
            if parent is None:
                raise
            return _Answer([], None, truncated=False, further=())  # deleted since it was shown

    def _parse(self, reply: Reply) -> _Answer:
        body = decoded(reply)
        if not isinstance(body, dict):
            raise Doubtful("the answer is not the documented tree")
        total = body.get(self.counted)
        root = records_in(body.get("root"), "_id")
        _check(root)
        return _Answer(
            root,
            total if isinstance(total, int) and not isinstance(total, bool) else None,
            bool(body.get("truncated")),
            tuple(str(key) for key in body.get("nextParentIds") or ()),
            reply.server_time,
        )

    def probe(self, reading: Reading) -> None:
        """Ask for the roots."""
        reading.ask(get(self.path, reading.spec.name, {"depth": 1}), self._parse)

    def newest(self, reading: Reading) -> Newest:
        """Ask for the tree, of which one answer shows so many nodes: changes of the others are not seen."""
        answer = reading.ask(get(self.path, reading.spec.name, {"depth": DEPTH}), self._parse)
        nodes: dict[str, Record] = {}
        self._take(answer.root, nodes, None)
        versions = frozenset((key, str(node.get("updatedAt")), str(node.get("parent"))) for key, node in nodes.items())
        return Newest(versions, count=answer.total)


def _was_there(node: Record, began: float) -> bool:
    """Tell whether a node was there before a moment in epoch seconds; one that does not say so counts as if."""
    created = to_epoch(node.get("createdAt"))
    return created is None or created < int(began)


def _check(nodes: list[Record]) -> None:
    """Raise unless every node beneath these is one: an answer is believed whole, or not at all."""
    waiting = deque(nodes)
    while waiting:
        waiting.extend(records_in(waiting.popleft().get("children") or [], "_id"))


DOCUMENTS = Tree("/docs/tree", "totalDocs")
DRIVE_FILES = Tree("/drive/tree", "totalItems")
